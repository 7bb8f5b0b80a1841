"""A bare machine for each test of the command line."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.command import SETTINGS, Machine
from tests.unit.cli.mac import Server, served


@pytest.fixture(name="machine")
def fixture_machine(tmp_path: Path) -> Machine:
    """An empty home, and settings that find no tool."""
    machine = Machine(tmp_path)
    machine.write(SETTINGS)
    return machine


@pytest.fixture(name="server", scope="session")
def fixture_server() -> Iterator[Server]:
    """Runs the commands of a Mac of the test's own."""
    with served() as server:
        yield server


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A home whose path leaves room for a socket's name (104 bytes on macOS)."""
    with tempfile.TemporaryDirectory(prefix="hc", dir="/tmp") as folder:
        yield Path(folder).resolve()
