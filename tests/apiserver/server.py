"""The tests' own API server: real TLS, real HTTP, objects in memory, faults on demand."""

import json
import ssl
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web

from tests.apiserver import patches
from tests.apiserver.deleting import delete
from tests.apiserver.faults import Fault
from tests.apiserver.kubeconfig import Entry, write_kubeconfig
from tests.apiserver.listing import listed
from tests.apiserver.statuses import PAGE_NOT_FOUND, RefusedError, stale
from tests.apiserver.store import RESOURCES, Key, Resource, Store
from tests.apiserver.watching import watched
from tests.lab.kubernetes.machineconfig import Authority

Json = dict[str, Any]

_PATCHES: Final[Mapping[str, Callable[[Json, Any], Json]]] = {
    "application/json-patch+json": patches.json_patch,
    "application/merge-patch+json": patches.merge,
    "application/strategic-merge-patch+json": patches.strategic_merge,
}
_NOT_READY: Final = "[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def line(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


@dataclass(slots=True)
class _Set:
    """A fault, and for how many more requests of which path it lasts."""

    fault: Fault
    path: str
    left: int
    watches: bool


@dataclass(slots=True)
class ApiServer:
    """An API server on a free port of 127.0.0.1: `async with ApiServer() as api`."""

    authority: Authority = field(default_factory=Authority.create)
    store: Store = field(default_factory=Store)
    port: int = 0
    ready: bool = True
    time: float | None = None
    """The Date of its answers in epoch seconds; None = the true one."""
    requests: list[Asked] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    """By pod name: what the run before the last end said."""
    _faults: list[_Set] = field(default_factory=list)
    _runner: web.ServerRunner | None = None

    async def __aenter__(self) -> Self:
        """Listen."""
        server = web.Server(self._serve, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls())
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def stop(self) -> None:
        """Close the port and every connection, whoever still waits for an answer."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def put(self, kind: str, raw: Json) -> Json:
        """Create or replace an object behind everybody's back; returns it as stored."""
        return self.store.put(kind, raw)

    def get(self, kind: str, namespace: str, name: str) -> Json:
        """An object as it is now. Raises RefusedError when it is not there."""
        return self.store.get(Key(kind, namespace, name))

    def first_page(self, kind: str, limit: int = 500) -> Json:
        """What a list in pages begins with."""
        return listed(self.store, kind, "", {"limit": str(limit)})

    def fault(
        self, fault: Fault, *, times: int = 1_000_000, path: str = "", watches: bool = False
    ) -> None:
        """Let that many requests whose path begins so be answered by the fault.

        `watches`: only those that watch.
        """
        self._faults.append(_Set(fault, path, times, watches))

    def mend(self) -> None:
        """Take all faults back."""
        self._faults.clear()

    def entry(self, context: str = "admin@joelclaw", port: int | None = None) -> Entry:
        """What a kubeconfig says of this server."""
        return Entry(context, self.authority, self.port if port is None else port)

    def kubeconfig(
        self, path: Path, *, port: int | None = None, context: str = "admin@joelclaw"
    ) -> Path:
        """Write a kubeconfig with this server alone; `port` may be one where it is not."""
        write_kubeconfig(path, self.entry(context, port))
        return path

    def asked(self, method: str = "GET") -> list[str]:
        """Paths of the requests of a method, in order."""
        return [one.path for one in self.requests if one.method == method]

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = self.authority.issue_serving("127.0.0.1")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "server.pem")
            path.touch(mode=0o600)
            path.write_text(certificate + key, encoding="utf-8")
            context.load_cert_chain(path)
        context.load_verify_locations(cadata=self.authority.pem())
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append(await _asked(request))
        found = self._due(request)
        if found is not None:
            return await found(request)
        try:
            response = await self._answer(request, self.requests[-1])
        except RefusedError as refused:
            response = web.json_response(refused.body, status=refused.code)
        if self.time is not None and not response.prepared:
            response.headers["Date"] = formatdate(self.time, usegmt=True)
        return response

    def _due(self, request: web.BaseRequest) -> Fault | None:
        for one in self._faults:
            asked = not one.watches or "watch" in request.query
            if one.left and asked and request.path.startswith(one.path):
                one.left -= 1
                return one.fault
        return None

    async def _answer(self, request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
        if request.transport is None or not request.transport.get_extra_info("peercert"):
            raise RefusedError(401, "Unauthorized", "Unauthorized")
        if asked.path == "/readyz":
            return (
                web.Response(text="ok") if self.ready else web.Response(text=_NOT_READY, status=500)
            )
        if asked.path == "/version":
            return web.json_response({"major": "1", "minor": "35", "gitVersion": "v1.35.0"})
        if asked.path.endswith("/log"):
            return self._log(asked)
        where = _where(asked.path)
        if where is None:
            return web.Response(text=PAGE_NOT_FOUND, status=404)
        if asked.query.get("watch") in {"1", "true"}:
            return await watched(self.store, where[0].kind, where[1], asked.query, request)
        return web.json_response(self._do(asked, *where))

    def _log(self, asked: Asked) -> web.Response:
        """As the kubelet tells it by way of the server: text, and 400 without a run before."""
        name = asked.path.split("/")[-2]
        if asked.query.get("previous") != "true":
            return web.Response(text="")
        if name not in self.logs:
            words = f'previous terminated container "{asked.query["container"]}" not found'
            raise RefusedError(400, "BadRequest", words)
        lines = self.logs[name].splitlines(keepends=True)[-int(asked.query["tailLines"]) :]
        return web.Response(text="".join(lines)[: int(asked.query["limitBytes"])])

    def _do(self, asked: Asked, resource: Resource, namespace: str, name: str) -> Json:
        key = Key(resource.kind, namespace, name)
        if not name:
            return listed(self.store, resource.kind, namespace, asked.query)
        if asked.method == "DELETE":
            return delete(self.store, key, asked.body or {}, asked.query)
        if asked.method == "PATCH":
            return self._patch(key, asked)
        return self.store.get(key)

    def _patch(self, key: Key, asked: Asked) -> Json:
        resource, found = RESOURCES[key.kind], self.store.get(key)
        patched = _PATCHES[asked.headers["Content-Type"]](found, asked.body)
        if patched["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            raise stale(resource.plural, key.name, resource.group)
        patched = patches.admitted(key, patched)
        if "generation" in found["metadata"] and patched["spec"] != found["spec"]:
            patched["metadata"]["generation"] += 1
        return self.store.write(key, patched)


async def _asked(request: web.BaseRequest) -> Asked:
    text = await request.text()
    body = None
    with suppress(ValueError):
        body = json.loads(text) if text else None
    return Asked(request.method, request.path, dict(request.query), dict(request.headers), body)


def _where(path: str) -> tuple[Resource, str, str] | None:
    """Resource, namespace and name of a path; both may be ''."""
    for one in RESOURCES.values():
        if not path.startswith(f"{one.root}/"):
            continue
        parts = path.removeprefix(f"{one.root}/").split("/")
        namespace = ""
        if parts[0] == "namespaces" and len(parts) > 2:
            namespace, parts = parts[1], parts[2:]
        if parts[0] == one.plural and len(parts) <= 2:
            return one, namespace, "".join(parts[1:])
    return None
