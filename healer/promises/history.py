"""What is written down of a run, so that its promises can be checked afterwards."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from healer.core.facts import Act, Decision, Fact, Outcome
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import World


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of the engine."""

    at: float
    """On the clock of `now`."""
    life: int
    """Which process of healer it was, counted from 1."""
    fact: Fact
    before: World
    after: World
    decisions: tuple[Decision, ...]
    policy: Policy
    well: Mapping[Layer, float] = field(default_factory=dict)
    """What only the outside knows: since when each layer has truly been well; a layer that is
    ill, or of which nobody knows, is absent."""

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts that were let through; asked for by every promise, and mostly there are none."""
        if not self.decisions:
            return ()
        return tuple(one for one in self.decisions if isinstance(one, Act))


@dataclass(slots=True)
class Deed:
    """An act that really reached the outside."""

    act: Act
    life: int
    began: float
    ended: float | None = None
    outcome: Outcome | None = None
    journalled: bool = True
    """Whether the intent could be read in the journal when it began."""
    well_for: float | None = None
    """For how long the layer had truly been well when it began; None = it was ill, or nobody
    knows."""


@dataclass(slots=True)
class History:
    """A run from its first fact to its end, through as many lives of healer as it took."""

    moments: list[Moment] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    faults_over: float | None = None
    """When the last thing befell the tower; None while more is to come."""
    covered: bool = True
    """Whether a ladder answers everything that befell it."""
    harmless: bool = False
    """Nothing was ever wrong: noise, sleep, wake and jumps of the clock at most."""
    human: frozenset[str] = frozenset()
    """What a human set and nobody may undo: `cordon`, `scaled livekit-server to 0`."""
    undone: tuple[str, ...] = ()
    """What of it was found undone at the end."""
    bound: float = 1800.0
    """Seconds after the last fault within which the tower must be well (I12)."""
    ended: float = 0.0
    well_at_end: bool = False
    """Whether the tower was truly well when the run ended."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept, where, and by what."""

    promise: str
    at: float
    what: str


Broken = Iterable[Violation]
