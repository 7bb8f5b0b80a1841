"""A schedule and what came of it, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healer.core.facts import (
    Act,
    Changed,
    Finished,
    GaveUp,
    Held,
    NotVerified,
    Refused,
    Verified,
)
from healer.promises.table import broken
from tests.explore.small.faults import schedule_of
from tests.explore.small.run import play
from tests.explore.small.shrink import shrunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healer.core.facts import Decision
    from healer.promises.history import Moment
    from tests.explore.small.faults import Schedule


def show(seed: int) -> tuple[str, bool]:
    """The story of a schedule, made as small as it goes when it breaks a promise, which is told."""
    schedule = schedule_of(seed)
    found = broken(play(schedule))
    if found:
        schedule = shrunk(schedule, found[0].promise)
    return story(schedule), bool(found)


def story(schedule: Schedule) -> str:
    """All that befell, was decided and done, and which promises it broke."""
    history = play(schedule)
    lines = [f"seed {schedule.seed}, lost {schedule.lost}, flaky {schedule.flaky}"]
    lines += [
        f"{one.at:8.1f}    befalls: {one.kind} {one.name} {one.lasts or ''}"
        for one in schedule.events
    ]
    lines += [line for moment in history.moments for line in told(moment)]
    lines.append(f"well at the end ({history.ended:.0f} s): {history.well_at_end}")
    lines += [f"BROKEN {one.promise} at {one.at:.1f}: {one.what}" for one in broken(history)]
    return "\n".join(lines)


def told(moment: Moment) -> Iterator[str]:
    """What was decided at a moment, and which act had ended then."""
    place = f"{moment.at:8.1f} L{moment.life}"
    if isinstance(moment.fact, Finished):
        yield f"{place} ended {moment.fact.act.remedy}: {moment.fact.outcome}"
    for one in moment.decisions:
        yield f"{place} {_words(one)}"


def _words(one: Decision) -> str:
    match one:
        case Act():
            return f"ACT {one.remedy} for {one.reason} {one.target}"
        case Refused():
            return f"refused {one.remedy}: {one.rule} ({one.detail})"
        case Changed():
            return f"{one.layer}: {one.was} -> {one.now} {one.why}"
        case Verified() | NotVerified():
            return f"{type(one).__name__} {one.act.remedy}"
        case Held() | GaveUp():
            return f"{type(one).__name__} {one.layer}: {one.detail}"
        case _:
            return type(one).__name__
