"""Many schedules over the pure core, and what was counted on the way.

`python -m tests.explore.small --schedules 1000000`: the figures go to a file as one JSON record;
a violation prints the one command that shows it again.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from healer.core.facts import Act, Changed, GaveUp, Held, IncidentOpened, Refused, Verified
from healer.promises.table import PROMISES, broken
from tests.explore.small.faults import schedule_of
from tests.explore.small.run import play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healer.promises.history import History
    from tests.explore.small.faults import Schedule

REPLAYED: Final = 20
"""Every so-many-th schedule is decided again, step by step (I17); it doubles what one costs."""
CHUNK: Final = 500
HOUR: Final = 3600.0
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
    violations: list[str] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Take in what another worker counted."""
        for name in ("schedules", "seconds", "simulated", "steps", "lives", "healed", "covered"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            getattr(self, name).update(getattr(other, name))
        self.most_acts_an_hour = max(self.most_acts_an_hour, other.most_acts_an_hour)
        self.states |= other.states
        self.violations += other.violations

    def record(self) -> dict[str, Any]:
        """As JSON may hold it: the largest counts first."""
        told = asdict(self)
        told["states"] = len(self.states)
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
)


def explore(first: int, count: int, workers: int) -> Iterator[Counts]:
    """Play so many schedules from a seed on; yields what each chunk counted."""
    chunks = [
        (begin, min(CHUNK, first + count - begin)) for begin in range(first, first + count, CHUNK)
    ]
    if workers == 1:
        yield from map(_chunk, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_chunk, chunks)


def _chunk(chunk: tuple[int, int]) -> Counts:
    counts, began = Counts(), time.process_time()
    first, count = chunk
    for seed in range(first, first + count):
        _count(counts, seed)
    counts.seconds = time.process_time() - began
    return counts


def _count(counts: Counts, seed: int) -> None:
    schedule = schedule_of(seed)
    history = play(schedule)
    without = () if seed % REPLAYED == 0 else ("I17",)
    counts.checked.update(name for name in PROMISES if name not in without)
    counts.violations += [
        f"seed {seed}: {one.promise} at {one.at:.1f} s: {one.what}"
        for one in broken(history, without)
    ]
    _count_schedule(counts, schedule)
    _count_history(counts, history)


def _count_schedule(counts: Counts, schedule: Schedule) -> None:
    faults = sorted(one.name for one in schedule.events if one.kind == "fault")
    counts.schedules += 1
    counts.faults.update(faults)
    counts.others.update(
        f"{one.kind}:{one.name}" if one.kind == "crash" else one.kind
        for one in schedule.events
        if one.kind != "fault"
    )
    counts.pairs.update(
        f"{one}+{other}" for place, one in enumerate(faults) for other in faults[place + 1 :]
    )


def _count_history(counts: Counts, history: History) -> None:
    counts.simulated += history.ended
    counts.steps += len(history.moments)
    counts.lives += history.moments[-1].life
    counts.covered += history.covered
    counts.healed += history.covered and history.well_at_end
    counts.acts.update(one.act.remedy.value for one in history.deeds)
    counts.most_acts_an_hour = max(counts.most_acts_an_hour, _most_an_hour(history))
    for moment in history.moments:
        for one in moment.decisions:
            match one:
                case Refused():
                    counts.refused[one.rule.value] += 1
                case Changed():
                    counts.transitions[f"{one.layer}: {one.was} -> {one.now}"] += 1
                    counts.states.add(tuple(moment.after.states.values()))
                case Act() | Verified() | Held() | GaveUp() | IncidentOpened():
                    counts.said[type(one).__name__] += 1
                case _:
                    pass


def _most_an_hour(history: History) -> int:
    """Acts within any hour that ends with one."""
    times = [one.began for one in history.deeds]
    return max((sum(0 <= end - one < HOUR for one in times) for end in times), default=0)
