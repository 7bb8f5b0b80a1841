"""An API server of which only readiness and the node are known; the rest cannot be looked at."""

from healer.model.cluster import (
    Condition,
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.ports import CannotLook
from tests.fakes.faulty import Faulty

SERVER_TIME = 1_700_000_000.0
READY = Condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")


def node(ready: Condition = READY) -> Node:
    """A node with that Ready condition."""
    return Node("joelclaw-controlplane-1", "uid-1", "1", conditions=(ready,))


class FakeApi(Faulty):
    """Implements ClusterEyes."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = Readiness(ready=True, port=6443, detail="ok")
        self.nodes: tuple[Node, ...] = (node(),)
        self.server_time = SERVER_TIME

    def fail(self, fault: Exception) -> None:
        """Both answers fail alike."""
        self.faults["readiness"] = self.faults["node"] = fault

    async def readiness(self) -> Readiness:
        """`/readyz`."""
        await self.meet("readiness")
        return self.ready

    async def node(self) -> Listing[Node]:
        """The node."""
        await self.meet("node")
        return Listing(self.nodes, self.server_time)

    async def pods(self) -> Listing[Pod]:
        """Not here."""
        raise self._elsewhere()

    async def warnings(self) -> Listing[Event]:
        """Not here."""
        raise self._elsewhere()

    async def flannel(self) -> Listing[DaemonSet]:
        """Not here."""
        raise self._elsewhere()

    async def livekit(self) -> Listing[Deployment]:
        """Not here."""
        raise self._elsewhere()

    async def services(self) -> Listing[ServicePort]:
        """Not here."""
        raise self._elsewhere()

    async def owner_exists(self, pod: Pod) -> bool:
        """Not here."""
        del pod
        raise self._elsewhere()

    def _elsewhere(self) -> CannotLook:
        return CannotLook("API", "this fake knows the node only")
