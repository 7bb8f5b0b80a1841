"""What is counted over many runs, whatever level of healer they were played on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from healer.core.facts import (
    Act,
    Changed,
    GaveUp,
    Held,
    IncidentOpened,
    IncidentResolved,
    Refused,
    Verified,
)
from healer.core.tower import LAYERS
from healer.promises.table import PROMISES, broken
from tests.explore.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healer.promises.history import History, Moment

HOUR: Final = 3600.0
STEP: Final = 5
KEPT: Final = 50
"""Violations that are written down in words."""


@dataclass
class Counts:
    """What is counted over schedules; adds up over workers."""

    schedules: int = 0
    seconds: float = 0.0
    """CPU seconds."""
    simulated: float = 0.0
    """Virtual seconds."""
    steps: int = 0
    lives: int = 0
    healed: int = 0
    """Schedules that a ladder covers, with the tower well at the end."""
    covered: int = 0
    most_acts_an_hour: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    pairs: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)
    states: set[tuple[str, ...]] = field(default_factory=set)
    transitions: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)
    """Incidents by their root's layer and by how long they lasted, in steps of five seconds."""
    violations: list[str] = field(default_factory=list)
    drawn: Counter[str] = field(default_factory=Counter)
    """What probes answered, as `sightings` tells it."""
    fell: Counter[str] = field(default_factory=Counter)
    """How often each layer truly fell ill with nothing ill below it. From here on only where the
    truth, notices and awaits are at hand: at the level of the engine."""
    detected: Counter[str] = field(default_factory=Counter)
    """Such falls by layer and by seconds until the first bad observation."""
    acted: Counter[str] = field(default_factory=Counter)
    """Such falls by layer and by seconds until the first act."""
    rooted: Counter[str] = field(default_factory=Counter)
    """Incidents by whether their root was what was truly ill lowest."""
    notices: Counter[str] = field(default_factory=Counter)
    """What a human was told, by kind, without digests."""
    told: Counter[str] = field(default_factory=Counter)
    """Incidents by how many notices each had."""
    crash_points: Counter[str] = field(default_factory=Counter)
    """Awaits of healer at which a crash cut it off."""
    stood: set[str] = field(default_factory=set)
    """Awaits of healer at which a task was seen to stand."""
    awaits: int = 0
    """How many awaits the parts of healer have that may be cut off."""
    alone: Counter[str] = field(default_factory=Counter)
    """Faults that befell alone."""
    unseen: Counter[str] = field(default_factory=Counter)
    """Those of which no probe ever answered anything bad."""

    def add(self, other: Counts) -> None:
        """Take in what another worker counted."""
        for name in ("schedules", "seconds", "simulated", "steps", "lives", "healed", "covered"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.most_acts_an_hour = max(self.most_acts_an_hour, other.most_acts_an_hour)
        self.awaits = max(self.awaits, other.awaits)
        self.states |= other.states
        self.stood |= other.stood
        self.violations += other.violations

    def record(self) -> dict[str, Any]:
        """As JSON may hold it: the largest counts first."""
        told = dict(vars(self))
        told["states"] = len(self.states)
        told["stood"] = sorted(self.stood)
        told["violations_in_all"] = len(self.violations)
        told["violations"] = self.violations[:KEPT]
        for name in _COUNTERS:
            told[name] = dict(getattr(self, name).most_common())
        return told


_COUNTERS: Final = (
    "faults",
    "pairs",
    "others",
    "acts",
    "refused",
    "said",
    "transitions",
    "checked",
    "recovered",
    "drawn",
    "fell",
    "detected",
    "acted",
    "rooted",
    "notices",
    "told",
    "crash_points",
    "alone",
    "unseen",
)


def count_run(
    counts: Counts, name: str, history: History, befell: Sequence[str], *, again: bool
) -> None:
    """One run: what befell it, what was done, and which promises it broke.

    `again`: decide each step once more (I17), which doubles what it costs.
    """
    without = () if again else ("I17",)
    counts.checked.update(one for one in PROMISES if one not in without)
    counts.violations += [
        f"{name}: {one.promise} at {one.at:.1f} s: {one.what}" for one in broken(history, without)
    ]
    counts.schedules += 1
    counts.faults.update(befell)
    counts.pairs.update(
        f"{one}+{other}"
        for place, one in enumerate(sorted(befell))
        for other in sorted(befell)[place + 1 :]
    )
    _count_history(counts, history)


def _count_history(counts: Counts, history: History) -> None:
    counts.simulated += history.ended
    counts.steps += len(history.moments)
    counts.lives += history.moments[-1].life
    counts.covered += history.covered
    counts.healed += history.covered and history.well_at_end
    counts.acts.update(one.act.remedy.value for one in history.deeds)
    counts.most_acts_an_hour = max(counts.most_acts_an_hour, _most_an_hour(history))
    roots: dict[str, str] = {}
    sightings = Sightings(counts.drawn)
    for moment in history.moments:
        sightings.heard(moment.fact, moment.at)
        _count_decisions(counts, moment)
        _count_incidents(counts, moment, roots)


def _count_decisions(counts: Counts, moment: Moment) -> None:
    for one in moment.decisions:
        match one:
            case Refused():
                counts.refused[one.rule.value] += 1
            case Changed():
                counts.transitions[f"{one.layer}: {one.was} -> {one.now}"] += 1
            case Act() | Verified() | Held() | GaveUp() | IncidentOpened():
                counts.said[type(one).__name__] += 1
            case _:
                pass
    if any(isinstance(one, Changed) for one in moment.decisions):
        states = moment.after.states
        counts.states.add(tuple(str(states.get(layer, "")) for layer in LAYERS))


def _count_incidents(counts: Counts, moment: Moment, roots: dict[str, str]) -> None:
    for one in moment.decisions:
        match one:
            case IncidentOpened():
                roots[one.incident] = one.layer.value
            case IncidentResolved() if one.incident in roots:
                lasted = STEP * round(one.seconds / STEP)
                counts.recovered[f"{roots[one.incident]} {lasted}"] += 1
            case _:
                pass


def _most_an_hour(history: History) -> int:
    """Acts within any hour that ends with one."""
    times = [one.began for one in history.deeds]
    return max((sum(0 <= end - one < HOUR for one in times) for end in times), default=0)
