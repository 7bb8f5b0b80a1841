"""Schedules that once broke a promise: each found a bug, in healer or in what tells of it."""

from __future__ import annotations

import pytest

from tests.explore.__main__ import SHOWS

FOUND = [
    ("core", 22117, "a human's stop was taken for a part of a cycle that had been cut off"),
    ("core", 302, "a rung that living witnesses forbid was refused for ever, in silence"),
    ("core", 351, "an act that timed out used up its event, and nobody was told"),
    ("core", 22494, "a silent API was not told of, soon after somebody's restart"),
    ("core", 155643, "a human's stop of the VM was taken for a part of our container's restart"),
    ("core", 143801, "a human's stop of docker was taken for a part of a restart cut off"),
    ("engine", 5016, "a force-stop began while a stop of an earlier life still hung"),
    ("engine", 200308, "LiveKit's pod was replaced under a human's cordon"),
    ("engine", 100161, "a pause was told, and taken for silence"),
]


@pytest.mark.parametrize(("level", "seed", "why"), FOUND)
def test_what_was_found_stays_mended(level: str, seed: int, why: str) -> None:
    """The same seed, the same schedule, and every promise kept."""
    story, is_broken = SHOWS[level](seed)

    assert not is_broken, f"{why}\n{story}"
