"""Chunks of schedules over the real daemon, probes and remedies on a simulated tower."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from healer.drills.playing import Manner, run
from tests.explore.counting import Counts, count_run
from tests.explore.engine.outside import count_outside
from tests.explore.engine.schedules import Schedule, schedule_of
from tests.explore.engine.watching import Watch

if TYPE_CHECKING:
    from healer.drills.playing import Played

REPLAYED: Final = 10
"""Every so-many-th schedule is decided again, step by step (I17)."""
QUIET: Final = 30.0
QUIET_WHEN_ILL: Final = 120.0


def play(schedule: Schedule) -> Played:
    """What came of a schedule."""
    return watched(schedule)[0]


def watched(schedule: Schedule) -> tuple[Played, Watch]:
    """What came of it, and what the outside saw meanwhile."""
    watch = Watch(schedule.crashes)
    manner = Manner(
        crashes=schedule.crashes,
        watcher=watch,
        turned=watch.turned,
        quiet=QUIET,
        quiet_when_ill=QUIET_WHEN_ILL,
    )
    return run(schedule.scenario, seed=schedule.seed, manner=manner), watch


def chunk(span: tuple[int, int]) -> Counts:
    """Play so many schedules (second) from a seed (first) on."""
    counts, began = Counts(), time.process_time()
    first, many = span
    for seed in range(first, first + many):
        count(counts, schedule_of(seed))
    counts.seconds = time.process_time() - began
    return counts


def count(counts: Counts, schedule: Schedule) -> None:
    """Play one, and count what came of it."""
    played, watch = watched(schedule)
    name = f"engine {schedule.seed}"
    again = schedule.seed % REPLAYED == 0
    count_run(counts, name, played.history, schedule.befell, again=again)
    counts.violations += [f"{name}: harm at {one.at:.1f} s: {one.what}" for one in played.harm]
    counts.others.update(
        "crash at an await" if one.at is None else "crash at a time" for one in schedule.crashes
    )
    count_outside(counts, schedule, played, watch)
