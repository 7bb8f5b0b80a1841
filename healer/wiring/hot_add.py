"""The hot-add over the real Mac."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from healer.adapters.clock import SystemClock
from healer.adapters.colima_files import resolve_root
from healer.adapters.docker_hot_add import HotAddEngine
from healer.adapters.guest_ports import GuestPorts
from healer.adapters.hot_add_book import HotAddBook
from healer.adapters.mac_ports import MacPorts
from healer.adapters.paths import RealPath
from healer.core.ledger import Ledger
from healer.engine.quiet import Snapshot
from healer.hotadd.asking import Pauses
from healer.hotadd.looking import Rules
from healer.hotadd.parts import Parts
from healer.model.machine import ColimaPaths
from healer.model.published import HOST
from healer.ports import CannotLook, ClusterEyes
from healer.settings import Settings
from healer.settings.places import Places, places_of
from healer.wiring.parts import OurChildren
from healer.wiring.real import Manner, real_outside


class _Cluster:
    """hotadd.asking.Cluster."""

    def __init__(self, eyes: ClusterEyes) -> None:
        self._eyes = eyes

    async def ready(self) -> bool:
        """As `/readyz` says."""
        return (await self._eyes.readiness()).ready


def book_of(places: Places) -> HotAddBook:
    """Where hot-adds are kept."""
    return HotAddBook(places.state / "ports-add")


def rules_of(settings: Settings) -> Rules:
    """The Mac's own ports."""
    own = (one.host_port for one in settings.services if one.where == HOST)
    return Rules({*own, *settings.tower.reserved_ports})


@asynccontextmanager
async def hot_add_parts(
    settings: Settings,
    pauses: Pauses,
    tell: Callable[[str], None],
    environment: Mapping[str, str] = os.environ,
) -> AsyncIterator[Parts]:
    """Everything that it works with, closed at the end."""
    home = Path(environment.get("HOME", str(Path.home())))
    places, tower = places_of(settings, environment, home), settings.tower
    children = OurChildren(Snapshot(Ledger()), os.getpid())
    outside = real_outside(settings, places, children, Manner(environment))
    root = places.colima_home or resolve_root(environment, home)
    socket = ColimaPaths(root, tower.profile).docker_socket
    try:
        if not isinstance(outside.path, RealPath):
            raise CannotLook("the VM", "is no real one")
        yield Parts(
            HotAddEngine(socket, tower.container, tower.cluster, outside.door),
            GuestPorts(outside.path.ssh),
            MacPorts(),
            _Cluster(outside.cluster),
            pauses,
            book_of(places),
            SystemClock(),
            tell,
        )
    finally:
        await outside.close()
