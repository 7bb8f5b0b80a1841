"""Watches against an API server with real TLS, and with its faults."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web

from healer.adapters.kubernetes_calls import LONGEST_LINE
from healer.core.tower import Layer
from healer.ports import Clock, Denied, PortError, TargetIll
from tests.apiserver import faults
from tests.apiserver.faults import Fault, refusing
from tests.apiserver.server import ApiServer
from tests.cluster_objects import NODE, pod_json, running
from tests.fakes.clock import FakeClock
from tests.patience import PATIENCE
from tests.unit.adapters.kubernetes_door import door

Json = dict[str, Any]
NODES = "/api/v1/nodes"
SERVER = Layer.APISERVER


@dataclass
class Woken:
    """Counts who was woken, and lets a test wait for the next time."""

    times: int = 0
    layers: set[Layer] = field(default_factory=set)
    bell: anyio.Event = field(default_factory=anyio.Event)

    def __call__(self, layers: frozenset[Layer]) -> None:
        """Woken."""
        self.times += 1
        self.layers |= layers
        self.bell.set()

    async def next(self) -> None:
        """Wait for it."""
        with anyio.fail_after(PATIENCE):
            await self.bell.wait()
        self.bell = anyio.Event()


@asynccontextmanager
async def watching(
    api: ApiServer, folder: Path, path: str, clock: Clock | None = None
) -> AsyncIterator[Woken]:
    """A watch of that path that has connected and waits for changes."""
    async with (
        door(api.kubeconfig(folder / "kubeconfig"), api.port) as cluster,
        anyio.create_task_group() as tasks,
    ):
        news = cluster.watched(clock or FakeClock()).news
        (watch,) = [one for one in news if path in one.name]
        woken = Woken()
        tasks.start_soon(watch.listen, woken)
        await woken.next()
        yield woken
        tasks.cancel_scope.cancel()


def edited(api: ApiServer, edit: Callable[[Json], None]) -> None:
    """Change the node."""
    node = api.get("Node", "", NODE)
    edit(node)
    api.put("Node", node)


async def listened(api: ApiServer, folder: Path, path: str = NODES) -> None:
    """Listen until it ends."""
    async with door(api.kubeconfig(folder / "kubeconfig"), api.port) as cluster:
        (watch,) = [one for one in cluster.watched(FakeClock()).news if path in one.name]
        with anyio.fail_after(PATIENCE):
            await watch.listen(Woken())


async def test_a_taint_wakes_the_node(api: ApiServer, tmp_path: Path) -> None:
    """Each change of what the probe reads is news, once."""
    async with watching(api, tmp_path, NODES) as woken:
        woken.layers.clear()
        edited(api, lambda node: node["spec"].update(taints=[]))
        await woken.next()

        assert {Layer.NODE, Layer.TALOS} == woken.layers


async def test_a_link_to_the_nodes_tells_of_the_server_too(api: ApiServer, tmp_path: Path) -> None:
    """When it comes and when it ends the API server itself is looked at (keep_listening)."""
    async with (
        door(api.kubeconfig(tmp_path / "other"), api.port) as cluster,
        watching(api, tmp_path, NODES) as woken,
    ):
        links = [one.name for one in cluster.watched(FakeClock()).news if SERVER in one.layers]

        assert SERVER in woken.layers
        assert [f"watch {NODES}"] == links


async def test_a_heartbeat_wakes_nobody(api: ApiServer, tmp_path: Path) -> None:
    """Times that move and marks that nobody reads are no news, from the first on."""

    def beat(node: Json) -> None:
        for one in node["status"]["conditions"]:
            one["lastHeartbeatTime"] = "2030-01-01T00:00:00Z"
        node["metadata"].setdefault("annotations", {})["lab.invalid/note"] = "1"

    async with watching(api, tmp_path, NODES) as woken:
        before = woken.times
        edited(api, beat)
        edited(api, lambda node: node["spec"].update(unschedulable=True))
        await woken.next()

        assert before + 1 == woken.times


async def test_a_pod_that_goes_wakes_the_pods(api: ApiServer, tmp_path: Path) -> None:
    """A deletion is news, and what it left behind is forgotten."""
    pod = pod_json(running())
    api.put("Pod", pod)
    async with watching(api, tmp_path, "/api/v1/pods") as woken:
        async with door(api.kubeconfig(tmp_path / "other"), api.port) as other:
            (found,) = (await other.pods()).items
            await other.delete_pod(found, grace=0)
        await woken.next()

        assert pod["metadata"]["name"] == found.name
        assert Layer.PODS in woken.layers


async def test_a_version_that_was_forgotten_ends_in_a_new_list(
    api: ApiServer, tmp_path: Path
) -> None:
    """410: the same version is never asked for again (facts/talos-kubernetes.md §7)."""
    gone = {"kind": "Status", "code": 410, "message": "too old resource version"}
    api.fault(lines([{"type": "ERROR", "object": gone}]), path=NODES, watches=True, times=1)

    await listened(api, tmp_path)


async def test_a_list_without_a_version_is_ill(api: ApiServer, tmp_path: Path) -> None:
    """There is nothing to watch on from."""
    api.fault(faults.answering({"items": [], "metadata": {}}), path=NODES)

    with pytest.raises(TargetIll, match="resourceVersion"):
        await listened(api, tmp_path)


async def test_all_is_listed_anew_now_and_then(api: ApiServer, tmp_path: Path) -> None:
    """Slow lists repair what a watch has missed, and a watch goes on after each."""
    clock = FakeClock()

    async def ends(request: web.BaseRequest) -> web.StreamResponse:
        clock.advance(1000.0)
        return await lines([])(request)

    api.fault(ends, path=NODES, watches=True, times=2)
    async with watching(api, tmp_path, NODES, clock) as woken:
        await woken.next()
        edited(api, lambda node: node["spec"].update(taints=[]))
        await woken.next()

    asked = ["watch" in one.query for one in api.requests if one.path == NODES]
    assert [False, True, True, False, True] == asked


def lines(events: list[Any], *, raw: bytes = b"") -> Fault:
    """A watch that tells these, then `raw`, and ends."""

    async def told(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for one in events:
            await response.write(json.dumps(one).encode() + b"\n")
        if raw:
            await response.write(raw)
        return response

    return told


async def huge(request: web.BaseRequest) -> web.StreamResponse:
    """A line without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(LONGEST_LINE // (1 << 20) + 2):
        await response.write(b"x" * (1 << 20))
    return response


BAD: dict[str, tuple[Fault, type[PortError], str]] = {
    "page": (lines([], raw=b"404 page not found\n"), TargetIll, "no JSON"),
    "text": (lines(["404"]), TargetIll, "no event"),
    "no object": (lines([{"type": "ADDED"}]), TargetIll, "no event"),
    "cut": (lines([], raw=b'{"type":"ADD'), TargetIll, "middle of a line"),
    "huge": (huge, TargetIll, "a line of more than"),
    "error": (
        lines([{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}]),
        TargetIll,
        "500: etcd",
    ),
    "refused": (refusing(401), Denied, "401"),
    "garbage": (faults.garbage, TargetIll, ""),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_watch_is_an_error(api: ApiServer, tmp_path: Path, name: str) -> None:
    """Each ends the listening with its kind and its words; none is believed, none loops."""
    fault, kind, words = BAD[name]
    api.fault(fault, path=NODES, watches=True)

    with pytest.raises(kind) as caught:
        await listened(api, tmp_path)
    assert words in str(caught.value)


async def test_a_silent_watch_is_not_believed_for_ever(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bookmarks come each minute: without a byte for longer the link is dead."""
    monkeypatch.setattr("healer.adapters.kubernetes_watch.SILENCE", 0.2)
    api.fault(faults.hung, path=NODES, watches=True)

    with pytest.raises(TargetIll):
        await listened(api, tmp_path)


async def test_an_empty_watch_goes_on_from_its_version(api: ApiServer, tmp_path: Path) -> None:
    """A server that ends a quiet watch is asked again, from where it ended, without a list."""
    api.fault(lines([]), path=NODES, watches=True, times=3)
    async with watching(api, tmp_path, NODES) as woken:
        edited(api, lambda node: node["spec"].update(taints=[]))
        await woken.next()

    lists = [one for one in api.requests if one.path == NODES and "watch" not in one.query]
    assert 1 == len(lists)
