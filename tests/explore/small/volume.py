"""Chunks of schedules over the pure core, on one or several processes."""

from __future__ import annotations

import time

from tests.explore.counting import Counts, count_run
from tests.explore.small.faults import schedule_of
from tests.explore.small.run import play

REPLAYED = 20
"""Every so-many-th schedule is decided again, step by step (I17)."""


def chunk(span: tuple[int, int]) -> Counts:
    """Play so many schedules (second) from a seed (first) on."""
    counts, began = Counts(), time.process_time()
    first, count = span
    for seed in range(first, first + count):
        schedule = schedule_of(seed)
        history = play(schedule)
        faults = [one.name for one in schedule.events if one.kind == "fault"]
        count_run(counts, f"core {seed}", history, faults, again=seed % REPLAYED == 0)
        counts.others.update(
            f"{one.kind} {one.name}" if one.kind == "crash" else one.kind
            for one in schedule.events
            if one.kind != "fault"
        )
    counts.seconds = time.process_time() - began
    return counts
