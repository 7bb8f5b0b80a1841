"""A schedule over the whole engine, made as small as it goes, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healer.promises.table import broken
from tests.explore.engine.schedules import schedule_of
from tests.explore.engine.volume import play
from tests.explore.small.story import told

if TYPE_CHECKING:
    from tests.explore.engine.schedules import Schedule


def show(seed: int) -> tuple[str, bool]:
    """Its story, and whether it breaks a promise."""
    schedule = schedule_of(seed)
    found = broken(play(schedule).history)
    if found:
        schedule = shrunk(schedule, found[0].promise)
    return story(schedule), bool(found)


def shrunk(schedule: Schedule, promise: str) -> Schedule:
    """Take away what befalls, and crashes, as long as the promise stays broken."""
    while True:
        parts = range(len(schedule.happens) + len(schedule.crashes))
        smaller = (schedule.without(number) for number in parts)
        found = next((one for one in smaller if _breaks(one, promise)), None)
        if found is None:
            return schedule
        schedule = found


def _breaks(schedule: Schedule, promise: str) -> bool:
    return any(one.promise == promise for one in broken(play(schedule).history))


def story(schedule: Schedule) -> str:
    """What befell, what truly happened, and what was decided."""
    played = play(schedule)
    lines = [
        f"{one.at:8.1f}    befalls: {one.what} {dict(one.parameters)}" for one in schedule.happens
    ]
    lines += [f"            crash: {one}" for one in schedule.crashes]
    timed = [(one.at, f"{one.at:8.1f}    . . . {one.what}") for one in played.happened]
    timed += [(one.at, line) for one in played.history.moments for line in told(one)]
    lines += [line for _, line in sorted(timed, key=lambda one: one[0])]
    lines.append(f"well at the end ({played.history.ended:.0f} s): {played.history.well_at_end}")
    lines += [f"BROKEN {one.promise} at {one.at:.1f}: {one.what}" for one in broken(played.history)]
    return "\n".join(lines)
