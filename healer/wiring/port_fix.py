"""The one change to a Service that a human may ask for, over the real cluster."""

import os
from collections.abc import Mapping
from pathlib import Path

from healer.adapters.api_port import ApiPort
from healer.adapters.service_patches import ServicePatches
from healer.core.ledger import Ledger
from healer.engine.quiet import Snapshot
from healer.model.port_fix import Patch
from healer.ports import ActFailed
from healer.settings import Settings
from healer.settings.places import places_of
from healer.wiring.parts import OurChildren
from healer.wiring.real import Manner, real_outside


async def patch_service(
    settings: Settings, patch: Patch, environment: Mapping[str, str] = os.environ
) -> str:
    """Patch the Service of that port, if it still is as it was judged.

    Raises ActFailed when the patch would not say which port is meant, and what the API says.
    """
    home = Path(environment.get("HOME", str(Path.home())))
    places = places_of(settings, environment, home)
    children = OurChildren(Snapshot(Ledger()), os.getpid())
    outside = real_outside(settings, places, children, Manner(environment))
    tower = settings.tower
    port_of = ApiPort(outside.engine, outside.guest, children.journal, tower.api_port)
    services = ServicePatches(places.kubeconfig, tower.container, port_of)
    try:
        return await _patched(services, patch)
    finally:
        await services.close()
        await outside.close()


async def _patched(services: ServicePatches, patch: Patch) -> str:
    one = patch.port
    seen = await services.read(one.namespace, one.name)
    same = [node_port for port, node_port in seen.node_ports if port == one.port]
    if same == [one.node_port]:
        return await services.patch(seen, patch.body)
    place = f"Service {one.namespace}/{one.name}"
    if len(same) > 1:
        words = f"port {one.port} is there {len(same)} times, and a patch cannot say which is meant"
        raise ActFailed(place, f"{words}; mend it with: kubectl -n {one.namespace} edit service")
    raise ActFailed(place, f"port {one.port} was changed just now; look again: healer ports")
