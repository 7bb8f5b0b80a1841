"""Fixtures of the adapters' tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.adapters.colima_mac import Mac


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name (104 bytes on macOS)."""
    with tempfile.TemporaryDirectory(prefix="hl", dir="/tmp") as folder:
        yield Path(folder).resolve()


@pytest.fixture
def mac(short_folder: Path) -> Iterator[Mac]:
    """A Mac with an empty instance folder; its processes are ended afterwards."""
    one = Mac(short_folder)
    yield one
    one.end()
