"""The published ports, end to end, as eyes."""

from healer.ports import TargetIll, WrongAnswer
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
        await get_in(tower, tower.machine.to_port(port), place, DEADLINE)
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
        self._must_be_fed(workload, place)
        return _ANSWERS.get(port, expect)

    def _must_be_fed(self, workload: Workload, place: str) -> None:
        """LiveKit's stats get stale within 4 s without Redis (§6)."""
        if workload.name == LIVEKIT and not self._tower.cluster.kubelet.named(REDIS).ready:
            raise WrongAnswer(place, "HTTP 406: Not Ready")

    async def listener_is_ours(self, port: int) -> bool:
        """The hostagent listens for what is published."""
        tower = self._tower
        published = tower.box.running and port in tower.box.ports
        return published and tower.machine.to_port(port) is not Way.REFUSED
