"""A scenario as data: what befalls the tower and when, and what must come of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from healer.core.facts import Rule
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.simulation.happenings import Value

BOUND = 1800.0
"""Seconds within which a tower that a ladder answers for must be well (I12)."""


@dataclass(frozen=True, slots=True)
class Happens:
    """One thing that befalls the tower, or healer itself."""

    at: float
    """Seconds since the drill began, sleep included."""
    what: str
    """A name of `healer.simulation.happenings.HAPPENINGS`, or of `healer.drills.ourselves`."""
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expect:
    """What must happen, and what must not. None asks nothing."""

    acts: tuple[frozenset[Remedy], ...] | None = None
    """Everything that is done, in this order; within a set any order will do."""
    may: frozenset[Remedy] = frozenset()
    """Acts that may come beside those, at any place."""
    never: frozenset[Remedy] = frozenset()
    untouched: frozenset[Layer] = frozenset()
    """Layers on which nothing is done."""
    incidents: int | None = None
    notices: tuple[str, ...] | None = None
    """The kinds of notices that a human gets, in order: `opened`, `gave_up`, `resolved` …"""
    reports: frozenset[Reason] = frozenset()
    """What must be told, though nothing is done about it."""
    refused: frozenset[Rule] = frozenset()
    """Rules by which an act must have been refused."""
    gives_up: frozenset[Layer] | None = frozenset()
    """Exactly the layers that are held or given up at some time: a human is needed."""
    well_within: float | None = None
    """Seconds after the last fault within which the tower is truly well."""
    ill: bool | None = False
    """Whether the tower is still ill at the end: nothing that healer may do can help."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A drill."""

    name: str
    about: str
    happens: tuple[Happens, ...] = ()
    expect: Expect = field(default_factory=Expect)
    incidents: tuple[int, ...] = ()
    """Rows of facts/incidents.md §1 that it plays."""
    lasts: float = 0.0
    """Seconds that it lasts at the least; beyond them it ends as soon as all is settled."""

    @property
    def bound(self) -> float:
        """Seconds after the last fault within which healer promises a healthy tower.

        A shorter `well_within` is an expectation of the scenario and changes no promise.
        """
        return max(BOUND, self.expect.well_within or 0.0)
