"""What several looks may share, so that a calm daemon costs little; remedies never share.

Each wrapper implements the eyes that it wraps. What was heard is void after an act.
"""

from collections.abc import Sequence
from pathlib import Path

from healer.model.machine import ProcessInfo
from healer.ports import Clock, HostEyes, PortError, PortEyes
from healer.probes.guest import Shared


class SharedHost:
    """HostEyes whose process list serves a whole round of looks, and rivals a longer while.

    `rivals_for` in seconds: launchd is asked about each label in each domain, which costs a
    process each; who loads one is seen that much later.
    """

    def __init__(
        self, host: HostEyes, clock: Clock, *, processes_for: float = 1.5, rivals_for: float = 0.0
    ) -> None:
        self._host = host
        self._processes = Shared(host.processes, clock, processes_for)
        self._rivals = Shared(host.loaded_rivals, clock, rivals_for)

    def tool(self, name: str) -> Path | None:
        """Where the PATH that launchd gives finds the tool."""
        return self._host.tool(name)

    async def processes(self) -> Sequence[ProcessInfo]:
        """The process list, of a moment ago at the most."""
        return await self._processes()

    def boot_time(self) -> float:
        """Epoch seconds of the Mac's boot."""
        return self._host.boot_time()

    def disk_free(self) -> int:
        """Free bytes on the disk of the state folder."""
        return self._host.disk_free()

    async def loaded_rivals(self) -> Sequence[str]:
        """launchd labels of other owners, of a while ago at the most."""
        return await self._rivals()

    def forget(self) -> None:
        """What was heard is void: an act has changed the world since."""
        self._processes.forget()


class RememberedPorts:
    """PortEyes that remember for a while whose the listeners are, as long as all ports answer.

    A listener changes hands only when the one before it ends, and with it what it carried:
    the first port that does not answer makes everything be asked anew. `max_age` in seconds.
    """

    def __init__(self, ports: PortEyes, clock: Clock, max_age: float) -> None:
        self._ports = ports
        self._clock = clock
        self._max_age = max_age
        self._ours: dict[int, float] = {}

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """What came back; never remembered."""
        try:
            return await self._ports.speak(port, protocol, path, expect)
        except PortError:
            self._ours.clear()
            raise

    async def listener_is_ours(self, port: int) -> bool:
        """Whether Lima listens there; a `no` is never remembered."""
        seen = self._ours.get(port)
        if seen is not None and self._clock.now() - seen <= self._max_age:
            return True
        ours = await self._ports.listener_is_ours(port)
        if ours:
            self._ours[port] = self._clock.now()
        return ours

    def forget(self) -> None:
        """What was seen is void: an act has changed the world since."""
        self._ours.clear()
