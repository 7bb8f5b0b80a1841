"""The VM by direct ssh, as ports."""

import anyio

from healer.model.machine import FileSystem, GuestFacts, Unit, known_ssh_port
from healer.ports import ActFailed, CannotLook, TargetIll
from healer.simulation.answering import answer, get_in
from healer.simulation.physics import Tower

_PLACE = "ssh lima-colima"


class SimulatedGuest:
    """Looks into the VM past Lima's mux."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def banner(self) -> str:
        """sshd's first words."""
        await answer(self._tower, "ssh banner", 0.02)
        _find_port(self._tower)
        await get_in(self._tower, self._tower.machine.to_ssh(), "ssh banner")
        return "SSH-2.0-OpenSSH_9.6p1"

    async def facts(self) -> GuestFacts:
        """One round trip."""
        tower = self._tower
        await answer(tower, _PLACE, 0.2, 12.0)
        _find_port(tower)
        await get_in(tower, tower.machine.to_ssh(), _PLACE)
        machine, dockerd, box = tower.machine, tower.dockerd, tower.box
        wall, at = tower.clock.wall(), tower.clock.at
        since, began = dockerd.inactive_since, dockerd.began_at
        api = tower.cluster.api.up and not tower.troubles.api_silent
        return GuestFacts(
            uptime=machine.uptime(),
            clock=machine.wall,
            asked_at=wall,
            bridge_netfilter=machine.kernel.loaded,
            vxlan=True,
            persisted=machine.kernel.persisted,
            disks=_disks(tower),
            has_data_disk=True,
            engine_answers=dockerd.up,
            docker=Unit(
                dockerd.unit,
                dockerd.result,
                None if since is None else at - since,
                None if began is None else (at - began, at - began),
                "active" if dockerd.socket else "inactive",
            ),
            container_status=box.status if dockerd.up and dockerd.has_data and box.there else "",
            api_answers=api if dockerd.up and box.running else None,
            api_port=tower.cluster.api.port if dockerd.up and box.running else None,
            open_ports=open_ports(tower),
        )


def _disks(tower: Tower) -> tuple[FileSystem, ...]:
    """Docker's folder lies on the root's disk until the data disk is mounted over it."""
    root, data = ("/",), ("/var/lib/docker", "/var/lib/containerd")
    if not tower.dockerd.data_mounted:
        return (FileSystem("/dev/vda1", 0.05, root + data),)
    return (
        FileSystem("/dev/vda1", 0.05, root),
        FileSystem("/dev/vdb1", tower.machine.disk_used, data),
    )


def _find_port(tower: Tower) -> None:
    """Raises CannotLook when nobody knows the ssh port."""
    machine = tower.machine
    told = machine.ssh_port if machine.answers else None
    if known_ssh_port(told, machine.ssh_port, driver_alive=machine.on) is None:
        raise CannotLook(_PLACE, "the hostagent names no ssh port, and the VM has no process")


def open_ports(tower: Tower) -> frozenset[int]:
    """docker-proxy accepts for the dead as well (facts/incidents.md §2)."""
    return frozenset(tower.box.ports) if tower.box.running else frozenset()


class SimulatedGuestHands:
    """Acts in the VM; what was begun there goes on when the ssh ends."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def _enter(self, takes: float) -> None:
        await anyio.sleep(takes)
        self._tower.now()
        try:
            await get_in(self._tower, self._tower.machine.to_ssh(), _PLACE)
        except TargetIll as ill:
            raise ActFailed(ill.place, ill.detail) from ill

    async def load_modules(self) -> str:
        """The module is there at once, and after each later boot."""
        await self._enter(0.3)
        kernel = self._tower.machine.kernel
        kernel.loaded = kernel.persisted = True
        self._tower.changed()
        return "loaded br_netfilter and vxlan; persisted"

    async def restart_engine(self) -> str:
        """Kills the containers, and starts those whose policy says so."""
        await self._enter(0.3)
        if self._tower.dockerd.up:
            self._tower.wrong("docker was restarted while it lived")
        return await self._restart()

    async def start_engine(self) -> str:
        """Does nothing to one that runs."""
        await self._enter(0.3)
        return "docker runs" if self._tower.dockerd.up else await self._restart()

    async def _restart(self) -> str:
        tower = self._tower
        tower.dockerd.restart()
        tower.changed()
        await anyio.sleep(2.0)
        tower.now()
        return "docker started"
