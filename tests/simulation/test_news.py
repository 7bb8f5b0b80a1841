"""What a daemon hears of the simulated tower, when, and when not."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from healer.core.tower import Layer
from healer.ports import News, TargetIll, TargetSilent
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.news import news_of
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually


class Heard:
    """One who listens, and what was heard when."""

    def __init__(self, tower: Tower, name: str) -> None:
        self.tower = tower
        self.news: News = next(one for one in news_of(tower) if one.name == name)
        self.wakes: list[tuple[float, frozenset[Layer]]] = []
        self.ended: float | None = None

    def wake(self, layers: frozenset[Layer]) -> None:
        """Remember."""
        self.wakes.append((round(self.tower.clock.at, 1), layers))

    async def listen(self) -> None:
        """To its end."""
        await self.news.listen(self.wake)
        self.ended = round(self.tower.now(), 1)


def listening(name: str, play: Callable[[Heard], Awaitable[None]]) -> Heard:
    """Listen to one kind of news while something is played."""

    async def main() -> Heard:
        heard = Heard(healthy_tower(anyio.current_time), name)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(heard.listen)
            await anyio.sleep(10.0)
            heard.wakes.clear()
            await play(heard)
            await anyio.sleep(50.0)
            tasks.cancel_scope.cancel()
        return heard

    return run_virtually(main)


def befalls(*names: str) -> Callable[[Heard], Awaitable[None]]:
    """Happenings, one after another."""

    async def play(heard: Heard) -> None:
        for name in names:
            HAPPENINGS[name].befall(heard.tower)

    return play


def test_docker_tells_of_the_containers_end_at_once() -> None:
    """So that it is seen within a second (design §9)."""
    heard = listening("docker events", befalls("docker_kill"))

    assert [(10.0, frozenset({Layer.TALOS, Layer.APISERVER}))] == heard.wakes


def test_what_happens_by_itself_is_told_on_time_though_nobody_looks() -> None:
    """A stop that ends after ten seconds is heard after ten seconds."""
    heard = listening("docker events", befalls("docker_stop"))

    assert [20.0] == [at for at, _ in heard.wakes]


@pytest.mark.parametrize("name", ["docker events", "watch /api/v1/nodes"])
def test_what_is_lost_is_lost(name: str) -> None:
    """A slow listener loses events without a sign (§9)."""
    heard = listening(name, befalls("events_lost", "docker_kill", "taint_put_back"))

    assert [] == [layers for _, layers in heard.wakes if Layer.NODE in layers]
    assert [] == (heard.wakes if name == "docker events" else [])


def test_docker_s_events_end_with_the_engine_and_with_the_mux() -> None:
    """The end is news too (listening.py)."""
    for fault in ("engine_dies", "mux_killed", "vm_power_cut"):
        assert 10.0 == listening("docker events", befalls(fault)).ended


def test_a_hung_guest_ends_nothing_and_says_nothing() -> None:
    """Its connections stay open (colima.md §8)."""
    for name in ("docker events", "watch /api/v1/pods"):
        heard = listening(name, befalls("vm_frozen", "docker_kill"))
        assert ([], None) == (heard.wakes, heard.ended)


@pytest.mark.parametrize(
    ("name", "fault", "layer"),
    [
        ("watch /api/v1/nodes", "taint_put_back", Layer.NODE),
        ("watch /api/v1/nodes", "ready_flip", Layer.NODE),
        ("watch /api/v1/pods", "pod_unknown", Layer.PODS),
        ("watch /apis/apps/v1/daemonsets", "flannel_crashes", Layer.FLANNEL),
        ("watch /apis/apps/v1/deployments", "livekit_probes_reset", Layer.LIVEKIT),
        ("watch /api/v1/events", "subnet_env_lost", Layer.FLANNEL),
        ("file ha.pid", "vm_power_cut", Layer.COLIMA),
        ("file docker.sock", "mux_killed", Layer.DOCKER),
        ("file kubeconfig", "kubeconfig_stale", Layer.APISERVER),
        ("resident ssh", "vm_zombie", Layer.SSH),
    ],
)
def test_each_kind_tells_of_its_own(name: str, fault: str, layer: Layer) -> None:
    """Soon after it happened."""
    heard = listening(name, befalls(fault))

    assert heard.wakes
    assert layer in heard.wakes[0][1]
    assert heard.wakes[0][0] < 13.0


def test_a_heartbeat_is_no_news() -> None:
    """The kubelet writes one each five minutes (kubernetes_subjects.py)."""

    async def an_hour(heard: Heard) -> None:
        del heard
        await anyio.sleep(500.0)

    assert [] == listening("watch /api/v1/nodes", an_hour).wakes


def refused(fault: str, name: str) -> type[Exception]:
    """How a new connection fares after that fault."""

    async def main() -> type[Exception]:
        heard = Heard(healthy_tower(anyio.current_time), name)
        HAPPENINGS[fault].befall(heard.tower)
        with pytest.raises(TargetIll) as caught:
            await heard.listen()
        return caught.type

    return run_virtually(main)


def test_a_new_connection_is_refused_or_met_with_silence() -> None:
    """As its listener on the Mac is."""
    assert TargetIll is refused("engine_dies", "docker events")
    assert TargetSilent is refused("vm_frozen", "docker events")
    assert TargetIll is refused("docker_kill", "watch /api/v1/pods")
    assert TargetSilent is refused("api_silent", "watch /api/v1/pods")
