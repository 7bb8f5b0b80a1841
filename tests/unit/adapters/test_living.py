"""A process of that number is there, or it is not; nothing else is ever an answer."""

import os
import subprocess
import sys

import pytest

from healer.adapters.living import lives
from tests.patience import PATIENCE


def test_one_that_runs_lives_and_one_that_ended_does_not() -> None:
    """Ourselves, and a child that was waited for."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(timeout=PATIENCE)

    assert lives(os.getpid())
    assert not lives(child.pid)


@pytest.mark.parametrize("number", [0, -1, -os.getpid(), 10**20])
def test_what_is_no_process_does_not_live(number: int) -> None:
    """A group, everybody, and a number that no kernel counts to: a file may hold any."""
    assert not lives(number)


def test_one_that_may_not_be_signalled_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another user's."""

    def refuse(pid: int, number: int) -> None:
        raise PermissionError(pid, number)

    monkeypatch.setattr("os.kill", refuse)

    assert lives(4)
