"""The runner: takes the steps in order, proves each, and goes all the way back when one fails."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import anyio

from healer.hotadd.parts import AddFailedError, Parts, RefusedError, RollBackFailedError, until
from healer.hotadd.undoing import go_back, is_down, resume, start_docker
from healer.model.container import Container
from healer.model.hot_add import STEPS, Progress, Started, Step, left
from healer.model.port_edit import FILES, BadEdit, edited
from healer.ports import ActFailed, Conflict, PortError

READY_SECONDS: Final = 420.0
"""Talos needs minutes from its start to a ready API (facts/talos-kubernetes.md §1)."""
FORWARD_SECONDS: Final = 60.0
"""Until Lima forwards a port that is new in the VM."""


async def add(parts: Parts, started: Started) -> None:
    """All steps. Raises AddFailedError when everything is back, else RollBackFailedError."""
    parts.book.begin(started)
    await _take(parts, _opened(parts))


async def recover(parts: Parts) -> str:
    """Finish or undo what was begun; says which. Raises as `add`, and RefusedError without one."""
    progress = parts.book.progress()
    if progress is None:
        raise RefusedError(["nothing was left unfinished"])
    if progress.can_finish:
        await _take(parts, progress)
        return "finished"
    await _back(parts, progress)
    return "rolled back"


def _opened(parts: Parts) -> Progress:
    progress = parts.book.progress()
    if progress is None:
        raise ActFailed(parts.book.place, "the journal that was just begun is not there")
    return progress


async def _take(parts: Parts, progress: Progress) -> None:
    for step in left(progress):
        try:
            parts.book.step(step, done=False)
            parts.tell(STEPS[step].does)
            await _DO[step](parts, _opened(parts))
            parts.book.step(step, done=True)
        except BaseException as error:
            # Also when we are cancelled: half of a hot-add is no state to leave a cluster in.
            with anyio.CancelScope(shield=True):
                parts.tell(f"{step} failed: {str(error) or type(error).__name__}; going back")
                await _back(parts, _opened(parts))
            if isinstance(error, (PortError, BadEdit)):
                raise AddFailedError(step, str(error)) from error
            raise
    parts.book.finish("added")


async def _back(parts: Parts, progress: Progress) -> None:
    try:
        await go_back(parts, progress)
    except (PortError, BadEdit) as error:
        raise RollBackFailedError(
            f"the way back failed at {error}; both files as they were are in {parts.book.place}; "
            "when what it names is mended, run: healer ports recover"
        ) from error


async def _pause(parts: Parts, progress: Progress) -> None:
    if progress.started.pauses:
        parts.pauses.pause()
    busy = parts.pauses.at_work()
    if busy:
        raise Conflict("healer", f"is at work: {busy}; try again when it has ended")


async def _stop_container(parts: Parts, progress: Progress) -> None:
    started = progress.started
    if started.was_running:
        await parts.engine.stop(started.container)
    status = (await parts.engine.container()).status
    if status not in {"exited", "created"}:
        raise ActFailed("docker stop", f"the container is {status}")


async def _stop_docker(parts: Parts, progress: Progress) -> None:
    del progress
    await parts.guest.stop_docker()
    await is_down(parts)


async def _save(parts: Parts, progress: Progress) -> None:
    """Read anew: dockerd wrote both when it ended."""
    started = progress.started
    copies = {name: await parts.guest.read(started.path(name)) for name in FILES}
    hashes = {
        name: (_sha256(data), _sha256(edited(name, data, started.wanted)))
        for name, data in copies.items()
    }
    parts.book.save(copies, hashes)


async def _edit(parts: Parts, progress: Progress) -> None:
    started = progress.started
    for name in FILES:
        new = edited(name, parts.book.copy(name), started.wanted)
        await parts.guest.replace(started.path(name), new, progress.hashes[name][0])
    for name in FILES:
        if await parts.guest.digest(started.path(name)) != progress.hashes[name][1]:
            raise ActFailed(started.path(name), "is not what was written")
    await is_down(parts)


async def _start_docker(parts: Parts, progress: Progress) -> None:
    del progress
    await start_docker(parts)


async def _check(parts: Parts, progress: Progress) -> None:
    check(await parts.engine.container(), progress.started)


def check(container: Container, started: Started) -> None:
    """Every old binding and the new one, in the container that was meant."""
    if container.id != started.container:
        raise ActFailed("docker inspect", f"another container stands there: {container.id[:12]}")
    lost = [one for one in started.ports if one not in container.ports]
    if lost:
        raise ActFailed("docker inspect", f"lost the binding of {lost[0].host_port}")
    wanted = started.wanted
    if not any(
        (one.host_port, one.container_port, one.protocol)
        == (wanted.host, wanted.container, wanted.protocol)
        for one in container.ports
    ):
        raise ActFailed("docker inspect", f"does not have {wanted}")


async def _start_container(parts: Parts, progress: Progress) -> None:
    started = progress.started
    if not started.was_running:
        return
    await parts.engine.start(started.container)
    await _runs(parts)


async def _runs(parts: Parts) -> None:
    container = await parts.engine.container()
    if not container.running:
        raise ActFailed("docker start", f"the container is {container.status} {container.error}")


async def _verify(parts: Parts, progress: Progress) -> None:
    """The container goes on running, its port is open on both sides, and the API is back."""
    started = progress.started
    if not started.was_running:
        return
    wanted = started.wanted
    if started.was_ready:
        await until(parts, "the API is ready", parts.cluster.ready, READY_SECONDS)
    await _runs(parts)
    check(await parts.engine.container(), started)
    if not await parts.guest.listens(wanted.host, wanted.protocol):
        raise ActFailed("the VM", f"nobody listens on {wanted.host}/{wanted.protocol}")
    if wanted.protocol == "tcp":

        async def accepts() -> bool:
            return await parts.mac.accepts(wanted.host)

        await until(parts, f"the Mac forwards {wanted.host}", accepts, FORWARD_SECONDS)


async def _resume(parts: Parts, progress: Progress) -> None:
    resume(parts, progress.started)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_DO: Final[Mapping[Step, Callable[[Parts, Progress], Awaitable[None]]]] = {
    Step.PAUSE: _pause,
    Step.STOP_CONTAINER: _stop_container,
    Step.STOP_DOCKER: _stop_docker,
    Step.SAVE: _save,
    Step.EDIT: _edit,
    Step.START_DOCKER: _start_docker,
    Step.CHECK: _check,
    Step.START_CONTAINER: _start_container,
    Step.VERIFY: _verify,
    Step.RESUME: _resume,
}
