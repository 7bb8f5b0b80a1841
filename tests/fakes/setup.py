"""A set-up that is told as a test gave it."""

from collections.abc import Sequence

from healer.model.cluster import DaemonSet, Event, Pod
from healer.model.flannel import FlannelNetwork
from healer.model.setup import (
    Addressing,
    MetricsApi,
    Provisioner,
    RedisSettings,
    StorageClass,
)
from tests.fakes.faulty import Faulty


class FakeSetup(Faulty):
    """Implements SetupEyes; as it is made, everything is as it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.said: tuple[Addressing, ...] = ()
        self.services: frozenset[tuple[str, str]] = frozenset()
        self.enforced: str | None = "privileged"
        self.classes: tuple[StorageClass, ...] = (StorageClass("local-path", default=True),)
        self.made: Provisioner | None = Provisioner(1, 1, 0.0, 1, tolerates=True)
        self.served: MetricsApi | None = MetricsApi(available=True)
        self.range = "1-65535"
        self.kept = RedisSettings("yes", "3600 1", "noeviction", 0)
        self.network = FlannelNetwork("flannel:v0.28.11", "kube-flannel", nftables=True)
        self.log = ""
        self.events: tuple[Event, ...] = ()

    async def addressing(self, namespace: str) -> Sequence[Addressing]:
        """As given."""
        await self.meet(f"addressing {namespace}")
        return self.said

    async def has_service(self, namespace: str, name: str) -> bool:
        """As given."""
        await self.meet(f"has_service {namespace}/{name}")
        return (namespace, name) in self.services

    async def pod_security(self, namespace: str) -> str | None:
        """As given."""
        await self.meet(f"pod_security {namespace}")
        return self.enforced

    async def storage_classes(self) -> Sequence[StorageClass]:
        """As given."""
        await self.meet("storage_classes")
        return self.classes

    async def provisioner(self) -> Provisioner | None:
        """As given."""
        await self.meet("provisioner")
        return self.made

    async def metrics(self) -> MetricsApi | None:
        """As given."""
        await self.meet("metrics")
        return self.served

    async def node_ports(self) -> str:
        """As given."""
        await self.meet("node_ports")
        return self.range

    async def redis(self, port: int) -> RedisSettings:
        """As given."""
        await self.meet(f"redis {port}")
        return self.kept

    async def talos(self, port: int) -> None:
        """Speaks TLS."""
        await self.meet(f"talos {port}")

    async def flannel_network(self, daemonset: DaemonSet) -> FlannelNetwork:
        """As given."""
        await self.meet(f"flannel_network {daemonset.name}")
        return self.network

    async def last_words(self, pod: Pod, container: str) -> str:
        """As given."""
        await self.meet(f"last_words {pod.name}/{container}")
        return self.log

    async def mount_failures(self, pod: Pod) -> Sequence[Event]:
        """As given."""
        await self.meet(f"mount_failures {pod.name}")
        return self.events
