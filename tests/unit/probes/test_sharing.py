"""What probes share, for how long, and what makes it void."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from healer.core.tower import Layer
from healer.engine.daemon import Paces
from healer.ports import NotThere, TargetIll, Wake
from healer.probes.fresh_news import FreshNews
from healer.probes.sharing import (
    RememberedPorts,
    SharedCluster,
    SharedEngine,
    SharedHost,
)
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine
from tests.fakes.faulty import Faulty
from tests.fakes.forward import REFUSED, FakeForward
from tests.fakes.host import FakeHost
from tests.fakes.published import FakePublished
from tests.fakes_cluster import FakeCluster

Ask = Callable[[], Awaitable[object]]


def engine_questions(engine: FakeEngine, clock: FakeClock) -> list[Ask]:
    """All that probes share of the engine."""
    shared = SharedEngine(engine, clock)
    return [shared.ping, shared.container]


def cluster_questions(cluster: FakeCluster, clock: FakeClock) -> list[Ask]:
    """All that probes share of the cluster."""
    shared = SharedCluster(cluster, clock)
    return [
        shared.readiness,
        shared.node,
        shared.pods,
        shared.warnings,
        shared.flannel,
        shared.livekit,
    ]


def each() -> list[tuple[Faulty, FakeClock, list[Ask]]]:
    """Both kinds of eyes."""
    clock = FakeClock()
    engine, cluster = FakeEngine(), FakeCluster()
    return [
        (engine, clock, engine_questions(engine, clock)),
        (cluster, clock, cluster_questions(cluster, clock)),
    ]


@pytest.mark.parametrize("kind", [0, 1], ids=["engine", "cluster"])
async def test_the_looks_of_one_moment_ask_once(kind: int) -> None:
    """Three probes that begin together cause one request each; a moment later it is asked anew."""
    fake, clock, questions = each()[kind]

    async with anyio.create_task_group() as tasks:
        for question in questions * 3:
            tasks.start_soon(_hear, question)
    assert len(questions) == len(fake.calls) == len(set(fake.calls))
    clock.advance(0.5)
    for question in questions:
        await question()

    assert 2 * len(questions) == len(fake.calls)


async def _hear(question: Ask) -> None:
    await question()


async def test_an_ill_engine_is_ill_for_all_who_share() -> None:
    """A failure is shared like an answer, and each hears an error of its own."""
    engine = FakeEngine()
    engine.faults["ping"] = REFUSED
    shared = SharedEngine(engine, FakeClock())

    with pytest.raises(TargetIll) as first:
        await shared.ping()
    with pytest.raises(TargetIll) as second:
        await shared.ping()

    assert ["ping"] == engine.calls
    assert first.value is not second.value


@pytest.mark.parametrize("kind", [0, 1], ids=["engine", "cluster"])
async def test_a_woken_look_never_hears_the_last_one_again(kind: int) -> None:
    """One lost answer was two bad looks when a layer turned suspect and all were woken."""
    fake, clock, questions = each()[kind]
    for _ in range(2):
        for question in questions:
            await question()
        clock.advance(Paces(calm={}).least)

    assert 2 * len(questions) == len(fake.calls)


async def test_an_act_or_news_makes_it_void() -> None:
    """However young it is: a woken look must see what woke it."""
    engine, cluster, clock = FakeEngine(), FakeCluster(), FakeClock()
    seen, nodes = SharedEngine(engine, clock), SharedCluster(cluster, clock)
    await seen.container()
    await nodes.node()
    engine.box, cluster.nodes = None, []
    seen.forget()
    nodes.forget()

    assert () == (await nodes.node()).items
    with pytest.raises(NotThere):
        await seen.container()


async def test_what_is_asked_just_before_it_matters_is_never_shared() -> None:
    """Whether a human stopped it, and whether a controller is gone."""
    engine, clock = FakeEngine(human_ago=5.0), FakeClock()
    seen = SharedEngine(engine, clock)
    box = await engine.container()
    assert 5.0 == await seen.stopped_by_human_ago(box)
    engine.human_ago = None

    assert await seen.stopped_by_human_ago(box) is None


async def test_a_process_list_of_a_minute_ago_will_do_for_what_is_only_reported() -> None:
    """It rides on the list that others have asked for, and asks itself only when that is old."""
    host, clock = FakeHost(), FakeClock()
    shared = SharedHost(host, clock, processes_for=1.5)
    lately = shared.lately(75.0)

    await shared.processes()
    clock.advance(60.0)
    await lately.processes()
    assert ["processes"] == host.calls
    await shared.processes()
    clock.advance(75.1)
    await lately.processes()

    assert ["processes"] * 3 == host.calls


async def test_rivals_are_asked_for_rarely() -> None:
    """Each label in each domain is a process of its own."""
    host, clock = FakeHost(), FakeClock()
    shared = SharedHost(host, clock, rivals_for=600.0)
    for _ in range(10):
        await shared.lately(75.0).loaded_rivals()
        clock.advance(60.0)

    assert ["loaded_rivals"] == host.calls
    await shared.loaded_rivals()
    clock.advance(601.0)
    await shared.loaded_rivals()
    assert ["loaded_rivals"] * 2 == host.calls


async def test_a_listener_is_remembered_until_a_port_is_silent() -> None:
    """What ends a listener ends what it carried, so that is when to look again."""
    forward, clock = FakeForward(), FakeClock()
    forward.ports = {6379, 7880}
    published = FakePublished(forward)
    remembered = RememberedPorts(published, clock, 600.0)

    assert await remembered.listener_is_ours(6379)
    clock.advance(599.0)
    assert await remembered.listener_is_ours(6379)
    assert ["listener_is_ours"] == published.calls
    forward.ports = {6379}
    with pytest.raises(TargetIll):
        await remembered.speak(7880, "http", "/", "")
    assert await remembered.listener_is_ours(6379)

    assert ["listener_is_ours", "speak", "listener_is_ours"] == published.calls


async def test_a_stranger_is_never_remembered() -> None:
    """A `no` may be over a moment later."""
    published = FakePublished(FakeForward())
    remembered = RememberedPorts(published, FakeClock(), 600.0)
    for _ in range(3):
        assert not await remembered.listener_is_ours(6379)

    assert 3 == len(published.calls)


class Said:
    """News that tells once, and ends."""

    name = "said"
    layers = frozenset({Layer.NODE})

    async def listen(self, wake: Wake) -> None:
        """Once."""
        wake(self.layers)


class Shut:
    """News whose connection never stands."""

    name = "shut"
    layers = frozenset({Layer.NODE})

    async def listen(self, wake: Wake) -> None:
        """Refused."""
        del wake
        raise TargetIll(self.name, "Connection refused")


async def test_news_forgets_before_it_wakes() -> None:
    """And once more at its end, which is news as well."""
    told: list[object] = []
    fresh = FreshNews(Said(), lambda: told.append("forgotten"))

    await fresh.listen(told.append)

    assert ["forgotten", frozenset({Layer.NODE}), "forgotten"] == told
    assert ("said", frozenset({Layer.NODE})) == (fresh.name, fresh.layers)


async def test_a_door_that_stays_shut_is_no_news() -> None:
    """A dead server is knocked at every few seconds: what others said of it stays shared."""
    told: list[object] = []
    fresh = FreshNews(Shut(), lambda: told.append("forgotten"))

    with pytest.raises(TargetIll):
        await fresh.listen(told.append)

    assert [] == told
