"""Pods that are known from their watch, and when that is not to be believed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup

from healer.adapters.watched_cluster import WatchedCluster
from healer.core.tower import Layer
from healer.ports import News, TargetIll
from tests.apiserver import faults
from tests.apiserver.faults import refusing
from tests.apiserver.server import ApiServer
from tests.apiserver.store import Key
from tests.cluster_objects import pod_json, running
from tests.fakes.clock import FakeClock
from tests.patience import PATIENCE
from tests.unit.adapters.kubernetes_door import door

Json = dict[str, Any]
PODS = "/api/v1/pods"
COUNTED, LISTED, TOLD = "counted", "listed", "watched"


@dataclass
class Living:
    """Eyes whose news is listened to."""

    eyes: WatchedCluster
    news: News
    api: ApiServer
    clock: FakeClock
    tasks: TaskGroup
    times: int = 0
    woken: anyio.Event = field(default_factory=anyio.Event)
    ended: list[Exception] = field(default_factory=list)
    over: anyio.Event = field(default_factory=anyio.Event)

    async def listen(self) -> None:
        """Begin, and wait until it has listed all and watches."""
        self.tasks.start_soon(self._listen)
        await self.told()
        self.api.requests.clear()
        self.api.put("Pod", {**named("pod-0"), "status": {"phase": "Succeeded"}})
        await self.told()

    async def _listen(self) -> None:
        try:
            await self.news.listen(self.wake)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            self.ended.append(error)
        self.over.set()

    def wake(self, layers: frozenset[Layer]) -> None:
        """Somebody is to look."""
        assert Layer.PODS in layers
        self.times += 1
        self.woken.set()

    async def told(self) -> None:
        """Wait until it is told of a change."""
        with anyio.fail_after(PATIENCE):
            await self.woken.wait()
        self.woken = anyio.Event()

    async def end(self) -> None:
        """Wait until the listening has ended."""
        with anyio.fail_after(PATIENCE):
            await self.over.wait()

    async def names(self) -> set[str]:
        """What the eyes see."""
        return {one.name for one in (await self.eyes.pods()).items}

    def asked(self) -> list[str]:
        """How pods were asked for, in order."""
        kinds = {"1": COUNTED, "100": LISTED}
        queries = [one.query for one in self.api.requests if one.path == PODS]
        return [TOLD if "watch" in one else kinds[one["limit"]] for one in queries]


@asynccontextmanager
async def living(api: ApiServer, folder: Path) -> AsyncIterator[Living]:
    """Eyes over a server with 150 pods."""
    for number in range(150):
        api.put("Pod", named(f"pod-{number}"))
    clock = FakeClock()
    async with (
        door(api.kubeconfig(folder / "kubeconfig"), api.port) as cluster,
        anyio.create_task_group() as tasks,
    ):
        watched = cluster.watched(clock)
        (news,) = [one for one in watched.news if one.name.endswith(PODS)]
        yield Living(watched.eyes, news, api, clock, tasks)
        tasks.cancel_scope.cancel()


def named(name: str) -> Json:
    """A running pod."""
    return pod_json(running(), name=name)


def gone(api: ApiServer, name: str) -> None:
    """Take a pod away."""
    api.store.remove(Key("Pod", "joelclaw", name))


async def test_a_calm_look_costs_what_one_pod_costs(api: ApiServer, tmp_path: Path) -> None:
    """All pods are seen, the server answers with one, and its time is the server's own."""
    async with living(api, tmp_path) as one:
        await one.listen()
        api.time = 1_800_000_000.0
        seen = [await one.eyes.pods() for _ in range(3)]

        assert {150} == {len(listing.items) for listing in seen}
        assert {1_800_000_000.0} == {listing.server_time for listing in seen}
        assert all(a is b for a, b in zip(seen[0].items, seen[2].items, strict=True))
        assert [COUNTED] * 3 == [how for how in one.asked() if how != TOLD]


async def test_pods_that_come_change_and_go_are_seen(api: ApiServer, tmp_path: Path) -> None:
    """Each without a list."""
    async with living(api, tmp_path) as one:
        await one.listen()
        assert 150 == len(await one.names())
        api.put("Pod", named("new"))
        await one.told()
        gone(api, "pod-1")
        await one.told()
        changed = named("pod-2")
        changed["status"]["phase"] = "Failed"
        api.put("Pod", changed)
        await one.told()
        found = {pod.name: pod for pod in (await one.eyes.pods()).items}

        assert ("new" in found, "pod-1" in found) == (True, False)
        assert "Failed" == found["pod-2"].raw["status"]["phase"]
        assert LISTED not in one.asked()


