"""Watches and what is known from them, before a real API server."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from healer.adapters.clock import SystemClock
from healer.core.tower import Layer
from healer.model.pod_status import status as kubernetes_status
from tests.lab.kubernetes.behind import BehindTheDoor, seeded
from tests.lab.kubernetes.node import NAME

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from healer.adapters.watched_cluster import WatchedCluster
    from tests.contracts.cluster_served import ServedWorld
    from tests.lab.kubernetes.apiserver import ApiServer

pytestmark = pytest.mark.kubernetes

Json = dict[str, Any]
PATIENCE = 30.0
NODE = ("Node", "", NAME)
LIVEKIT = ("Deployment", "joelclaw", "livekit-server")


@dataclass
class Ears:
    """Everybody who may be woken, and how often they were."""

    times: Counter[Layer] = field(default_factory=Counter)
    rung: anyio.Event = field(default_factory=anyio.Event)

    def __call__(self, layers: frozenset[Layer]) -> None:
        """Woken."""
        self.times.update(layers)
        self.rung.set()

    async def heard(self, layer: Layer, times: int) -> None:
        """Wait until that layer was woken so often."""
        with anyio.fail_after(PATIENCE):
            while self.times[layer] < times:
                self.rung = anyio.Event()
                await self.rung.wait()


@dataclass
class Living:
    """A real server, looked at and listened to as a daemon does."""

    world: ServedWorld
    behind: BehindTheDoor
    eyes: WatchedCluster
    ears: Ears


@asynccontextmanager
async def living(api_server: ApiServer) -> AsyncIterator[Living]:
    """Every watch has listed, so that none misses what comes."""
    async with seeded(api_server) as world, anyio.create_task_group() as tasks:
        watched, ears = world.cluster.watched(SystemClock()), Ears()
        for one in watched.news:
            tasks.start_soon(one.listen, ears)
        for layer, watches in ((Layer.NODE, 1), (Layer.FLANNEL, 3), (Layer.LIVEKIT, 2)):
            await ears.heard(layer, watches)
        ears.times.clear()
        yield Living(world, BehindTheDoor(api_server.api), watched.eyes, ears)
        tasks.cancel_scope.cancel()


async def test_a_taint_wakes_the_node_and_talos(api_server: ApiServer) -> None:
    """Once, and nobody else."""
    async with living(api_server) as one:
        await one.world.taint()
        await one.ears.heard(Layer.NODE, 1)

        assert {Layer.NODE: 1, Layer.TALOS: 1} == one.ears.times


async def test_a_heartbeat_wakes_nobody(api_server: ApiServer) -> None:
    """Neither a kubelet's own times nor somebody's annotation; what follows them does."""
    async with living(api_server) as one:
        node = await one.behind.get(*NODE)
        for condition in node["status"]["conditions"]:
            condition["lastHeartbeatTime"] = "2030-01-01T00:00:00Z"
        await one.behind.merge(
            NODE, {"status": {"conditions": node["status"]["conditions"]}}, "/status"
        )
        await one.behind.merge(NODE, {"metadata": {"annotations": {"lab.invalid/note": "1"}}})
        await one.world.cordon(by_talos=False)
        await one.ears.heard(Layer.NODE, 1)

        assert {Layer.NODE: 1, Layer.TALOS: 1} == one.ears.times


async def test_a_pod_that_goes_is_missed_and_not_listed_for(api_server: ApiServer) -> None:
    """PODS is woken, and the look costs one pod: the real server counts as the watch does."""
    async with living(api_server) as one:
        before = {pod.name for pod in (await one.eyes.pods()).items}
        await one.behind.remove("Pod", "joelclaw", "redis-0")
        await one.ears.heard(Layer.PODS, 1)
        count = await one.eyes._store.count()
        known = {pod.name for pod in one.eyes._store.pods()}

        assert {"redis-0"} == before - known
        assert len(known) == count.pods
        assert one.eyes._store.agrees(count)
        assert known == {pod.name for pod in (await one.world.cluster.pods()).items}


async def test_workloads_and_failed_sandboxes_wake_their_layers(api_server: ApiServer) -> None:
    """A scaled Deployment, a warning of the one kind; a Normal event is nobody's news."""
    async with living(api_server) as one:
        await one.behind.merge(LIVEKIT, {"spec": {"replicas": 0}})
        await one.ears.heard(Layer.LIVEKIT, 1)
        (redis,) = [pod for pod in (await one.eyes.pods()).items if pod.name == "redis-0"]
        await one.world.fail_sandbox(redis)
        await one.ears.heard(Layer.FLANNEL, 1)

        assert {Layer.LIVEKIT: 1, Layer.FLANNEL: 1} == one.ears.times


async def test_a_kubelets_word_on_a_pod_is_known_at_once(api_server: ApiServer) -> None:
    """What is judged of it comes with the watch."""
    async with living(api_server) as one:
        lost = {"exitCode": 255, "reason": "Unknown", "finishedAt": "2026-11-23T14:01:36Z"}
        status = {"name": "redis", "image": "redis", "imageID": "", "ready": False}
        container = {**status, "restartCount": 1, "state": {"terminated": lost}}
        patch = {"status": {"phase": "Running", "containerStatuses": [container]}}
        await one.behind.merge(("Pod", "joelclaw", "redis-0"), patch, "/status")
        await one.ears.heard(Layer.PODS, 1)
        (redis,) = [pod for pod in (await one.eyes.pods()).items if pod.name == "redis-0"]

        assert "Unknown" == kubernetes_status(redis.raw)
