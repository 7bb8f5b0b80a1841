"""The page of figures is made of records alone, and says what a zero is worth."""

from __future__ import annotations

import json

from tests.explore.__main__ import CHUNKS
from tests.explore.figures import page, written


def test_a_record_becomes_a_page() -> None:
    """Seed, commit, counts, each promise with what its zero rules out."""
    record = json.loads(written("core", 300, CHUNKS["core"][0]((300, 30)).record()))
    shown = page([record])

    assert "30, from seed 300" in shown
    assert record["commit"][:12] in shown
    assert "| I1 | never acts on what it does not know | 30 | 0 | 1.0e-01 |" in shown
    assert "rules out more than" in shown


def test_a_broken_promise_is_counted_and_has_no_bound() -> None:
    """What was seen to fail is not ruled out."""
    record = json.loads(written("core", 300, CHUNKS["core"][0]((300, 2)).record()))
    record["violations"] = ["core 300: I2 at 3.0 s: an act"]
    record["violations_in_all"] = 1

    assert "| I2 | never acts above a failing layer | 2 | 1 |  |" in page([record])
