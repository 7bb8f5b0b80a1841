"""One tower for all tests that ask for it, built once and mended before each of them."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes import build
from tests.lab.kubernetes.node import Node
from tests.lab.tower.tower import Tower
from tests.lab.virtual.mac import Mac
from tests.lab.virtual.parts import MissingPartError

if TYPE_CHECKING:
    from collections.abc import Iterator


def _unavailable(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def built_tower() -> Iterator[Tower]:
    """Skipped with its reason where the machine lacks a part, but in CI."""
    if build.find(build.NODE) is None and os.environ.get("CI") != "true":
        _unavailable("Kubernetes is not built: run python -m tests.lab.kubernetes.build")
    try:
        mac = Mac()
    except MissingPartError as missing:
        _unavailable(str(missing))
        raise
    try:
        mac.start_vm()
        kubeconfig = mac.home / ".kube" / "config"
        kubeconfig.parent.mkdir(exist_ok=True)
        tower = Tower(mac, Node(mac.docker_command, kubeconfig))
        tower.build()
        yield tower
    except build.MissingPartError as missing:
        _unavailable(str(missing))
    finally:
        mac.close()


@pytest.fixture
def tower(built_tower: Tower, request: pytest.FixtureRequest) -> Iterator[Tower]:
    """The same, with every layer well; afterwards nobody may have called the forbidden."""
    built_tower.mend()
    yield built_tower
    _leave_journal(built_tower, request.node.name)
    built_tower.mac.check()


def _leave_journal(tower: Tower, name: str) -> None:
    """For `python -m tests.explore.seen`, where somebody asks for it."""
    folder = os.environ.get("HEALER_LAB_JOURNALS")
    journal = tower.mac.home / ".local" / "state" / "healer" / "journal.sqlite"
    if not folder or not journal.is_file():
        return
    kept = Path(folder) / re.sub(r"\W+", "-", name)
    kept.mkdir(parents=True, exist_ok=True)
    for file in journal.parent.glob("journal.sqlite*"):
        shutil.copy2(file, kept)
