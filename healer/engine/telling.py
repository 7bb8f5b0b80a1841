"""The one hook of telemetry: told what happened, never asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from healer.core.facts import Decision, Fact
from healer.core.machine import Step
from healer.core.outlook import Awaited
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import World
from healer.engine.watching import Look


@dataclass(frozen=True, slots=True)
class Told:
    """One step of the engine, or the passing of time (`fact` None)."""

    at: float
    """On the clock of `now`."""
    fact: Fact | None
    decisions: tuple[Decision, ...]
    world: World
    outlook: Callable[[], tuple[Awaited, ...]]
    """Tells what is awaited; a question, since most steps are told to nobody who asks it."""
    dry_run: bool

    @property
    def awaited(self) -> tuple[Awaited, ...]:
        """What may still change the picture."""
        return self.outlook()


def nothing_awaited() -> tuple[Awaited, ...]:
    """The outlook of who waits for nothing."""
    return ()


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step of the engine with all that went into it: the same again gives the same again."""

    at: float
    """On the clock of `now`."""
    before: World
    fact: Fact
    policy: Policy
    taken: Step


@dataclass(frozen=True, slots=True)
class Looked:
    """One look of a probe has ended."""

    layer: Layer
    seconds: float
    look: Look


class Listener(Protocol):
    """Whoever draws, prints, logs or counts."""

    def told(self, told: Told) -> None:
        """Take note; must neither block nor raise."""
        ...


class Both:
    """Two listeners as one."""

    def __init__(self, first: Listener, second: Listener) -> None:
        self._first = first
        self._second = second

    def told(self, told: Told) -> None:
        """Tell both."""
        self._first.told(told)
        self._second.told(told)
