"""The published ports, end to end, as eyes."""

from collections.abc import Mapping, Sequence

import anyio

from healer.model.published import HOST_ONLY, PublishedService
from healer.ports import ClusterEyes, EngineEyes, PortError, TargetIll, WrongAnswer
from healer.simulation.answering import answer, get_in, silence
from healer.simulation.forwards import Way
from healer.simulation.physics import Tower
from healer.simulation.workloads import LIVEKIT, REDIS, Workload

DEADLINE = 3.0
_ANSWERS = {6379: "+PONG", 7880: "OK", 8108: '{"ok":true}', 8288: '{"status":200}'}


class SimulatedPublished:
    """Published ports from the Mac."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """Speak the protocol; behind a dead backend docker-proxy accepts, and resets."""
        place = f"{protocol} 127.0.0.1:{port}{path}"
        tower = self._tower
        await answer(tower, place, 0.01, DEADLINE)
        if port in HOST_ONLY:
            return expect or "HTTP 200"  # a program of the Mac's own, which no tower carries
        await get_in(tower, tower.machine.to_port(port), place, DEADLINE)
        return await spoken_in_vm(tower, port, protocol, expect, place)

    async def listener_is_ours(self, port: int) -> bool:
        """The hostagent listens for what is published."""
        tower = self._tower
        published = tower.box.running and port in tower.box.ports
        return published and tower.machine.to_port(port) is not Way.REFUSED


async def spoken_in_vm(tower: Tower, port: int, protocol: str, expect: str, place: str) -> str:
    """What the VM's own port says. Raises TargetIll, TargetSilent, WrongAnswer."""
    if not tower.box.running or port not in tower.box.ports:
        raise TargetIll(place, "Connection refused")
    if protocol == "tcp":
        return "accepts"
    if port in tower.troubles.silent_ports:
        await silence(tower, place, DEADLINE)
    workload = next((one for one in tower.workloads if one.port == port), None)
    if workload is None or not workload.ready:
        # A NodePort without ready endpoints is rejected, LiveKit's own too (§6).
        raise TargetIll(place, "Connection reset by peer")
    _must_be_fed(tower, workload, place)
    return _ANSWERS.get(port, expect)


def _must_be_fed(tower: Tower, workload: Workload, place: str) -> None:
    """LiveKit's stats get stale within 4 s without Redis (§6)."""
    if workload.name == LIVEKIT and not tower.cluster.kubelet.named(REDIS).ready:
        raise WrongAnswer(place, "HTTP 406: Not Ready")


class SimulatedPath:
    """ports.PathEyes over the simulated tower."""

    def __init__(self, tower: Tower, engine: EngineEyes, cluster: ClusterEyes) -> None:
        self._tower = tower
        self._published = SimulatedPublished(tower)
        self.container = engine.container
        self.services = cluster.services
        self.livekit = cluster.livekit
        self.listener_is_ours = self._published.listener_is_ours

    async def on_mac(self, service: PublishedService) -> str:
        """As the probe asks."""
        words = (service.host_port, service.protocol, service.path, service.expect)
        return await self._published.speak(*words)

    async def in_vm(self, services: Sequence[PublishedService]) -> Mapping[int, str | PortError]:
        """By ssh, all in one."""
        await get_in(self._tower, self._tower.machine.to_ssh(), "ssh lima", DEADLINE)
        found: dict[int, str | PortError] = {}

        async def speak(one: PublishedService) -> None:
            place = f"{one.protocol} port {one.host_port} in the VM"
            words = (one.host_port, one.protocol, one.expect, place)
            try:
                found[one.host_port] = await spoken_in_vm(self._tower, *words)
            except PortError as error:
                found[one.host_port] = error

        async with anyio.create_task_group() as tasks:
            for one in services:
                tasks.start_soon(speak, one)
        return found

    async def by_api(self, service: PublishedService, port: int) -> str:
        """The pod itself, past every published port."""
        place = f"the pod of {service.namespace}/{service.name}"
        await self.services()
        return await spoken_in_vm(self._tower, port, service.protocol, service.expect, place)