async def test_what_nobody_judges_by_wakes_nobody(api: ApiServer, tmp_path: Path) -> None:
    """Another version, an address, an annotation: only what follows them is news."""
    async with living(api, tmp_path) as one:
        await one.listen()
        noted = named("pod-3")
        noted["metadata"]["annotations"] = {"lab.invalid/note": "1"}
        noted["status"]["podIP"] = "10.244.0.99"
        before = one.times
        version = api.put("Pod", noted)["metadata"]["resourceVersion"]
        gone(api, "pod-4")
        await one.told()
        seen = {pod.name: pod for pod in (await one.eyes.pods()).items}

        assert before + 1 == one.times
        assert version == seen["pod-3"].resource_version


async def test_a_dead_api_is_not_made_alive_by_memory(api: ApiServer, tmp_path: Path) -> None:
    """I6: the watch still stands, and yet a server that does not answer is ill."""
    async with living(api, tmp_path) as one:
        await one.listen()
        await one.names()
        for fault in (refusing(500), faults.garbage, faults.answering({"kind": "Status"})):
            api.mend()
            api.fault(fault, path=PODS)

            with pytest.raises(TargetIll):
                await one.eyes.pods()


async def test_all_are_listed_while_there_is_no_watch(api: ApiServer, tmp_path: Path) -> None:
    """Before it has begun, and from its break on: then nothing is kept either."""
    async with living(api, tmp_path) as one:
        before = len(await one.names())
        api.fault(
            faults.answering({"type": "ERROR", "object": {"code": 500}}), path=PODS, watches=True
        )
        one.tasks.start_soon(one._listen)
        await one.end()
        api.put("Pod", named("unheard"))

        assert 150 == before
        assert "unheard" in await one.names()
        assert 0 == len(one.eyes._store.pods())


async def test_a_mac_that_slept_lists_all(api: ApiServer, tmp_path: Path) -> None:
    """The watch may have died meanwhile, and its own deadline stood still."""
    async with living(api, tmp_path) as one:
        await one.listen()
        one.clock.advance(101.0)
        await one.names()

        assert LISTED in one.asked()


async def test_a_watch_that_missed_something_is_found_out(api: ApiServer, tmp_path: Path) -> None:
    """The server counts other pods: they are listed, and after two looks the watch begins anew."""
    async with living(api, tmp_path) as one:
        await one.listen()
        history = api.store.history
        api.store.history = []
        api.put("Pod", named("missed"))
        api.store.history = history
        first, second = await one.names(), await one.names()
        api.put("Pod", named("next"))
        await one.end()

        assert "missed" in first & second
        assert ["TargetIll"] == [type(error).__name__ for error in one.ended]
        assert "other pods than the server counts" in str(one.ended[0])


async def test_a_disagreement_now_and_then_is_an_event_on_its_way(
    api: ApiServer, tmp_path: Path
) -> None:
    """What came in time is believed again, and the watch goes on."""
    async with living(api, tmp_path) as one:
        await one.listen()
        for phase in ("Failed", "Running"):
            missed = one.eyes._store._pods.popitem()
            await one.names()
            one.eyes._store._pods.update([missed])
            await one.names()
            api.put("Pod", {**named("pod-7"), "status": {"phase": phase}})
            await one.told()

        assert [LISTED] * 4 == [how for how in one.asked() if how == LISTED]
        assert [] == one.ended


async def test_a_server_that_does_not_count_is_believed(api: ApiServer, tmp_path: Path) -> None:
    """`remainingItemCount` may be left out; the watch alone has to do."""
    page = {"items": [named("pod-0")], "metadata": {"continue": "more"}}
    async with living(api, tmp_path) as one:
        await one.listen()
        api.fault(faults.answering(page), path=PODS)

        assert 150 == len(await one.names())


async def test_a_pod_that_makes_no_sense_ends_the_watch(api: ApiServer, tmp_path: Path) -> None:
    """It is listed anew, where the same nonsense is an illness."""
    async with living(api, tmp_path) as one:
        await one.listen()
        broken = named("broken")
        broken["status"]["containerStatuses"] = [17]
        api.put("Pod", broken)
        await one.end()

        assert "makes no sense" in str(one.ended[0])
