"""How the simulated cluster was set up, as eyes."""

from collections.abc import Sequence
from random import Random

from healer.model.cluster import CONTROL_PLANE_TAINT, DaemonSet, Event, Pod
from healer.model.flannel import FlannelNetwork
from healer.model.setup import (
    Address,
    Addressing,
    Mention,
    MetricsApi,
    Place,
    Provisioner,
    RedisSettings,
    StorageClass,
)
from healer.model.talos_config import API_SERVER, NODE, TalosConfig, document, talos_config
from healer.ports import NotThere, TargetIll, WrongAnswer
from healer.simulation.answering import answer, get_in
from healer.simulation.cluster_eyes import SimulatedCluster
from healer.simulation.physics import Tower
from healer.simulation.setup import Setup
from healer.simulation.workloads import REDIS, Workload

_TALOS = 50_000
_CLASSES = ("local-path", "nfs")
_MOUNT = (
    'MountVolume.SetUp failed for volume "nas-nvme" : mount failed: exit status 32\n'
    "Mounting command: mount\n"
    "Mounting arguments: -t nfs -o nfsvers=3,tcp,soft 192.168.1.163:/nvme /var/lib/kubelet/pods\n"
    "Output: mount.nfs: Connection timed out"
)
"""As the kubelet writes it of a NAS that is off."""


class SimulatedTalos:
    """Implements TalosEyes: a machine config of either form."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def machine_config(self) -> TalosConfig:
        """Through the published port of Talos' API."""
        place, tower = "talosctl get machineconfig", self._tower
        await answer(tower, place, 0.3, 2.5)
        await get_in(tower, tower.machine.to_port(_TALOS), place, 2.5)
        if not tower.box.running or not tower.cluster.setup.talos_api:
            raise TargetIll(place, "connection refused")
        taints = not tower.cluster.node.schedulable_for_good
        if not tower.cluster.setup.documents:
            return talos_config([{"cluster": {"allowSchedulingOnControlPlanes": not taints}}])
        node = document(NODE, taints={CONTROL_PLANE_TAINT: "NoSchedule"} if taints else {})
        return talos_config([{"machine": {}}, node, document(API_SERVER)])


class SimulatedSetup:
    """Implements SetupEyes over the tower.

    By a chance of its own: a question now and then must not change which other answers get lost.
    """

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._cluster = SimulatedCluster(tower)
        self._chance = Random(0)  # noqa: S311  (a seeded world, not a secret)

    @property
    def _setup(self) -> Setup:
        return self._tower.cluster.setup

    async def _ask(self, place: str) -> None:
        await self._cluster.reach(place, self._chance)
        if self._tower.troubles.api_errors:
            raise WrongAnswer(place, "500: etcdserver: request timed out")

    async def addressing(self, namespace: str) -> Sequence[Addressing]:
        """Inngest's flag, and the worker's variable."""
        await self._ask("GET workloads")
        if namespace != "joelclaw":
            return ()
        worker = Place(namespace, "Deployment", "system-bus-worker", "system-bus-worker")
        inngest = Place(namespace, "StatefulSet", "inngest", "inngest")
        mentions = (Mention(worker, "INNGEST_BASE_URL"),) if self._setup.k3d_named else ()
        host, port = self._setup.worker_at
        return (
            Addressing(mentions),
            Addressing((), (Address(inngest, "--sdk-url", host, port),)),
        )

    async def has_service(self, namespace: str, name: str) -> bool:
        """Those of the workloads with a port, and the worker's, which has none on the Mac."""
        await self._ask("GET service")
        return any((one.namespace, one.name) == (namespace, name) for one in self._tower.workloads)

    async def pod_security(self, namespace: str) -> str | None:
        """By its label."""
        await self._ask("GET namespace")
        return self._setup.enforced.get(namespace)

    async def storage_classes(self) -> Sequence[StorageClass]:
        """Two of them."""
        await self._ask("GET storageclasses")
        return tuple(StorageClass(one, one in self._setup.default_classes) for one in _CLASSES)

    async def provisioner(self) -> Provisioner | None:
        """local-path-provisioner."""
        await self._ask("GET provisioner")
        found = self._tower.cluster.kubelet.named("local-path-provisioner")
        # A Deployment is found to be unavailable by a controller, which lives with the API.
        since = max(found.ready_since, self._tower.cluster.api.since)
        ill_for = 0.0 if found.ready else self._tower.clock.at - since
        tolerations = int(found.tolerates)
        return Provisioner(
            found.desired, int(found.ready), ill_for, tolerations, tolerates=found.tolerates
        )

    async def metrics(self) -> MetricsApi | None:
        """There, or not."""
        await self._ask("GET apiservice")
        return MetricsApi(available=True) if self._setup.metrics_server else None

    async def node_ports(self) -> str:
        """The flag of the static pod."""
        await self._ask("GET kube-apiserver")
        return self._setup.node_ports

    async def redis(self, port: int) -> RedisSettings:
        """Through the published port."""
        place, tower = f"redis 127.0.0.1:{port} CONFIG GET", self._tower
        await answer(tower, place, 0.01, 1.5, self._chance)
        await get_in(tower, tower.machine.to_port(port), place, 1.5)
        if not tower.box.running or not tower.cluster.kubelet.named(REDIS).ready:
            raise TargetIll(place, "Connection reset by peer")
        return self._setup.redis

    async def talos(self, port: int) -> None:
        """Through the published port: docker-proxy accepts for an apid that is dead."""
        place, tower = f"TLS 127.0.0.1:{port}", self._tower
        await answer(tower, place, 0.01, 2.5, self._chance)
        await get_in(tower, tower.machine.to_port(port), place, 2.5)
        if not tower.box.running or not self._setup.talos_api:
            raise TargetIll(place, "speaks no TLS, or broke the handshake off")

    async def flannel_network(self, daemonset: DaemonSet) -> FlannelNetwork:
        """Of a new or of an old Talos."""
        await self._ask(f"GET configmap of {daemonset.name}")
        nftables = self._tower.cluster.flannel.nftables
        image = "ghcr.io/siderolabs/flannel:v0.28.11" if nftables else "flannel:v0.27.4"
        return FlannelNetwork(image, "kube-flannel", nftables)

    async def last_words(self, pod: Pod, container: str) -> str:
        """Of its last run, once it has ended."""
        place = f"GET log of {pod.name}/{container}"
        await self._ask(place)
        found = self._workload(pod, place)
        if not found.restarts:
            raise TargetIll(place, "400: previous terminated container not found")
        return found.last_words

    async def mount_failures(self, pod: Pod) -> Sequence[Event]:
        """One, while its volume waits."""
        await self._ask("GET events")
        found = self._workload(pod, "GET events")
        if not found.mount_hangs:
            return ()
        at = self._tower.clock.wall()
        event = Event("event-mount", "FailedMount", _MOUNT, pod.uid, pod.name, pod.namespace, at)
        return (event,)

    def _workload(self, pod: Pod, place: str) -> Workload:
        for one in self._tower.workloads:
            if one.pod_uid == pod.uid:
                return one
        raise NotThere(place, f'pods "{pod.name}" not found')
