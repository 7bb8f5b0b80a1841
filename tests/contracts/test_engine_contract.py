"""Docker's ports keep their promises, by the real adapter and by the simulation alike."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from healer.adapters.docker import DockerEngine
from healer.simulation.virtual_time import run_virtually
from tests.contracts.engine_contract import CHECKS, Check
from tests.contracts.engine_served import ServedEngine
from tests.contracts.engine_simulated import SimulatedEngineWorld
from tests.fakes.door import FakeDoor
from tests.unit.adapters.docker_engine import SYSTEM_TIME, Engine, inspected


@pytest.fixture
async def served() -> AsyncIterator[ServedEngine]:
    """The adapter before an engine of the tests' own."""
    # Its path must leave room for a socket's name: 104 bytes on macOS.
    with tempfile.TemporaryDirectory(prefix="he", dir="/tmp") as folder:
        async with _served(Path(folder)) as one:
            yield one


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[ServedEngine]:
    engine = Engine(folder / "docker.sock")
    engine.answers = {
        "/_ping": (200, b"OK"),
        "/containers/json": (200, [{"Id": "abc123", "Names": ["/talos-1"]}]),
        "/containers/abc123/json": (200, inspected()),
        "/events": (200, b""),
        "/info": (200, {"SystemTime": SYSTEM_TIME}),
    }
    server = await asyncio.start_unix_server(engine.session, engine.socket)
    adapter = DockerEngine(engine.socket, "talos-1", "joel", FakeDoor())
    async with server:
        yield ServedEngine(engine, adapter, server)
        for task in engine.tasks:
            task.cancel()
        await asyncio.gather(*engine.tasks, return_exceptions=True)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_it(served: ServedEngine, check: Check) -> None:
    """The real adapter, over a real socket."""
    await check(served)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_simulation_keeps_it(check: Check) -> None:
    """The simulated engine, on virtual time."""
    run_virtually(lambda: check(SimulatedEngineWorld()))
