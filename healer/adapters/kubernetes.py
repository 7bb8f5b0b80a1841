"""The Kubernetes API: ports.ClusterEyes and ports.ClusterHands.

Raw JSON over kubernetes-asyncio's REST client, on its own Configuration. Reads are tried again
within their deadline; writes never are, since only a new look can say what they would do.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from healer.adapters import kubernetes_decode as decode
from healer.adapters.kubernetes_calls import MIB, Again, Answer, Expired, Json, Request, ask
from healer.adapters.kubernetes_connect import Connection, Connector
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
from healer.ports import ActFailed, CannotLook, Denied, NotThere, TargetIll, TargetSilent

T = TypeVar("T")
_LIST_BYTES: Final = 32 * MIB
_PAGE: Final = 500
_PAGES: Final = 100
_TRIES: Final = 3
_LONGEST_WAIT: Final = 1.0
_DAY: Final = 86_400.0
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
        self._connector = Connector(kubeconfig, names.container, port_of)
        self._connecting = anyio.Lock()

    async def close(self) -> None:
        """Let go of connections."""
        await self._connector.close()

    async def readiness(self) -> Readiness:
        """`/readyz`; a 5xx is an answer: it lives, and is not ready."""
        connection = await self._connection()
        request = Request("GET", "/readyz", accept=frozenset(range(500, 600)))
        answer = await self._send(connection, request)
        ends = connection.certificate_ends
        return Readiness(
            ready=answer.status < 400,  # noqa: PLR2004  (where HTTP's errors begin)
            port=connection.port,
            detail=answer.body[:200].decode("utf-8", "replace"),
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

    async def owner_exists(self, pod: Pod) -> bool:
        """By uid too: a controller of the same name may be another one."""
        if pod.owner is None or pod.owner.kind not in _WORKLOADS:
            return False
        path = _WORKLOADS[pod.owner.kind].format(pod.namespace, pod.owner.name)
        try:
            answer = await self._read(Request("GET", path))
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
        await self._write(Request("DELETE", path, body=body))
        return f"deleted {pod.namespace}/{pod.name} with {grace} s of grace"

    async def patch_livekit(self, deployment: Deployment, patch: Mapping[str, Any]) -> str:
        """On the very version that was read, so that the drift is the one that was judged."""
        metadata = {"resourceVersion": deployment.resource_version, "uid": deployment.uid}
        path = f"/apis/apps/v1/namespaces/{deployment.namespace}/deployments/{deployment.name}"
        await self._patch(path, {**patch, "metadata": metadata}, _MERGE)
        return f"patched {deployment.namespace}/{deployment.name}"

    async def _patch(self, path: str, body: Json, content_type: str) -> None:
        await self._write(Request("PATCH", path, _MANAGER, body, content_type, limit=4 * MIB))

    async def _write(self, request: Request) -> None:
        """Once; a server that fails it has refused it, as far as we may know."""
        try:
            await self._send(await self._connection(), request)
        except Denied:
            raise
        except (TargetIll, CannotLook, Expired) as error:
            raise ActFailed(error.place, error.detail) from error

    async def _one(self, path: str, read: Callable[[Json], T]) -> Listing[T]:
        """A single object as a listing of one, or of none."""
        request = Request("GET", path, limit=4 * MIB)
        try:
            answer = await self._read(request)
        except NotThere:
            return Listing((), (await self._read(Request("GET", "/version"))).server_time)
        raw = answer.json(request.place)
        return Listing(decode.decoded(read, (raw,), request.place), answer.server_time)

    async def _list(
        self, path: str, read: Callable[[Json], T], query: Mapping[str, str] | None = None
    ) -> Listing[T]:
        raw = await self._raw(path, query)
        return Listing(decode.decoded(read, raw.items, f"GET {path}"), raw.server_time)

    async def _raw(self, path: str, query: Mapping[str, str] | None = None) -> Listing[Json]:
        """All pages; one that has expired is begun anew, once."""
        try:
            return await self._pages(path, query or {})
        except Expired:
            try:
                return await self._pages(path, query or {})
            except Expired as error:
                raise TargetIll(error.place, error.detail) from error

    async def _pages(self, path: str, query: Mapping[str, str]) -> Listing[Json]:
        items: list[Json] = []
        token = ""
        for _ in range(_PAGES):
            asked = {**query, "limit": str(_PAGE), **({"continue": token} if token else {})}
            request = Request("GET", path, asked, limit=_LIST_BYTES)
            answer = await self._read(request)
            page = answer.json(request.place)
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise TargetIll(request.place, "answered something that is no list")
            items += page["items"]
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return Listing(tuple(items), answer.server_time)
        raise TargetIll(f"GET {path}", f"more than {_PAGES} pages of {_PAGE}")

    async def _read(self, request: Request) -> Answer:
        """A few tries, for what may pass in a moment."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=_wait,
            retry=retry_if_exception_type(Again),
            sleep=anyio.sleep,
            reraise=True,
        )
        try:
            with anyio.fail_after(2 * self._deadline):
                answer: Answer = await retrying(self._read_once, request)
        except TimeoutError as error:
            detail = f"no answer within {2 * self._deadline:g} s"
            raise TargetSilent(request.place, detail) from error
        return answer

    async def _read_once(self, request: Request) -> Answer:
        return await self._send(await self._connection(), request)

    async def _send(self, connection: Connection, request: Request) -> Answer:
        try:
            return await ask(connection.client, connection.host, request, self._deadline)
        except (Denied, CannotLook):
            await self._connector.doubt()
            raise

    async def _connection(self) -> Connection:
        async with self._connecting:
            return await self._connector.connection(self._deadline)


def _wait(state: RetryCallState) -> float:
    """What the server asked for, else a jittered exponential; never long within a look."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, Again) else 0.0
    drawn = wait_random_exponential(multiplier=0.1, max=_LONGEST_WAIT)(state)
    return min(max(asked, drawn), _LONGEST_WAIT)
