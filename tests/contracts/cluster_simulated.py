"""The simulated tower as one of the contract's worlds."""

from dataclasses import dataclass, field

import anyio

from healer.model.cluster import Pod
from healer.simulation.cluster_eyes import SimulatedCluster
from healer.simulation.cluster_hands import SimulatedClusterHands
from healer.simulation.happenings import healthy_tower, livekit_of
from healer.simulation.kubelet import SandboxEvent
from healer.simulation.physics import Tower


@dataclass(slots=True)
class SimulatedWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedCluster = field(init=False)
    hands: SimulatedClusterHands = field(init=False)

    def __post_init__(self) -> None:
        """Join eyes and hands to the one tower."""
        self.eyes = SimulatedCluster(self.tower)
        self.hands = SimulatedClusterHands(self.tower)

    async def taint(self) -> None:
        """As Talos does."""
        self.tower.cluster.taint()

    async def cordon(self, *, by_talos: bool) -> None:
        """With its mark or without."""
        self.tower.cluster.node.cordon(by_talos=by_talos)

    async def recreate(self, pod: Pod) -> None:
        """As its controller does."""
        for one in self.tower.workloads:
            if one.pod_uid == pod.uid:
                self.tower.cluster.kubelet.replace(one)

    async def fail_sandbox(self, pod: Pod) -> None:
        """As the kubelet tells it."""
        (workload,) = [one for one in self.tower.workloads if one.pod_uid == pod.uid]
        event = SandboxEvent(workload, pod.uid, pod.name, self.tower.now())
        self.tower.cluster.kubelet.failures[pod.uid] = event

    async def drift_livekit(self) -> None:
        """A chart upgrade reset its probes."""
        livekit_of(self.tower).probes_drifted = True

    async def change_livekit(self) -> None:
        """Another generation."""
        livekit_of(self.tower).generation += 1

    async def die(self) -> None:
        """The API server is gone."""
        self.tower.cluster.api.up = False
