"""A process is held, not its number."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from healer.adapters.process_hold import hold


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """It ends when its stdin does."""
    argv = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as one:
        yield one


def test_a_held_process_lives_until_it_ends(child: subprocess.Popen[bytes]) -> None:
    """Its end is seen although nobody has reaped it yet, and for ever after."""
    held = hold(child.pid)
    assert held is not None
    assert held.lives()
    child.kill()
    while held.lives():
        time.sleep(0.01)  # nobody may wait for the child itself: that would reap it

    assert not held.lives()


def test_nobody_cannot_be_held(child: subprocess.Popen[bytes]) -> None:
    """A process that has ended and was reaped has no number any more."""
    child.kill()
    child.wait()

    assert hold(child.pid) is None


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_letting_go_closes_what_held(child: subprocess.Popen[bytes]) -> None:
    """A daemon takes one at each start of the VM, for a year."""
    folder = Path("/proc/self/fd")
    held = hold(child.pid)
    before = len(list(folder.iterdir()))
    for _ in range(100):
        held = hold(child.pid)

    assert held is not None
    assert before == len(list(folder.iterdir()))
