"""Published ports are heard as promised, by the real adapter and by the simulation alike."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import anyio
import pytest

from healer.adapters import published as adapter
from healer.adapters.listeners import Listeners
from healer.adapters.published import PublishedPorts
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.physics import Tower
from healer.simulation.published_ports import SimulatedPublished
from healer.simulation.virtual_time import run_virtually
from tests.contracts.published_contract import CHECKS, Check
from tests.fakes.host import OURS, FakeHost
from tests.unit.adapters.ssh_door import free_port
from tests.unit.adapters.test_published import Serve, saying, server


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del writer
    await reader.read()


async def _rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del reader
    writer.close()


@dataclass(slots=True)
class ServedPorts:
    """Servers on ports of their own."""

    eyes: PublishedPorts
    stack: AsyncExitStack

    async def _serve(self, serve: Serve) -> int:
        return await self.stack.enter_async_context(server(serve))

    async def redis(self) -> int:
        """One that says PONG."""
        return await self._serve(saying(b"+PONG\r\n"))

    async def http(self) -> int:
        """One that says OK."""
        return await self._serve(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"))

    async def unready(self) -> int:
        """LiveKit's own word."""
        head = b"HTTP/1.1 406 Not Acceptable\r\nContent-Length: 9\r\n\r\n"
        return await self._serve(saying(head + b"Not Ready"))

    async def silent(self) -> int:
        """One that only reads."""
        return await self._serve(_mute)

    async def resetting(self) -> int:
        """One that hangs up."""
        return await self._serve(_rude)

    async def refusing(self) -> int:
        """None."""
        return free_port()


@dataclass(slots=True)
class SimulatedPorts:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedPublished = field(init=False)

    def __post_init__(self) -> None:
        """Look at its ports."""
        self.eyes = SimulatedPublished(self.tower)

    async def redis(self) -> int:
        """Redis itself."""
        return 6379

    async def http(self) -> int:
        """LiveKit."""
        return 7880

    async def unready(self) -> int:
        """LiveKit that starves."""
        HAPPENINGS["crash_loop"].befall(self.tower, workload="redis")
        return 7880

    async def silent(self) -> int:
        """Typesense that hangs."""
        HAPPENINGS["service_silent"].befall(self.tower, port=8108)
        return 8108

    async def resetting(self) -> int:
        """Inngest without its pod."""
        HAPPENINGS["bad_image"].befall(self.tower, workload="inngest")
        return 8288

    async def refusing(self) -> int:
        """The PDS, forwarded no more."""
        HAPPENINGS["forward_port_dead"].befall(self.tower, port=9627)
        return 9627


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServedPorts]:
    """The real adapter, in a hurry."""
    monkeypatch.setattr(adapter, "SECONDS", 0.4)
    listeners = Listeners(FakeHost(), OURS)
    async with AsyncExitStack() as stack:
        yield ServedPorts(PublishedPorts(listeners), stack)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_it(served: ServedPorts, check: Check) -> None:
    """The real adapter, over real sockets."""
    await check(served)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_simulation_keeps_it(check: Check) -> None:
    """The simulated ports, on virtual time."""
    run_virtually(lambda: check(SimulatedPorts()))
