"""The smallest schedule that still breaks the same promise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healer.promises.table import broken
from tests.explore.small.run import play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explore.small.faults import Schedule


def shrunk(schedule: Schedule, promise: str) -> Schedule:
    """Take away events and chances as long as the promise stays broken."""
    while True:
        smaller = next((one for one in _smaller(schedule) if _breaks(one, promise)), None)
        if smaller is None:
            return schedule
        schedule = smaller


def _smaller(schedule: Schedule) -> Iterator[Schedule]:
    for number in range(len(schedule.events)):
        yield schedule.without(number)
    if schedule.lost:
        yield replace(schedule, lost=0.0)
    if schedule.flaky:
        yield replace(schedule, flaky=0.0)


def _breaks(schedule: Schedule, promise: str) -> bool:
    return any(one.promise == promise for one in broken(play(schedule)))
