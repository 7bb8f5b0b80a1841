"""The look before a hot-add: everything that must hold before the first thing is touched."""

from collections.abc import Collection
from dataclasses import dataclass

from healer.hotadd.parts import Parts, RefusedError
from healer.model.container import Container
from healer.model.hot_add import Started
from healer.model.port_edit import FILES, BadEdit, WantedPort, edited
from healer.ports import PortError


@dataclass(frozen=True, slots=True)
class Rules:
    """Ports that Docker may never take."""

    reserved: Collection[int]


async def look_before(parts: Parts, wanted: WantedPort, rules: Rules) -> Started:
    """What was found.

    Raises RefusedError with all that stands against it, and PortError when Docker, the VM or
    the Mac cannot be asked.
    """
    if parts.book.progress() is not None:
        raise RefusedError(["one that was begun is not finished; first run: healer ports recover"])
    container = await parts.engine.container()
    standing = parts.pauses.standing()
    root = await parts.engine.root()
    started = Started(
        wanted,
        container.id,
        root,
        container.running,
        container.running and await _ready(parts),
        not standing,
        container.ports,
    )
    why = [
        *_of_container(container),
        *_of_wish(wanted, rules),
        *await _of_neighbours(parts, container),
        *await _of_ports(parts, wanted, container),
        *await _of_files(parts, started),
        *([f"healer is at work: {busy}"] if (busy := parts.pauses.at_work()) else ()),
    ]
    if why:
        raise RefusedError(why)
    for one in standing:
        parts.tell(f"a pause is in force and stays: {one}")
    return started


async def _ready(parts: Parts) -> bool:
    """An API that is silent now is not waited for afterwards."""
    try:
        return await parts.cluster.ready()
    except PortError:
        return False


def _of_container(container: Container) -> list[str]:
    if container.status in {"running", "exited", "created"}:
        return []
    return [f"{container.name} is {container.status}; wait, or see: healer explain talos"]


def _of_wish(wanted: WantedPort, rules: Rules) -> list[str]:
    if wanted.host not in rules.reserved:
        return []
    return [f"port {wanted.host} belongs to a program of the Mac (tower.reserved_ports)"]


async def _of_neighbours(parts: Parts, container: Container) -> list[str]:
    """Docker is stopped for all of them, and not all come back by themselves."""
    names = ", ".join(await parts.engine.others_running(container.id))
    if not names:
        return []
    return [f"other containers run in this Docker and would be stopped: {names}; stop them first"]


async def _of_ports(parts: Parts, wanted: WantedPort, container: Container) -> list[str]:
    for one in container.ports:
        if (one.host_port, one.protocol) == (wanted.host, wanted.protocol):
            return [f"port {wanted.host} is published already, for {one.container_port}"]
    why = []
    holder = await parts.mac.holder(wanted.host, wanted.protocol)
    if holder:
        why.append(f"port {wanted.host} of the Mac is taken by {holder}")
    if await parts.guest.listens(wanted.host, wanted.protocol):
        why.append(f"port {wanted.host} is taken in the VM")
    return why


async def _of_files(parts: Parts, started: Started) -> list[str]:
    """They can be read as root, and the edit can be computed, before anything is stopped."""
    try:
        units = await parts.guest.units()
        if units.service != "active":
            return [f"docker.service of the VM is {units.service or 'not there'}, not active"]
        for name in FILES:
            edited(name, await parts.guest.read(started.path(name)), started.wanted)
    except (PortError, BadEdit) as error:
        return [str(error)]
    return []
