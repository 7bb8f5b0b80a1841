"""One Service of the cluster, read and patched on a human's request (`healer ports fix`)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from healer.adapters.kubernetes_calls import MIB, Json, Request
from healer.adapters.kubernetes_connect import Connector
from healer.adapters.kubernetes_session import Session
from healer.ports import TargetIll

_MERGE: Final = "application/strategic-merge-patch+json"
_MANAGER: Final = {"fieldManager": "healer"}


@dataclass(frozen=True, slots=True)
class ServiceVersion:
    """The very Service that was read."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    node_ports: tuple[tuple[int, int], ...]
    """Port and NodePort (0 = none) of each."""


class ServicePatches:
    """Reads and patches; deadlines in seconds. Raises the errors of healer.ports."""

    def __init__(
        self,
        kubeconfig: Path,
        node: str,
        port_of: Callable[[], Awaitable[int | None]],
        *,
        deadline: float = 5.0,
    ) -> None:
        self._connector = Connector(kubeconfig, node, port_of, deadline)
        self._session = Session(self._connector, deadline)

    async def close(self) -> None:
        """Let go of connections."""
        await self._connector.close()

    async def read(self, namespace: str, name: str) -> ServiceVersion:
        """As it is now. Raises NotThere, TargetIll."""
        request = Request("GET", _path(namespace, name), limit=4 * MIB)
        answer = await self._session.read(request)
        raw = answer.json(request.place)
        try:
            return _version(raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"a Service that makes no sense: {error!r}"
            raise TargetIll(request.place, detail) from error

    async def patch(self, seen: ServiceVersion, patch: Mapping[str, object]) -> str:
        """On the very version that was read. Raises Conflict, NotThere, ActFailed."""
        metadata = {"resourceVersion": seen.resource_version, "uid": seen.uid}
        body = {**patch, "metadata": metadata}
        path = _path(seen.namespace, seen.name)
        await self._session.write(Request("PATCH", path, _MANAGER, body, _MERGE, limit=4 * MIB))
        return f"patched {seen.namespace}/{seen.name}"


def _path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/services/{name}"


def _version(raw: Json) -> ServiceVersion:
    metadata, spec = raw["metadata"], raw["spec"]
    ports = ((int(one["port"]), int(one.get("nodePort") or 0)) for one in spec.get("ports") or ())
    return ServiceVersion(
        str(metadata["namespace"]),
        str(metadata["name"]),
        str(metadata["uid"]),
        str(metadata["resourceVersion"]),
        tuple(ports),
    )
