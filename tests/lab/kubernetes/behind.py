"""A real API server's objects behind healer's back, and the recorded cluster in it."""

from __future__ import annotations

import http
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from healer.adapters.kubernetes import KubernetesCluster, Names
from tests.apiserver.store import RESOURCES
from tests.contracts.cluster_served import ServedWorld, objects, seed
from tests.lab.kubernetes.api import MERGE_PATCH, Answer, ApiDoor
from tests.lab.kubernetes.node import NAME, NodeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.lab.kubernetes.apiserver import ApiServer

Json = dict[str, Any]

_WITH_STATUS = {"Node", "DaemonSet", "Deployment"}
"""Whose status the checks look at; without controllers nobody else writes it."""
_CREATED = {http.HTTPStatus.OK, http.HTTPStatus.CREATED}


@dataclass(frozen=True, slots=True)
class BehindTheDoor:
    """A real API server's objects, through the raw door, which blocks."""

    door: ApiDoor

    async def get(self, kind: str, namespace: str, name: str) -> Json:
        """An object as it is now."""
        found: Json = (await self._ask("GET", path_of(kind, namespace, name))).body
        return found

    async def put(self, kind: str, raw: Json) -> Json:
        """Create an object, and then its status, which a create leaves out."""
        resource, metadata = RESOURCES[kind], raw["metadata"]
        namespace = metadata.get("namespace", "")
        whole = {**raw, "apiVersion": resource.api_version, "kind": kind}
        created: Json = (await self._ask("POST", path_of(kind, namespace, ""), whole)).body
        if kind in _WITH_STATUS:
            path = f"{path_of(kind, namespace, metadata['name'])}/status"
            await self._ask("PATCH", path, {"status": raw["status"]}, MERGE_PATCH)
        return created

    async def replace(self, kind: str, raw: Json) -> None:
        """Write an object that is there."""
        metadata = raw["metadata"]
        await self._ask("PUT", path_of(kind, metadata.get("namespace", ""), metadata["name"]), raw)

    async def merge(self, of: tuple[str, str, str], patch: Json, part: str = "") -> None:
        """Merge a patch into an object, or into a part of it such as `/status`."""
        await self._ask("PATCH", path_of(*of) + part, patch, MERGE_PATCH)

    async def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away at once, if it is there."""
        path = path_of(kind, namespace, name)
        await self._ask("DELETE", path, {"gracePeriodSeconds": 0}, may_lack=True)

    async def clear(self) -> None:
        """Leave nothing of the recorded cluster."""
        for kind, raw in objects():
            metadata = raw["metadata"]
            await self.remove(kind, metadata.get("namespace", ""), metadata["name"])

    async def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        *,
        may_lack: bool = False,
    ) -> Answer:
        def send() -> Answer:
            headers = {"Content-Type": content_type}
            return self.door.request(method, path, body=body, headers=headers)

        answer = await to_thread.run_sync(send)
        if answer.status in _CREATED or (may_lack and answer.status == http.HTTPStatus.NOT_FOUND):
            return answer
        raise NodeError(f"{method} {path}: {answer.status} {answer.body}")


def path_of(kind: str, namespace: str, name: str) -> str:
    """Where an object is, or with an empty name its collection."""
    resource = RESOURCES[kind]
    where = f"/namespaces/{namespace}" if namespace else ""
    return f"{resource.root}{where}/{resource.plural}" + (f"/{name}" if name else "")


@asynccontextmanager
async def seeded(api_server: ApiServer) -> AsyncIterator[ServedWorld]:
    """The adapter before the real server, with the recorded cluster in it."""
    behind = BehindTheDoor(api_server.api)
    for name in ("joelclaw", "local-path-storage", "kube-system"):
        await ensure_namespace(api_server.api, name)
    await behind.clear()
    await seed(behind)

    async def port() -> int | None:
        return api_server.port

    cluster = KubernetesCluster(api_server.kubeconfig, Names(NAME), port, deadline=20.0)
    try:
        yield ServedWorld(cluster, behind)
    finally:
        await cluster.close()
        await behind.clear()


async def ensure_namespace(door: ApiDoor, name: str) -> None:
    """Create it unless it is there."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    answer = await to_thread.run_sync(lambda: door.request("POST", "/api/v1/namespaces", body=body))
    if answer.status not in {*_CREATED, http.HTTPStatus.CONFLICT}:
        raise NodeError(f"namespace {name}: {answer.status} {answer.body}")
