"""One trace of the ways to services, over the real Mac; it leaves nothing behind."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath

from healer.core.ledger import Ledger
from healer.engine.quiet import Forgetful, Snapshot
from healer.model.path import Path
from healer.model.published import PublishedService
from healer.probes.tracing import trace
from healer.settings import Settings
from healer.settings.places import places_of
from healer.wiring.parts import OurChildren
from healer.wiring.real import Manner, real_outside


async def trace_services(
    settings: Settings,
    services: Sequence[PublishedService],
    environment: Mapping[str, str] = os.environ,
) -> tuple[Path, ...]:
    """The way to each of them, judged hop by hop."""
    home = FilePath(environment.get("HOME", str(FilePath.home())))
    children = OurChildren(Snapshot(Ledger()))
    outside = real_outside(
        settings,
        places_of(settings, environment, home),
        children,
        Forgetful({}),
        Manner(environment),
    )
    try:
        return await trace(outside.path, services)
    finally:
        await outside.close()
