"""The Node object: what Talos and the kubelet write to it, and when Talos taints it."""

from dataclasses import dataclass

from healer.simulation.clockwork import Clockwork

REPORT_EVERY = 300.0
"""The kubelet writes an unchanged status that often (design of kubelet; talos-kubernetes.md §1)."""
READY = "kubelet is posting ready status"
STARTING = "container runtime status check may not have completed yet"
SHUTTING_DOWN = "node is shutting down"
"""The kubelet's words in a shutdown, which stay until machined is started anew (§1)."""
STOPPED_POSTING = "Kubelet stopped posting node status."


@dataclass(slots=True)
class NodeState:
    """Kept in etcd, so it survives the container (§1)."""

    clock: Clockwork
    ready: str = "Unknown"
    ready_since: float = 0.0
    message: str = STARTING
    written_at: float = 0.0
    """When the kubelet last wrote something new."""
    reporting: bool = False
    """The kubelet lives and writes its heartbeats."""
    last_beat: float = 0.0
    """Its last heartbeat, once it is dead."""
    tainted: bool = False
    cordoned: bool = False
    cordoned_by_talos: bool = False
    schedulable_for_good: bool = False
    """cluster.allowSchedulingOnControlPlanes: Talos wants no taint (§2)."""
    version: int = 1_000

    def say(self, ready: str, message: str) -> None:
        """The kubelet, or the controller for it, writes another condition."""
        if ready != self.ready:
            self.ready, self.ready_since = ready, self.clock.at
        self.message, self.written_at = message, self.clock.at
        self.version += 1

    def heartbeat(self) -> float:
        """Time of the last heartbeat."""
        if not self.reporting:
            return self.last_beat
        return self.clock.latest(self.written_at, REPORT_EVERY)

    def fall_silent(self) -> None:
        """The kubelet is gone; what it wrote last stays (§1, Stuck states)."""
        if self.reporting:
            self.last_beat, self.reporting = self.heartbeat(), False

    def taint(self) -> bool:
        """Talos adds its taint whenever it is absent (§2); whether it was."""
        if self.tainted or self.schedulable_for_good:
            return False
        self.tainted = True
        self.version += 1
        return True

    def untaint(self) -> None:
        """Somebody removes it."""
        self.tainted = False
        self.version += 1

    def cordon(self, *, by_talos: bool) -> None:
        """Unschedulable, with Talos' mark or without (§1)."""
        self.cordoned, self.cordoned_by_talos = True, by_talos
        self.version += 1

    def uncordon(self) -> None:
        """Schedulable again."""
        self.cordoned = self.cordoned_by_talos = False
        self.version += 1
