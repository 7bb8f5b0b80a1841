"""Faults every few seconds: nothing that the daemon holds may grow."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.lab.tower.soak import soak

if TYPE_CHECKING:
    from tests.lab.tower.tower import Tower

pytestmark = [pytest.mark.lab, pytest.mark.kubernetes, pytest.mark.timeout(1500)]

SECONDS = 300.0 if os.environ.get("CI") == "true" else 60.0
LARGER = 1.15
"""Memory may still grow by some buffers; a leak of one look would be far more."""


def test_nothing_grows_under_faults(tower: Tower) -> None:
    """Memory, descriptors, threads, children and zombies are level."""
    before, after = soak(tower, SECONDS, random.SystemRandom().randrange(1_000_000))

    assert after.rss < before.rss * LARGER, (before, after)
    assert after.rss < 100.0
    assert after.descriptors <= before.descriptors + 4, (before, after)
    assert after.threads <= before.threads + 2, (before, after)
    assert after.children <= before.children + 1, (before, after)
    assert 0 == after.zombies
