"""Docker's events from a real engine, through the Mac's socket and Lima's mux."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import to_thread

from healer.adapters.docker_events import DockerEvents
from healer.core.tower import Layer
from healer.ports import TargetIll
from tests.fakes.door import FakeDoor
from tests.lab.virtual.conftest import IMAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.lab.virtual.mac import Mac

pytestmark = pytest.mark.lab

PATIENCE = 60.0
OURS, OTHER = "talos-1", "talos-10"
"""The other's name begins with ours."""
SLEEPS = ("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


class Heard:
    """Who was woken, and how the listening ended."""

    def __init__(self) -> None:
        self.woken: list[frozenset[Layer]] = []
        self.rung = anyio.Event()
        self.over = anyio.Event()
        self.why: Exception | None = None

    def __call__(self, layers: frozenset[Layer]) -> None:
        """Woken."""
        self.woken.append(layers)
        self.rung.set()

    async def next(self) -> None:
        """Wait for the next time."""
        with anyio.fail_after(PATIENCE):
            await self.rung.wait()
        self.rung = anyio.Event()

    async def end(self) -> None:
        """Wait until the listening has ended."""
        with anyio.fail_after(PATIENCE):
            await self.over.wait()


@asynccontextmanager
async def listening(mac: Mac) -> AsyncIterator[Heard]:
    """A stream that stands; the first wake was its own."""
    heard = Heard()

    async def listen() -> None:
        try:
            await DockerEvents(mac.docker_socket, OURS, FakeDoor()).listen(heard)
        except TargetIll as error:
            heard.why = error
        heard.over.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await heard.next()
        yield heard
        tasks.cancel_scope.cancel()


async def done(work: Callable[[], object]) -> None:
    """Do what blocks."""
    await to_thread.run_sync(work)


def docker(mac: Mac, *words: str) -> Callable[[], object]:
    """A call of Docker's client."""
    return lambda: mac.docker(words)


def runs(mac: Mac, name: str) -> None:
    """A container that sleeps."""
    mac.docker(["run", "--detach", "--name", name, IMAGE, *SLEEPS])


@pytest.mark.parametrize(
    "words", [("kill",), ("stop",), ("restart",), ("pause",), ("update", "--restart", "always")]
)
async def test_what_befalls_our_container_wakes(mac: Mac, words: tuple[str, ...]) -> None:
    """Whoever did it: what it means, a look decides."""
    runs(mac, OURS)
    async with listening(mac) as heard:
        await done(docker(mac, *words, OURS))
        await heard.next()

        assert all(Layer.TALOS in layers for layers in heard.woken)


async def test_a_container_of_a_longer_name_wakes_nobody(mac: Mac) -> None:
    """The engine sends its events too, and they are told from ours by the whole name."""
    runs(mac, OTHER)
    runs(mac, OURS)
    async with listening(mac) as heard:
        await done(docker(mac, "kill", OTHER))
        assert 1 == len(heard.woken)
        await done(docker(mac, "kill", OURS))
        await heard.next()

        assert len(heard.woken) - 1 <= len(("kill", "die"))


async def test_the_end_of_the_mux_ends_the_stream(mac: Mac) -> None:
    """The split brain is news at once: its socket refuses from then on."""
    async with listening(mac) as heard:
        await done(mac.kill_mux)
        await heard.end()

    with pytest.raises(TargetIll):
        await DockerEvents(mac.docker_socket, OURS, FakeDoor()).listen(heard)


async def test_the_end_of_the_engine_ends_the_stream(mac: Mac) -> None:
    """A new stream stands when a new engine does."""
    async with listening(mac) as heard:
        await done(mac.kill_engine)
        await heard.end()
    await done(mac.start_engine)
    async with listening(mac) as again:
        assert 1 == len(again.woken)
