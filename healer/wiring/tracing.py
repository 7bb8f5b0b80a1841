"""One look at the ways to services over the real Mac; it leaves nothing behind."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from healer.core.ledger import Ledger
from healer.engine.quiet import Snapshot
from healer.model.cluster import ServicePort
from healer.model.container import Container
from healer.model.path import Path
from healer.model.published import PublishedService
from healer.ports import PortError
from healer.probes.asking import ask_both
from healer.probes.front import FrontParts
from healer.probes.tracing import Above, trace
from healer.settings import Settings
from healer.settings.places import places_of
from healer.wiring.front import wanted_front
from healer.wiring.parts import OurChildren, Outside
from healer.wiring.real import Manner, real_outside


@dataclass(frozen=True, slots=True)
class PortsSeen:
    """What Docker publishes and what Kubernetes serves; None = could not be asked."""

    container: Container | None
    services: tuple[ServicePort, ...] | None
    unseen: tuple[str, ...] = ()
    """Why not."""


async def trace_services(
    settings: Settings,
    services: Sequence[PublishedService],
    environment: Mapping[str, str] = os.environ,
) -> tuple[Path, ...]:
    """The way to each of them, judged hop by hop."""
    async with outside_of(settings, environment) as outside:
        parts = FrontParts(outside.front, outside.host, outside.published, settings.services)
        return await trace(outside.path, services, Above(parts, wanted_front(settings)))


async def see_ports(settings: Settings, environment: Mapping[str, str] = os.environ) -> PortsSeen:
    """The container's ports and those of all Services."""
    async with outside_of(settings, environment) as outside:
        eyes = outside.path
        container, services = await ask_both(eyes.container, eyes.services)
    return PortsSeen(
        None if isinstance(container, PortError) else container,
        None if isinstance(services, PortError) else services.items,
        tuple(str(one) for one in (container, services) if isinstance(one, PortError)),
    )


@asynccontextmanager
async def outside_of(settings: Settings, environment: Mapping[str, str]) -> AsyncIterator[Outside]:
    """The Mac that we run on, for one look that keeps no journal."""
    home = FilePath(environment.get("HOME", str(FilePath.home())))
    places = places_of(settings, environment, home)
    children = OurChildren(Snapshot(Ledger()), os.getpid())
    outside = real_outside(settings, places, children, Manner(environment))
    try:
        yield outside
    finally:
        await outside.close()
