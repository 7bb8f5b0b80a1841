"""`healer ports add HOST[:CONTAINER][/proto]` and `healer ports recover`."""

import argparse
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from healer.adapters.lock import WriterLock
from healer.cli.ports_fix import agreed
from healer.cli.ports_pauses import OwnPauses
from healer.cli.running import run_async
from healer.cli.talking import USAGE, load_settings, put, tell
from healer.hotadd.looking import look_before
from healer.hotadd.parts import AddFailedError, RefusedError, RollBackFailedError
from healer.hotadd.running import add as add_port
from healer.hotadd.running import recover as recover_ports
from healer.model.cluster import ServicePort
from healer.model.hot_add import STEPS
from healer.model.path import node_port_patch
from healer.model.port_edit import WantedPort, parse_port
from healer.ports import JournalError, PortError
from healer.settings import Settings
from healer.settings.places import Places, places_of
from healer.wiring.hot_add import hot_add_parts, rules_of
from healer.wiring.tracing import PortsSeen, see_ports

_WELL, _ILL, _UNKNOWN, _GAVE_UP = 0, 1, 3, 4


def add(arguments: argparse.Namespace) -> int:
    """Publish one more port.

    0 done, 1 refused or rolled back, 3 could not look, 4 not even rolled back.
    """
    try:
        wanted = parse_port(arguments.port)
    except ValueError as error:
        tell(f"healer ports add: {error}")
        return USAGE
    settings = load_settings()
    return _locked(settings, lambda: _add(settings, wanted, arguments))


def recover(arguments: argparse.Namespace) -> int:
    """Finish or undo what a killed `ports add` left. Codes as those of `add`."""
    del arguments
    settings = load_settings()
    return _locked(settings, lambda: _ended(partial(_recovered, settings)))


def _locked(settings: Settings, work: Callable[[], int]) -> int:
    """Two at once would take each other's steps back."""
    lock = WriterLock(_places(settings).state / "ports-add.lock")
    try:
        holder = lock.acquire()
    except JournalError as error:
        tell(f"healer: {error}")
        return _UNKNOWN
    if holder is not None:
        tell(f"healer: another `healer ports` (pid {holder or 'unknown'}) is at it")
        return _ILL
    try:
        return work()
    finally:
        lock.release()


def _places(settings: Settings) -> Places:
    return places_of(settings, os.environ, Path.home())


def _add(settings: Settings, wanted: WantedPort, arguments: argparse.Namespace) -> int:
    if not _may_lead_to(settings, arguments.service, wanted):
        return _ILL
    code = _ended(partial(_looked, settings, wanted))
    if code:
        return code
    _plan(wanted)
    if arguments.only_say:
        tell("nothing was changed")
        return _WELL
    if not (arguments.yes or agreed("the cluster is down for minutes meanwhile; go on? [y/N]")):
        tell(f"nothing was changed; to do it: healer ports add {arguments.port} --yes")
        return _ILL
    return _ended(partial(_added, settings, wanted))


def _plan(wanted: WantedPort) -> None:
    put(f"to publish {wanted}:")
    for number, (step, words) in enumerate(STEPS.items(), 1):
        put(f"{number:2}. {step}: {words.does}")
        put(f"    proved by: {words.proof}; undone by: {words.undo}")


async def _looked(settings: Settings, wanted: WantedPort) -> None:
    async with hot_add_parts(settings, OwnPauses(_places(settings)), tell) as parts:
        await look_before(parts, wanted, rules_of(settings))


async def _added(settings: Settings, wanted: WantedPort) -> None:
    async with hot_add_parts(settings, OwnPauses(_places(settings)), tell) as parts:
        # Looked at anew: a human may have thought about it for long.
        await add_port(parts, await look_before(parts, wanted, rules_of(settings)))
        tell(f"published {wanted}; both files as they were: {parts.book.place}")
        tell("what a restart leaves ill healer mends now, or: healer --once")


async def _recovered(settings: Settings) -> None:
    async with hot_add_parts(settings, OwnPauses(_places(settings)), tell) as parts:
        if parts.book.progress() is None:
            tell("nothing was left unfinished")
        else:
            tell(await recover_ports(parts))


def _ended(work: Callable[[], Awaitable[None]]) -> int:
    """The code that the end of it means; what kept it from a better one is said."""
    try:
        run_async(work)
    except RefusedError as error:
        for why in error.why:
            tell(f"healer: {why}")
        return _ILL
    except AddFailedError as error:
        tell(f"healer: rolled back: {error}")
        return _ILL
    except RollBackFailedError as error:
        tell(f"healer: {error}")
        return _GAVE_UP
    except PortError as error:
        tell(f"healer: {error}")
        return _UNKNOWN
    return _WELL


def _may_lead_to(settings: Settings, service: str | None, wanted: WantedPort) -> bool:
    """Whether the Service is there; a NodePort that is not the container's port is told."""
    if service is None:
        return True
    seen: PortsSeen = run_async(partial(see_ports, settings))
    for why in seen.unseen:
        tell(f"healer: {why}")
    found = [one for one in seen.services or () if f"{one.namespace}/{one.name}" == service]
    if not found:
        tell(f"healer: no Service {service} is seen; write it as NAMESPACE/NAME")
        return False
    if all(one.node_port != wanted.container for one in found):
        tell(f"{service} has no NodePort {wanted.container}; afterwards run:")
        tell(f"  {node_port_patch(_meant(found, wanted), wanted.container)}")
    return True


def _meant(found: Sequence[ServicePort], wanted: WantedPort) -> ServicePort:
    ports = {one.port: one for one in reversed(found)}
    return ports.get(wanted.container) or ports.get(wanted.host) or found[0]
