"""Schedules that once broke a promise: each found a bug, in healer or in what tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healer.promises.table import broken
from tests.explore.engine import kept
from tests.explore.engine.showing import story
from tests.explore.engine.volume import play
from tests.explore.small import kept as core
from tests.explore.small.run import play as play_core
from tests.explore.small.story import story as story_of_core

if TYPE_CHECKING:
    from tests.explore.engine.schedules import Schedule
    from tests.explore.small.faults import Schedule as Small

CORE = [
    (core.CYCLE_CUT_OFF, "a human's stop was taken for a part of a cycle that had been cut off"),
    (core.FORBIDDEN_RUNG, "a rung that living witnesses forbid was refused for ever, in silence"),
    (core.EVENT_USED_UP, "an act that timed out used up its event, and nobody was told"),
    (core.SILENT_SOON_AFTER, "a silent API was not told of, soon after somebody's restart"),
    (
        core.STOPPED_WHILE_RESTARTED,
        "a human's stop of the VM was taken for a part of our container's restart",
    ),
    (
        core.CORDON_BECAME_HUMAN,
        "the model's uncordon took a cordon away that had become a human's meanwhile",
    ),
    (core.RESTART_CUT_OFF, "a human's stop of docker was taken for a part of a restart cut off"),
    (core.BOOTED_AT_ONCE, "a boot that seemed as early as its cycle did not end what was ours"),
    (
        core.JOB_DISABLED_MEANWHILE,
        "the model's kickstart started a job that a human had disabled in the same half second",
    ),
    (core.USERNET_UNSEEN, "a living VM was stopped: its dead usernet could not be looked at"),
    (core.JOB_IN_A_LOOP, "a job that launchd started again and again was never told of"),
]
ENGINE = [
    (kept.STOP_STILL_HANGS, "a force-stop began while a stop of an earlier life still hung"),
    (kept.CORDONED, "LiveKit's pod was replaced under a human's cordon"),
    (kept.PAUSED, "a pause was told, and taken for silence"),
    (kept.GRACE_AFTER_A_SET_CLOCK, "a run was over while a grace had put everything off"),
]


@pytest.mark.parametrize(("schedule", "why"), CORE)
def test_what_was_found_in_the_core_stays_mended(schedule: Small, why: str) -> None:
    """The same schedule, and every promise kept."""
    assert not broken(play_core(schedule)), f"{why}\n{story_of_core(schedule)}"


@pytest.mark.parametrize(("schedule", "why"), ENGINE)
def test_what_was_found_in_the_engine_stays_mended(schedule: Schedule, why: str) -> None:
    """The same schedule, and every promise kept."""
    assert not broken(play(schedule).history), f"{why}\n{story(schedule)}"
