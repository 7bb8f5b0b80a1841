"""`healer ports fix SERVICE`: give a Service the NodePort that Docker publishes, on request."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from healer.cli.running import run_async
from healer.cli.talking import USAGE, load_settings, put, tell
from healer.cli.trace import chosen, unknown_service
from healer.model.port_fix import Patch, patches
from healer.model.published import PublishedService, service_map
from healer.ports import PortError
from healer.settings import Settings
from healer.wiring.port_fix import patch_service
from healer.wiring.tracing import PortsSeen, see_ports

_WELL, _ILL, _UNKNOWN = 0, 1, 3


def fix(arguments: argparse.Namespace) -> int:
    """Show the patch, ask, send it, look again. 0 in order, 1 not, 3 could not look."""
    settings = load_settings()
    known = service_map(settings.services, settings.tower.api_port, settings.tower.talos_port)
    asked = chosen(arguments.service, known)
    if not asked:
        tell(unknown_service(arguments.service, known))
        return USAGE
    wanted = _wanted(settings, asked)
    if wanted is None:
        return _UNKNOWN
    if not wanted:
        tell("there is nothing to fix: every published port leads to its NodePort or to no Service")
        return _WELL
    for one in wanted:
        tell(f"{one.port.namespace}/{one.port.name}: {_words(one)}")
        put(one.command)
    if arguments.only_say:
        tell("nothing was changed")
        return _ILL
    if not (arguments.yes or agreed("change this? [y/N]")):
        tell(f"nothing was changed; to change it: healer ports fix {arguments.service} --yes")
        return _ILL
    return _fixed(settings, asked, wanted)


def agreed(question: str) -> bool:
    """Whether a human at a terminal says yes; nobody there says no."""
    if not sys.stdin.isatty():
        return False
    tell(question)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _words(patch: Patch) -> str:
    has = f"NodePort {patch.port.node_port}" if patch.port.node_port else "no NodePort (ClusterIP)"
    return f"{has} for port {patch.port.port}; Docker publishes {patch.node_port}"


def _wanted(settings: Settings, asked: Sequence[PublishedService]) -> list[Patch] | None:
    """None when it could not be looked at, which is said."""
    seen: PortsSeen = run_async(partial(see_ports, settings))
    for why in seen.unseen:
        tell(f"healer: {why}")
    if seen.container is None or seen.services is None:
        return None
    return list(patches(asked, seen.container, seen.services))


def _fixed(settings: Settings, asked: Sequence[PublishedService], wanted: Sequence[Patch]) -> int:
    """What was done is looked at again: an answer of the API is no proof."""
    for one in wanted:
        try:
            said = run_async(partial(patch_service, settings, one))
        except PortError as error:
            tell(f"healer: {error}")
            return _ILL
        tell(f"{said}")
    left = _wanted(settings, asked)
    for one in left or ():
        tell(f"healer: still so: {one.port.namespace}/{one.port.name}: {_words(one)}")
    if left is None:
        return _UNKNOWN
    return _ILL if left else _WELL
