"""Everything that `step` may be told beforehand: tables, limits and the kind of run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from healer.core.ladders import GRACE, HOUR, LADDERS, LIMITS, Budget, Ladder, Limits, Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer

FOREIGN_PATIENCE: Final = 900.0
"""Seconds; a `colima start` has 10 min for the VM and 2 min for docker."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What healer may do; times in seconds."""

    run: str
    """Names this process's run; act and incident ids begin with it."""
    ladders: Mapping[Reason, Ladder] = field(default_factory=lambda: LADDERS)
    limits: Mapping[Remedy, Limits] = field(default_factory=lambda: LIMITS)
    grace: Mapping[Layer, tuple[Layer, float]] = field(default_factory=lambda: GRACE)
    total: Budget = field(default_factory=lambda: Budget(20, HOUR))
    """All remedies together (design §4.3)."""
    sign_fresh: float = 30.0
    """A sign older than this witnesses nothing."""
    stable: float = 600.0
    """A recovery that lasted so long makes the backoff begin anew."""
    disable_after: int = 5
    """A remedy that failed this often in a row is disabled (design §4.6)."""
    veto_patience: float = 300.0
    """How long after the last failure a rung may be forbidden by its witnesses before its ladder
    counts as spent: whatever answers then goes on answering, and the gentle rungs rest."""
    holds_before_giving_up: int = 3
    """Spent ladders or budgets without a recovery between them (design §10)."""
    crash_loop_boots: int = 3
    """So many boots of the VM …"""
    crash_loop_window: float = 900.0
    """… within this time are a crash loop, in which no start may help (R18)."""
    foreign_patience: float = FOREIGN_PATIENCE
    """How long somebody else's start or stop may run before it is reported."""
    foreign_grace: float = 20.0
    """After somebody else's start or stop has ended: what it started comes up by itself."""
    storm_owners: int = 4
    """The storm brake needs at least so many ill owners (design §10)."""
    deletes_at_once: int = 3
    """Pod deletes awaiting their verification at once (facts/talos-kubernetes.md §4)."""
    one_pass: bool = False
    """`--once`: skips the grace after boot and wake, nothing else (design §10)."""
    no_acts_because: str = ""
    """Why nothing may be done in this run (design §6): the journal cannot be written, or
    another healer holds the writer's lock; '' = acts are allowed."""
    act_before: float | None = None
    """No new act after this time (the deadline of one pass); None = no deadline."""
    seed: int = 0
    """Seed of the jitter, so that a run can be replayed."""
