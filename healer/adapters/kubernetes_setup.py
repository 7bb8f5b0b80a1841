"""How the cluster was set up: ports.SetupEyes, by small questions to the API and to two ports."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from healer.adapters import kubernetes_setup_decode as decode
from healer.adapters.kubernetes_calls import MIB, Json, Request
from healer.adapters.kubernetes_decode import decoded, event
from healer.adapters.kubernetes_session import Session
from healer.adapters.redis_settings import redis_settings
from healer.adapters.serving_certificate import shown_by
from healer.model.cluster import DaemonSet, Event, Pod
from healer.model.flannel import FlannelNetwork
from healer.model.named_illness import MOUNT_REASONS
from healer.model.setup import (
    Addressing,
    MetricsApi,
    Provisioner,
    RedisSettings,
    StorageClass,
    addressing,
    node_port_range,
)
from healer.model.setup_verdicts import ENFORCE, PROVISIONER
from healer.ports import NotThere, PortError

T = TypeVar("T")
_KINDS: Final = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
_LOG_BYTES: Final = 64 * 1024
_LOG_LINES: Final = 50
_TALOS_SECONDS: Final = 2.5


class KubernetesSetup:
    """Everything of one cluster; `container` is its node's name too."""

    def __init__(self, session: Session, container: str) -> None:
        self._session = session
        self._container = container

    async def addressing(self, namespace: str) -> Sequence[Addressing]:
        """Two lists; of their variables only what `Addressing` says goes on from here."""
        found: list[Addressing] = []
        for kind, plural in _KINDS.items():
            path = f"/apis/apps/v1/namespaces/{namespace}/{plural}"
            listed = await self._session.list(path, _addressing_of(kind))
            found += listed.items
        return tuple(found)

    async def has_service(self, namespace: str, name: str) -> bool:
        """By the object itself."""
        path = f"/api/v1/namespaces/{namespace}/services/{name}"
        return await self._one(path, lambda _raw, _now: True) is not None

    async def pod_security(self, namespace: str) -> str | None:
        """The label of the Namespace."""

        def label(raw: Json) -> str:
            return str((raw["metadata"].get("labels") or {}).get(ENFORCE) or "")

        return await self._one(f"/api/v1/namespaces/{namespace}", lambda raw, _: label(raw))

    async def storage_classes(self) -> Sequence[StorageClass]:
        """All of them."""
        path = "/apis/storage.k8s.io/v1/storageclasses"
        return (await self._session.list(path, decode.storage_class)).items

    async def provisioner(self) -> Provisioner | None:
        """The Deployment."""
        namespace, name = PROVISIONER
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        return await self._one(path, decode.provisioner)

    async def metrics(self) -> MetricsApi | None:
        """The APIService."""
        path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
        return await self._one(path, decode.metrics)

    async def node_ports(self) -> str:
        """By the mirror of the API server's static pod; without one this cannot be looked at."""
        path = f"/api/v1/namespaces/kube-system/pods/kube-apiserver-{self._container}"
        found = await self._one(path, lambda raw, _: node_port_range(raw))
        if found is None:
            raise NotThere(f"GET {path}", "no such pod")
        return found

    async def redis(self, port: int) -> RedisSettings:
        """Over its published port."""
        return await redis_settings(port)

    async def talos(self, port: int) -> None:
        """Its certificate is what a handshake shows before a client is asked for one."""
        await shown_by("127.0.0.1", port, _TALOS_SECONDS)

    async def flannel_network(self, daemonset: DaemonSet) -> FlannelNetwork:
        """By the pod template of its DaemonSet, and the ConfigMap that it mounts."""
        path = f"/apis/apps/v1/namespaces/{daemonset.namespace}/daemonsets/{daemonset.name}"
        found = await self._one(path, lambda raw, _: decode.flannel_parts(raw))
        if found is None:
            raise NotThere(f"GET {path}", "no such DaemonSet")
        path = f"/api/v1/namespaces/{daemonset.namespace}/configmaps/{found.config_map}"
        nftables = await self._one(path, lambda raw, _: decode.flannel_nftables(raw))
        if nftables is None:
            raise NotThere(f"GET {path}", "no such ConfigMap")
        return FlannelNetwork(found.image, found.container, nftables)

    async def last_words(self, pod: Pod, container: str) -> str:
        """Of the run before; of the last one while no new one was tried."""
        try:
            return await self._log(pod, container, previous=True)
        except PortError:
            return await self._log(pod, container, previous=False)

    async def mount_failures(self, pod: Pod) -> Sequence[Event]:
        """Its own Warnings alone."""
        query = {"fieldSelector": f"involvedObject.uid={pod.uid},type=Warning"}
        path = f"/api/v1/namespaces/{pod.namespace}/events"
        found = await self._session.list(path, event, query)
        return tuple(one for one in found.items if one.reason in MOUNT_REASONS)

    async def _log(self, pod: Pod, container: str, *, previous: bool) -> str:
        query = {
            "container": container,
            "previous": "true" if previous else "false",
            "tailLines": str(_LOG_LINES),
            "limitBytes": str(_LOG_BYTES),
        }
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}/log"
        answer = await self._session.read(Request("GET", path, query, limit=2 * _LOG_BYTES))
        return answer.body.decode("utf-8", "replace")

    async def _one(self, path: str, read: Callable[[Json, float], T]) -> T | None:
        """One object and the server's time as `read` takes them; None when it is not there."""
        request = Request("GET", path, limit=2 * MIB)
        try:
            answer = await self._session.read(request)
        except NotThere:
            return None
        raw, now = answer.json(request.place), answer.server_time
        (found,) = decoded(lambda one: read(one, now), (raw,), request.place)
        return found


def _addressing_of(kind: str) -> Callable[[Json], Addressing]:
    return lambda raw: addressing(kind, raw)
