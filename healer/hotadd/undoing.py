"""The way back from any point of a hot-add; taken twice, it does no more than taken once.

It goes by what the journal says was begun, and by what is found: a file is put back only when
it differs from its copy, and only while docker is down.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from healer.hotadd.parts import Parts, until
from healer.model.hot_add import Progress, Started, Step
from healer.model.port_edit import FILES
from healer.ports import ActFailed, NotThere, PortError

DOCKER_SECONDS: Final = 120.0


async def go_back(parts: Parts, progress: Progress) -> None:
    """Everything as it was before the first step. Raises PortError where it cannot go on."""
    started, begun = progress.started, progress.begun
    if not progress.rolling_back:
        _note(parts, parts.book.rolling_back)
    if Step.EDIT in begun:
        await _put_back(parts, progress)
    if Step.STOP_DOCKER in begun:
        parts.tell("start docker")
        await start_docker(parts)
    if Step.STOP_CONTAINER in begun:
        await _bring_back(parts, started)
    if Step.PAUSE in begun:
        resume(parts, started)
    _note(parts, lambda: parts.book.finish("rolled back"))


def _note(parts: Parts, write: Callable[[], None]) -> None:
    """A Mac whose disk is full must not keep the cluster down."""
    try:
        write()
    except PortError as error:
        parts.tell(f"the journal could not be written: {error}")


def resume(parts: Parts, started: Started) -> None:
    """A pause that cannot be ended is no reason for anything: it ends by itself."""
    if not started.pauses:
        return
    try:
        parts.pauses.resume()
    except PortError as error:
        parts.tell(f"the pause stays until it ends by itself, or until: healer resume ({error})")


async def start_docker(parts: Parts) -> None:
    """Both units, until Docker answers."""
    await parts.guest.start_docker()

    async def answers() -> bool:
        await parts.engine.ping()
        return True

    await until(parts, "Docker answers", answers, DOCKER_SECONDS)


async def _put_back(parts: Parts, progress: Progress) -> None:
    """Only what differs is written, so a cut between the two files does not matter."""
    started = progress.started
    if await _as_it_was(parts, progress):
        return
    parts.tell("stop the container and docker, to put both files back")
    await _stop_all(parts, started)
    for name in FILES:
        path, old = started.path(name), parts.book.copy(name)
        found = await parts.guest.digest(path)
        if found != progress.hashes[name][0]:
            await parts.guest.replace(path, old, found)
            if hashlib.sha256(old).hexdigest() != await parts.guest.digest(path):
                raise ActFailed(path, "is not what was put back")


async def _as_it_was(parts: Parts, progress: Progress) -> bool:
    """Whether docker has not run since, and both files are the copies still."""
    if not (await parts.guest.units()).down:
        return False
    return all(
        [
            await parts.guest.digest(progress.started.path(name)) == progress.hashes[name][0]
            for name in FILES
        ]
    )


async def _stop_all(parts: Parts, started: Started) -> None:
    """One that Docker does not list or that cannot be stopped politely ends with docker."""
    if not (await parts.guest.units()).down:
        try:
            if (await parts.engine.container()).running:
                await parts.engine.stop(started.container)
        except NotThere:
            parts.tell("Docker does not list the container")
        except PortError as error:
            parts.tell(f"the container could not be stopped first: {error}")
    await parts.guest.stop_docker()
    await is_down(parts)


async def is_down(parts: Parts) -> None:
    """Raises ActFailed when docker or its socket is not."""
    units = await parts.guest.units()
    if not units.down:
        words = f"docker.socket is {units.socket}, docker.service is {units.service}"
        raise ActFailed("systemctl stop", words)


async def _bring_back(parts: Parts, started: Started) -> None:
    container = await parts.engine.container()
    if container.id != started.container or set(container.ports) != set(started.ports):
        raise ActFailed("docker inspect", "its bindings are not those that it had")
    if not started.was_running:
        return
    parts.tell("start the container")
    await parts.engine.start(started.container)
    container = await parts.engine.container()
    if not container.running:
        raise ActFailed("docker start", f"the container is {container.status} {container.error}")
