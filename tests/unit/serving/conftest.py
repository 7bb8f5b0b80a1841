"""A canned daemon for each test, in a folder short enough for a socket."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.serving.daemons import Canned


@pytest.fixture(name="folder")
def fixture_folder() -> Iterator[Path]:
    """pytest's own folders may be longer than a unix socket's path may be."""
    with tempfile.TemporaryDirectory(prefix="healer-") as folder:
        yield Path(folder)


@pytest.fixture(name="canned")
def fixture_canned(folder: Path) -> Iterator[Canned]:
    """It listens."""
    with Canned(folder / "control.sock") as process:
        yield process
