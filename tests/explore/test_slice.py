"""A slice of the exploration with a fresh seed: it says which, and how to see what it found."""

from __future__ import annotations

import random

import pytest

from tests.explore.__main__ import CHUNKS, HIGHEST, SHOWS
from tests.explore.counting import Counts

SLICES = {"core": 500, "engine": 8}
"""How many schedules of each level: some seconds each."""


@pytest.mark.parametrize("level", SLICES)
def test_no_promise_is_broken_on_a_fresh_seed(
    level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever befalls, in whatever order, and wherever healer is killed: I1 to I17 hold."""
    seed = random.SystemRandom().randrange(HIGHEST)
    with capsys.disabled():
        print(f"\nexplore --level {level} --seed {seed}")
    counts = CHUNKS[level][0]((seed, SLICES[level]))

    again = f"python -m tests.explore --level {level} --one SEED"
    assert [] == counts.violations, again
    assert SLICES[level] == counts.schedules
    assert counts.acts


@pytest.mark.parametrize(("level", "seed"), [("core", 7), ("engine", 7)])
def test_a_schedule_is_the_same_each_time(level: str, seed: int) -> None:
    """What a seed showed once it shows again, to the letter (I17)."""
    assert SHOWS[level](seed) == SHOWS[level](seed)


def test_counts_add_up_over_workers() -> None:
    """Two chunks together are what one of both would be."""
    play, _ = CHUNKS["core"]
    both = Counts()
    both.add(play((100, 6)))
    both.add(play((106, 6)))
    once = play((100, 12))
    assert pytest.approx(once.simulated) == both.simulated
    once.seconds, once.simulated = both.seconds, both.simulated

    assert once.record() == both.record()
