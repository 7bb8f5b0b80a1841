"""What several looks may share, so that a calm daemon costs little; remedies never share.

Each wrapper implements the eyes that it wraps. What was heard is void after an act, and what
news may be about is void after news: a woken look must not see what was there before.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from healer.model.cluster import (
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.model.container import Container
from healer.model.machine import ProcessInfo
from healer.ports import Clock, ClusterEyes, EngineEyes, HostEyes, PortError, PortEyes
from healer.probes.shared import Shared

MOMENT: Final = 0.2
"""Seconds: a round of looks begins at once, and somebody who has just broken something and asks
for a pass must not hear how it was before. Shorter than the least rest of a probe, which else would
count one lost answer for two looks."""


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

    def lately(self, max_age: float) -> "HostLately":
        """For whom a process list of so many seconds ago will do."""
        return HostLately(self, self._processes, max_age)

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


class HostLately:
    """HostEyes over a shared host, for what is only reported: a process list is dear on a Mac."""

    def __init__(
        self, host: SharedHost, processes: Shared[Sequence[ProcessInfo]], max_age: float
    ) -> None:
        self._host = host
        self._processes = processes
        self._max_age = max_age

    def tool(self, name: str) -> Path | None:
        """Where the PATH that launchd gives finds the tool."""
        return self._host.tool(name)

    async def processes(self) -> Sequence[ProcessInfo]:
        """The process list, of a while ago at the most."""
        return await self._processes(self._max_age)

    def boot_time(self) -> float:
        """Epoch seconds of the Mac's boot."""
        return self._host.boot_time()

    def disk_free(self) -> int:
        """Free bytes on the disk of the state folder."""
        return self._host.disk_free()

    async def loaded_rivals(self) -> Sequence[str]:
        """launchd labels of other owners, of a while ago at the most."""
        return await self._host.loaded_rivals()


class SharedEngine:
    """EngineEyes whose answers serve the looks of one moment."""

    def __init__(self, engine: EngineEyes, clock: Clock, max_age: float = MOMENT) -> None:
        self._engine = engine
        self._ping = Shared(engine.ping, clock, max_age)
        self._container = Shared(engine.container, clock, max_age)
        self.last: Container | None = None
        """What was seen last, for who only wants to know a port and must not wait for Docker."""

    async def ping(self) -> None:
        """Return when `/_ping` said OK. Raises TargetIll, TargetSilent."""
        await self._ping()

    async def container(self) -> Container:
        """The Talos container. Raises NotThere, TargetIll."""
        self.last = await self._container()
        return self.last

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """Never shared: only one probe asks, and only of a container that is down."""
        return await self._engine.stopped_by_human_ago(container)

    def forget(self) -> None:
        """What was heard is void."""
        self._ping.forget()
        self._container.forget()


class SharedCluster:
    """ClusterEyes whose lists serve the looks of one moment."""

    def __init__(self, cluster: ClusterEyes, clock: Clock, max_age: float = MOMENT) -> None:
        self._cluster = cluster
        self._readiness = Shared(cluster.readiness, clock, max_age)
        self._node = Shared(cluster.node, clock, max_age)
        self._pods = Shared(cluster.pods, clock, max_age)
        self._warnings = Shared(cluster.warnings, clock, max_age)
        self._flannel = Shared(cluster.flannel, clock, max_age)
        self._livekit = Shared(cluster.livekit, clock, max_age)

    async def readiness(self) -> Readiness:
        """`/readyz`."""
        return await self._readiness()

    async def node(self) -> Listing[Node]:
        """The one node."""
        return await self._node()

    async def pods(self) -> Listing[Pod]:
        """All pods."""
        return await self._pods()

    async def warnings(self) -> Listing[Event]:
        """Warnings of sandboxes that could not be made."""
        return await self._warnings()

    async def flannel(self) -> Listing[DaemonSet]:
        """The flannel DaemonSet."""
        return await self._flannel()

    async def livekit(self) -> Listing[Deployment]:
        """The LiveKit Deployment."""
        return await self._livekit()

    async def services(self) -> Listing[ServicePort]:
        """Never shared: only one probe asks."""
        return await self._cluster.services()

    async def owner_exists(self, pod: Pod) -> bool:
        """Never shared: it is asked just before it matters."""
        return await self._cluster.owner_exists(pod)

    def forget(self) -> None:
        """What was heard is void."""
        for one in (
            self._readiness,
            self._node,
            self._pods,
            self._warnings,
            self._flannel,
            self._livekit,
        ):
            one.forget()


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
