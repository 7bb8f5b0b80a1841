"""Who must go on living, and what happens when somebody does not."""

import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from healer.adapters.watchdog import STALLED, Watchdog
from tests.patience import PATIENCE


@dataclass
class Kennel:
    """A watchdog without its thread, on a clock that is moved by hand."""

    now: float = 1000.0
    ended: list[str] = field(default_factory=list)
    dog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        self.dog = Watchdog(now=lambda: self.now, end=self.ended.append, patience=60.0, every=5.0)

    def wait(self, seconds: float) -> None:
        """Let time go by, with the thread's looks."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + 5.0)
            self.dog.look()


@pytest.fixture
def kennel() -> Kennel:
    """One."""
    return Kennel()


def test_who_beats_in_time_is_alive(kennel: Kennel) -> None:
    """However long it goes on."""
    for _ in range(100):
        kennel.dog.beat("engine", 30.0)
        kennel.wait(25.0)

    assert "" == kennel.dog.stalled()
    assert [] == kennel.ended


def test_a_silent_one_is_named_then_ended(kennel: Kennel) -> None:
    """Overdue: 503 with its name; silent for a minute more: the process ends."""
    kennel.dog.beat("engine", 30.0)
    kennel.dog.beat("probe pods", 300.0)
    kennel.wait(31.0)
    assert "no sign of life: engine" == kennel.dog.stalled()
    assert [] == kennel.ended

    kennel.wait(64.0)
    assert {"no sign of life for too long: engine"} == set(kennel.ended)


def test_a_stall_that_ends_by_itself_costs_nothing(kennel: Kennel) -> None:
    """It beats again before the patience is over."""
    kennel.dog.beat("engine", 30.0)
    kennel.wait(80.0)
    kennel.dog.beat("engine", 30.0)
    kennel.wait(25.0)

    assert [] == kennel.ended
    assert "" == kennel.dog.stalled()


def test_who_said_goodbye_is_not_missed(kennel: Kennel) -> None:
    """An engine that ended in good order."""
    kennel.dog.beat("engine", 30.0)
    kennel.dog.ended("engine")
    kennel.wait(1000.0)

    assert [] == kennel.ended


def test_a_process_that_was_stopped_as_a_whole_is_forgiven(kennel: Kennel) -> None:
    """SIGSTOP or a frozen machine: the thread was stopped too, so nobody could have beaten."""
    kennel.dog.beat("engine", 30.0)
    kennel.now += 3600.0
    kennel.dog.look()

    assert [] == kennel.ended
    assert "" == kennel.dog.stalled()


BLOCKED = """
import time
from healer.adapters.watchdog import Watchdog

dog = Watchdog(patience=0.2, every=0.1)
dog.beat("event loop", 0.1)
dog.start()
print("blocked", flush=True)
while True:
    time.sleep(0.05)
"""


def test_a_blocked_loop_ends_the_process_with_its_stacks() -> None:
    """A real process whose main thread never comes back: 70, and where it hung."""
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert STALLED == done.returncode
    assert "no sign of life for too long: event loop" in done.stderr
    assert "most recent call first" in done.stderr
