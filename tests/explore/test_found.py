"""Schedules that once broke a promise: each found a bug, in healer or in what tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healer.promises.table import broken
from tests.explore.engine import kept
from tests.explore.engine.showing import story
from tests.explore.engine.volume import play
from tests.explore.small.story import show

if TYPE_CHECKING:
    from tests.explore.engine.schedules import Schedule

CORE = [
    (22117, "a human's stop was taken for a part of a cycle that had been cut off"),
    (302, "a rung that living witnesses forbid was refused for ever, in silence"),
    (351, "an act that timed out used up its event, and nobody was told"),
    (22494, "a silent API was not told of, soon after somebody's restart"),
    (155643, "a human's stop of the VM was taken for a part of our container's restart"),
    (270269, "the model's uncordon took a cordon away that had become a human's meanwhile"),
    (143801, "a human's stop of docker was taken for a part of a restart cut off"),
]
ENGINE = [
    (kept.STOP_STILL_HANGS, "a force-stop began while a stop of an earlier life still hung"),
    (kept.CORDONED, "LiveKit's pod was replaced under a human's cordon"),
    (kept.PAUSED, "a pause was told, and taken for silence"),
]


@pytest.mark.parametrize(("seed", "why"), CORE)
def test_what_was_found_in_the_core_stays_mended(seed: int, why: str) -> None:
    """The same seed, the same schedule, and every promise kept."""
    told, is_broken = show(seed)

    assert not is_broken, f"{why}\n{told}"


@pytest.mark.parametrize(("schedule", "why"), ENGINE)
def test_what_was_found_in_the_engine_stays_mended(schedule: Schedule, why: str) -> None:
    """The same schedule, and every promise kept."""
    assert not broken(play(schedule).history), f"{why}\n{story(schedule)}"
