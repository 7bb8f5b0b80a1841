"""A bare machine for each test of the command line."""

from pathlib import Path

import pytest

from tests.unit.cli.command import SETTINGS, Machine


@pytest.fixture(name="machine")
def fixture_machine(tmp_path: Path) -> Machine:
    """An empty home, and settings that find no tool."""
    machine = Machine(tmp_path)
    machine.write(SETTINGS)
    return machine
