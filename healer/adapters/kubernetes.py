"""The Kubernetes API: ports.ClusterEyes and ports.ClusterHands.

Raw JSON over kubernetes-asyncio's REST client, on its own Configuration; how requests travel
is `kubernetes_session.py`'s business.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio

from healer.adapters import kubernetes_decode as decode
from healer.adapters.exchange import HttpAnswer
from healer.adapters.kubernetes_calls import MIB, Answer, Json, Request, ask, message_of
from healer.adapters.kubernetes_connect import Connector
from healer.adapters.kubernetes_digests import Digests
from healer.adapters.kubernetes_session import Session
from healer.adapters.kubernetes_setup import KubernetesSetup
from healer.adapters.kubernetes_subjects import ALL_PODS, subjects_of
from healer.adapters.kubernetes_watch import Keeper, KubernetesWatch, Subject
from healer.adapters.pod_store import PodStore
from healer.adapters.watched_cluster import Watched, WatchedCluster
from healer.model.cluster import (
    CONTROL_PLANE_TAINT,
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.model.published import PublishedService
from healer.ports import Clock, NotThere, TargetIll, TargetSilent

T = TypeVar("T")
_DAY: Final = 86_400.0
_NOT_FOUND: Final = 404
_OK: Final = 200
_UNAVAILABLE: Final = 503
_UNREACHED: Final = re.compile("error trying to reach service|no endpoints available for service")
"""The API server's own words (k8s.io/apiserver, proxy of services), not the pod's."""
_SAID: Final = 300
"""Characters of an answer that are worth repeating."""
_MANAGER: Final = {"fieldManager": "healer"}
_JSON_PATCH: Final = "application/json-patch+json"
_MERGE: Final = "application/strategic-merge-patch+json"
_WORKLOADS: Final = {
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets/{}",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets/{}",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets/{}",
    "Job": "/apis/batch/v1/namespaces/{}/jobs/{}",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the objects that healer watches are called."""

    container: str
    """The node has the container's name."""
    flannel: tuple[str, str] = ("kube-system", "kube-flannel")
    livekit: tuple[str, str] = ("joelclaw", "livekit-server")


