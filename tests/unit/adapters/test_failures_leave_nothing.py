"""What a failed question leaves behind: an hour of outage asks thousands of them.

An error holds the frames that it passed, and they hold answers. Left to the cyclic collector, which
comes rarely in a process with many long-lived objects, they make the heap grow to its largest.
"""

import gc
import types
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from healer.adapters.clock import SystemClock
from healer.adapters.docker import DockerEngine
from healer.adapters.kubernetes import KubernetesCluster
from healer.adapters.listeners import Listeners
from healer.adapters.published import PublishedPorts
from healer.probes.asking import ask, ask_both
from healer.probes.shared import Shared
from tests.apiserver.faults import Fault, refusing
from tests.apiserver.server import ApiServer
from tests.fakes.door import FakeDoor
from tests.fakes.host import OURS, FakeHost
from tests.unit.adapters.kubernetes_door import door
from tests.unit.adapters.ssh_door import free_port

TIMES = 12
Question = Callable[[], Awaitable[object]]


@contextmanager
def no_collector() -> Iterator[None]:
    """Only what nobody refers to goes."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def tracebacks() -> int:
    """Each with a frame, and all that was at hand there."""
    return sum(isinstance(one, types.TracebackType) for one in gc.get_objects())


async def left_by(question: Question) -> int:
    """Tracebacks that each further question leaves, after the first ones."""
    for _ in range(2):
        await question()
    with no_collector():
        before = tracebacks()
        for _ in range(TIMES):
            await question()
        return (tracebacks() - before) // TIMES


def ways(call: Question) -> list[Question]:
    """As probes ask: alone, two at once, and sharing with others."""
    shared = Shared(call, SystemClock(), 0.0)
    return [partial(ask, call), partial(ask_both, call, call), partial(ask, shared)]


@pytest.mark.parametrize("way", [0, 1, 2])
async def test_of_a_silent_port_and_a_missing_socket(way: int, tmp_path: Path) -> None:
    """Refused each time."""
    published = PublishedPorts(Listeners(FakeHost(), OURS))
    port = free_port()
    engine = DockerEngine(tmp_path / "docker.sock", "talos-1", "joel", FakeDoor())

    assert 0 == await left_by(ways(lambda: published.speak(port, "http", "/", ""))[way])
    assert 0 == await left_by(ways(engine.ping)[way])


@pytest.mark.parametrize("way", [0, 1, 2])
@pytest.mark.parametrize("fault", [refusing(500), refusing(403)])
async def test_of_an_api_server_in_trouble(
    fault: Fault, way: int, api: ApiServer, tmp_path: Path
) -> None:
    """Tried again within the look, and failed again."""
    api.fault(fault)
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port) as cluster:
        assert 0 == await left_by(ways(cluster.node)[way])


@pytest.mark.parametrize("way", [0, 1, 2])
async def test_of_an_api_server_that_is_gone(
    way: int, api: ApiServer, cluster: KubernetesCluster
) -> None:
    """Nobody listens there."""
    await api.stop()

    assert 0 == await left_by(ways(cluster.node)[way])
