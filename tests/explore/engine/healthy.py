"""A tower on which nothing is ever wrong, with the noise of real life: each sound is a false one.

A stretch is six hours, four make a day: in all of them one answer in 500 gets lost (as in the drill
of a healthy day), and in each there are slow answers, lost events, stale reads and a sleep.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final

from healer.drills.playing import Manner, run
from healer.drills.scenario import Happens, Scenario
from healer.model.notice import Kind as Notified
from healer.promises.table import broken
from tests.explore.counting import Counts, count_run
from tests.explore.engine.schedules import Schedule

if TYPE_CHECKING:
    from healer.drills.playing import Played
    from healer.model.notice import Notice

STRETCH: Final = 6 * 3600.0
_LOST: Final = 0.2
"""Percent of answers that get lost."""


def stretch_of(seed: int) -> Schedule:
    """Six hours of health."""
    chance = random.Random(f"healthy {seed}")
    happens = [Happens(60.0, "noise", {"seconds": STRETCH, "percent": _LOST})]
    happens += [
        Happens(_at(chance), "slow", {"seconds": 1200.0, "seconds_per_answer": 1.0}),
        Happens(_at(chance), "events_lost", {"seconds": 1800.0}),
        Happens(_at(chance), "stale_reads", {"seconds": 30.0}),
        Happens(_at(chance), "mac_sleeps", {"seconds": round(chance.uniform(60, 3600), 1)}),
    ]
    happens.sort(key=lambda one: one.at)
    return Schedule(seed, tuple(happens), ())


def _at(chance: random.Random) -> float:
    return round(chance.uniform(120.0, STRETCH - 3600.0), 1)


def play(schedule: Schedule) -> Played:
    """What came of a stretch."""
    scenario = Scenario(f"healthy {schedule.seed}", "", schedule.happens, lasts=STRETCH)
    return run(scenario, seed=schedule.seed, manner=Manner())


def show(seed: int) -> tuple[str, bool]:
    """What was said and done in a stretch, and whether that was anything."""
    played = play(stretch_of(seed))
    lines = [f"{one.began:8.1f} {one.act.remedy}" for one in played.history.deeds]
    lines += [f"{one.at:.0f} {one.kind}: {one.title}" for one in alarms(played)]
    lines += [f"BROKEN {one.promise}: {one.what}" for one in broken(played.history, ("I17",))]
    return "\n".join(lines), bool(lines)


def alarms(played: Played) -> list[Notice]:
    """What a human was told but the day's digest."""
    return [one for one in played.notices if one.kind is not Notified.DIGEST]


def chunk(span: tuple[int, int]) -> Counts:
    """Play so many stretches (second) from a seed (first) on."""
    counts, began = Counts(), time.process_time()
    first, count = span
    for seed in range(first, first + count):
        schedule = stretch_of(seed)
        played = play(schedule)
        count_run(counts, f"healthy {seed}", played.history, schedule.befell, again=False)
        counts.notices.update(one.kind.value for one in alarms(played))
    counts.seconds = time.process_time() - began
    return counts
