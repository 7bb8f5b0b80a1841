"""What was done and when: the memory behind cooldowns, budgets, backoff and holds.

A ledger is rebuilt from the journal at each start, with all times moved onto this boot's
clock, so that limits hold across restarts, crashes and clock jumps (I4).
"""

from dataclasses import dataclass, replace

from healer.core.facts import Act, Outcome, Pause
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a remedy, from its intent on."""

    act: Act
    at: float
    """When the intent was written, which is before the act."""
    outcome: Outcome | None = None
    """None while it runs, or when healer died in the middle."""
    ended: float | None = None
    detail: str = ""
    verified: bool | None = None
    """Whether recovery followed; None while that is not known."""
    child_pid: int | None = None
    child_started: float | None = None
    """Epoch seconds; with the pid it identifies a start that outlived healer."""

    @property
    def counts(self) -> bool:
        """Whether limits count it: a run that found nothing to do is free."""
        return self.outcome is not Outcome.NOT_NEEDED


@dataclass(frozen=True, slots=True)
class Hold:
    """A layer on which no act may happen until then; for ever when `until` is None."""

    layer: Layer
    reason: Reason
    until: float | None
    detail: str
    target: str = ""
    """The one target that it holds; '' = the whole layer."""

    def covers(self, target: str) -> bool:
        """Whether an act on that target is held by it."""
        return self.target in {"", target}


@dataclass(frozen=True, slots=True)
class Incident:
    """One root cause, and everything it dragged down or uncovered."""

    id: str
    opened: float
    layers: frozenset[Layer]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Attempts (oldest first), holds, pauses, the VM's boots and what is still open."""

    attempts: tuple[Attempt, ...] = ()
    holds: tuple[Hold, ...] = ()
    pauses: tuple[Pause, ...] = ()
    vm_boots: tuple[float, ...] = ()
    """When the VM was seen to have booted, oldest first."""
    rearmed: tuple[tuple[Layer, float], ...] = ()
    """When a layer's stable recovery ended its holds; its ladders begin anew there."""
    incidents: tuple[Incident, ...] = ()
    """Those that an earlier run left open, each with its root's layer: not told anew."""

    def rearmed_at(self, layer: Layer) -> float:
        """When a layer was last re-armed by its own recovery; -inf when never."""
        return max((at for one, at in self.rearmed if one is layer), default=float("-inf"))

    def of(self, remedy: Remedy, target: str = "") -> tuple[Attempt, ...]:
        """Counted attempts of a remedy on a target, oldest first."""
        return tuple(
            one
            for one in self.attempts
            if one.act.remedy is remedy and one.act.target == target and one.counts
        )

    def answers_to(self, event: str) -> tuple[Attempt, ...]:
        """The runs that used up an event; one that the outside refused has changed nothing."""
        if not event:
            return ()
        return tuple(
            one
            for one in self.attempts
            if one.act.event == event and one.counts and one.outcome is not Outcome.FAILED
        )

    def needless(self, remedy: Remedy, target: str) -> tuple[Attempt, ...]:
        """The runs of late, in a row, that found nothing to do; oldest first."""
        row: list[Attempt] = []
        for one in self.attempts:
            if one.act.remedy is remedy and one.act.target == target:
                row = [*row, one] if one.outcome is Outcome.NOT_NEEDED else []
        return tuple(row)

    def unfinished(self) -> tuple[Attempt, ...]:
        """Intents without a result: after a start, what a crash left behind (I10)."""
        return tuple(one for one in self.attempts if one.outcome is None)

    def with_attempt(self, attempt: Attempt) -> "Ledger":
        """Add an intent, or replace the attempt of the same id."""
        others = tuple(one for one in self.attempts if one.act.id != attempt.act.id)
        return replace(self, attempts=(*others, attempt))