class KubernetesCluster:
    """The cluster in the Talos container; deadlines in seconds."""

    def __init__(
        self,
        kubeconfig: Path,
        names: Names,
        port_of: Callable[[], Awaitable[int | None]],
        *,
        deadline: float = 5.0,
    ) -> None:
        self._names = names
        self._deadline = deadline
        self._connector = Connector(kubeconfig, names.container, port_of, deadline)
        self._session = Session(self._connector, deadline)

    async def close(self) -> None:
        """Let go of connections."""
        await self._connector.close()

    def setup(self) -> KubernetesSetup:
        """Eyes for how it was set up, over the same connections."""
        return KubernetesSetup(self._session, self._names.container)

    def watched(self, clock: Clock) -> Watched:
        """Eyes for a daemon's probes, and its news, each on a connection of its own."""
        store = PodStore(self._session, clock)
        names = self._names
        keepers: list[tuple[Subject, Keeper]] = [(ALL_PODS, store)]
        for subject, digest in subjects_of(names.container, names.flannel, names.livekit):
            keepers.append((subject, Digests(self._session, subject, digest)))
        return Watched(
            WatchedCluster(self, store),
            tuple(KubernetesWatch(self._connector, *one, clock) for one in keepers),
        )

    async def readiness(self) -> Readiness:
        """`/readyz`, once; 429 and a 5xx are answers: it lives, and is not ready."""
        request = Request("GET", "/readyz", accept=frozenset({429, *range(500, 600)}))
        try:
            with anyio.fail_after(self._deadline):
                return await self._readiness(request)
        except TimeoutError as error:
            detail = f"no answer within {self._deadline:g} s"
            raise TargetSilent(request.place, detail) from error

    async def _readiness(self, request: Request) -> Readiness:
        async with self._connector.lend() as connection:
            answer = await ask(connection.client, connection.host, request, self._deadline)
        ends = connection.certificate_ends
        return Readiness(
            ready=answer.status == _OK and answer.body.strip() == b"ok",
            port=connection.port,
            detail=_said(answer),
            certificate_days=None if ends is None else (ends - answer.server_time) / _DAY,
            kubeconfig_port=connection.context.port,
        )

    async def node(self) -> Listing[Node]:
        """The one node."""
        return await self._one(f"/api/v1/nodes/{self._names.container}", decode.node)

    async def pods(self) -> Listing[Pod]:
        """All pods, in pages."""
        return await self._list("/api/v1/pods", decode.pod)

    async def warnings(self) -> Listing[Event]:
        """Warnings of sandboxes that could not be made."""
        fields = {"fieldSelector": "type=Warning,reason=FailedCreatePodSandBox"}
        return await self._list("/api/v1/events", decode.event, fields)

    async def flannel(self) -> Listing[DaemonSet]:
        """The flannel DaemonSet."""
        namespace, name = self._names.flannel
        path = f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}"
        return await self._one(path, decode.daemonset)

    async def livekit(self) -> Listing[Deployment]:
        """The LiveKit Deployment."""
        namespace, name = self._names.livekit
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        return await self._one(path, decode.deployment)

    async def services(self) -> Listing[ServicePort]:
        """NodePorts joined with their endpoints and workloads."""
        services = await self._raw("/api/v1/services")
        slices = await self._raw("/apis/discovery.k8s.io/v1/endpointslices")
        deployments = await self._raw("/apis/apps/v1/deployments")
        stateful = await self._raw("/apis/apps/v1/statefulsets")
        workloads = (*deployments.items, *stateful.items)
        try:
            ports = decode.service_ports(services.items, slices.items, workloads)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"an object that makes no sense: {error!r}"
            raise TargetIll("GET /api/v1/services", detail) from error
        return Listing(ports, services.server_time)

    async def ask_service(self, service: PublishedService, port: int) -> HttpAnswer:
        """What the pod behind a port of a Service answers the API server to a GET, once.

        Raises TargetIll in the server's words when it cannot reach a pod.
        """
        path = f"/api/v1/namespaces/{service.namespace}/services/{service.name}:{port}/proxy"
        request = Request("GET", f"{path}{service.path or '/'}", accept=frozenset(range(400, 600)))
        async with self._connector.lend() as connection:
            answer = await ask(connection.client, connection.host, request, self._deadline)
        said = answer.body.decode("utf-8", "replace")
        if answer.status == _UNAVAILABLE and _UNREACHED.search(said):
            raise TargetIll(request.place, message_of(answer.body))
        return HttpAnswer(answer.status, answer.body)

    async def owner_exists(self, pod: Pod) -> bool:
        """By uid too: a controller of the same name may be another one."""
        if pod.owner is None or pod.owner.kind not in _WORKLOADS:
            return False
        path = _WORKLOADS[pod.owner.kind].format(pod.namespace, pod.owner.name)
        try:
            answer = await self._session.read(Request("GET", path))
        except NotThere:
            return False
        metadata = answer.json(path).get("metadata") or {}
        return bool(metadata.get("uid") == pod.owner.uid)

    async def untaint(self, node: Node, index: int) -> str:
        """The tests hold at write time, on the newest object (facts/talos-kubernetes.md §2)."""
        place = f"/spec/taints/{index}"
        await self._patch(
            f"/api/v1/nodes/{node.name}",
            [
                {"op": "test", "path": "/metadata/uid", "value": node.uid},
                {"op": "test", "path": f"{place}/key", "value": CONTROL_PLANE_TAINT},
                {"op": "test", "path": f"{place}/effect", "value": "NoSchedule"},
                {"op": "remove", "path": place},
            ],
            _JSON_PATCH,
        )
        return f"removed the taint {CONTROL_PLANE_TAINT}:NoSchedule from {node.name}"

    async def uncordon(self, node: Node) -> str:
        """Only while Talos' own mark is still there; the annotation itself is never written."""
        await self._patch(
            f"/api/v1/nodes/{node.name}",
            [
                {"op": "test", "path": "/metadata/uid", "value": node.uid},
                {
                    "op": "test",
                    "path": "/metadata/annotations/talos.dev~1cordoned",
                    "value": "true",
                },
                {"op": "test", "path": "/spec/unschedulable", "value": True},
                {"op": "replace", "path": "/spec/unschedulable", "value": False},
            ],
            _JSON_PATCH,
        )
        return f"uncordoned {node.name}"

    async def delete_pod(self, pod: Pod, *, grace: int) -> str:
        """Everything in the body: with one, the server does not read the query (§4)."""
        body = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": grace,
            "preconditions": {"uid": pod.uid, "resourceVersion": pod.resource_version},
        }
        path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
        await self._session.write(Request("DELETE", path, body=body))
        return f"deleted {pod.namespace}/{pod.name} with {grace} s of grace"

    async def patch_livekit(self, deployment: Deployment, patch: Mapping[str, Any]) -> str:
        """On the very version that was read, so that the drift is the one that was judged."""
        metadata = {"resourceVersion": deployment.resource_version, "uid": deployment.uid}
        path = f"/apis/apps/v1/namespaces/{deployment.namespace}/deployments/{deployment.name}"
        await self._patch(path, {**patch, "metadata": metadata}, _MERGE)
        return f"patched {deployment.namespace}/{deployment.name}"

    async def _patch(self, path: str, body: Json, content_type: str) -> None:
        await self._session.write(
            Request("PATCH", path, _MANAGER, body, content_type, limit=4 * MIB)
        )

    async def _one(self, path: str, read: Callable[[Json], T]) -> Listing[T]:
        """A single object as a listing of one, or of none; a 404 has its Date, too."""
        request = Request("GET", path, limit=4 * MIB, accept=frozenset({_NOT_FOUND}))
        answer = await self._session.read(request)
        if answer.status == _NOT_FOUND:
            return Listing((), answer.server_time)
        raw = answer.json(request.place)
        return Listing(decode.decoded(read, (raw,), request.place), answer.server_time)

    async def _raw(self, path: str) -> Listing[Json]:
        return await self._list(path, decode.as_it_is)

    async def _list(
        self, path: str, read: Callable[[Json], T], query: Mapping[str, str] | None = None
    ) -> Listing[T]:
        found = await self._session.list(path, read, query)
        return Listing(found.items, found.server_time)


def _said(answer: Answer) -> str:
    """The checks of `/readyz` that failed, else the beginning of what it said."""
    text = answer.body.decode("utf-8", "replace")
    failed = [line for line in text.splitlines() if line.startswith("[-]")]
    return ("; ".join(failed) or text)[:_SAID]
