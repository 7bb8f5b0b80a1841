"""The Kubernetes API as eyes."""

from random import Random

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
from healer.ports import Denied, TargetIll, WrongAnswer
from healer.simulation.answering import answer, get_in, silence
from healer.simulation.objects import Snapshot
from healer.simulation.physics import Tower

DEADLINE = 5.0


class SimulatedCluster:
    """Looks through the port that Docker publishes."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def reach(self, place: str, chance: Random | None = None) -> None:
        """Get an answer of the API at all. Raises TargetIll, TargetSilent, Denied."""
        tower = self._tower
        await answer(tower, place, 0.02, DEADLINE, chance)
        await get_in(tower, tower.machine.to_port(tower.cluster.api.port), place, DEADLINE)
        if not tower.box.running:
            raise TargetIll(place, "Connection refused")
        if not tower.cluster.api.up:
            # docker-proxy accepts for the dead (facts/incidents.md §2).
            raise TargetIll(place, "Connection reset by peer")
        if tower.troubles.api_silent:
            await silence(tower, place, DEADLINE)
        if tower.cluster.api.unauthorized:
            raise Denied(place, "401: Unauthorized")

    async def _ask(self, place: str) -> Snapshot | None:
        """The old cache that it answers from, or None when it answers from etcd."""
        await self.reach(place)
        if self._tower.troubles.api_errors:
            raise WrongAnswer(place, "500: etcdserver: request timed out")
        return self._tower.old_lists if self._tower.troubles.stale else None

    def _server_time(self) -> float:
        return self._tower.machine.wall

    async def readiness(self) -> Readiness:
        """`/readyz`."""
        await self.reach("GET /readyz")
        api, ill = self._tower.cluster.api, self._tower.troubles.api_errors
        return Readiness(
            ready=not ill,
            port=api.port,
            detail="[-]etcd failed: reason withheld" if ill else "ok",
            certificate_days=api.certificate_days,
            kubeconfig_port=api.kubeconfig_port,
        )

    async def node(self) -> Listing[Node]:
        """The node."""
        old = await self._ask("GET node")
        found = self._tower.objects.node() if old is None else old.node
        return Listing(found, self._server_time())

    async def pods(self) -> Listing[Pod]:
        """All pods."""
        old = await self._ask("GET pods")
        found = self._tower.objects.pods() if old is None else old.pods
        return Listing(found, self._server_time())

    async def warnings(self) -> Listing[Event]:
        """FailedCreatePodSandBox events of the last hour."""
        old = await self._ask("GET events")
        found = self._tower.objects.warnings() if old is None else old.warnings
        return Listing(found, self._server_time())

    async def flannel(self) -> Listing[DaemonSet]:
        """kube-flannel."""
        old = await self._ask("GET daemonset")
        found = self._tower.objects.flannel() if old is None else old.flannel
        return Listing(found, self._server_time())

    async def livekit(self) -> Listing[Deployment]:
        """livekit-server."""
        old = await self._ask("GET deployment")
        found = self._tower.objects.livekit() if old is None else old.livekit
        return Listing(found, self._server_time())

    async def services(self) -> Listing[ServicePort]:
        """NodePorts."""
        old = await self._ask("GET services")
        found = self._tower.objects.services() if old is None else old.services
        return Listing(found, self._server_time())

    async def owner_exists(self, pod: Pod) -> bool:
        """Controllers outlive everything here; one of another uid never was."""
        await self._ask("GET owner")
        return pod.owner is not None and pod.owner.uid in self._tower.objects.owner_uids()
