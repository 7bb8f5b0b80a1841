"""A bare machine for each test of the command line."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.command import SETTINGS, Machine


@pytest.fixture(name="machine")
def fixture_machine(tmp_path: Path) -> Machine:
    """An empty home, and settings that find no tool."""
    machine = Machine(tmp_path)
    machine.write(SETTINGS)
    return machine


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A home whose path leaves room for a socket's name (104 bytes on macOS)."""
    with tempfile.TemporaryDirectory(prefix="hc", dir="/tmp") as folder:
        yield Path(folder).resolve()
