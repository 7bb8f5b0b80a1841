"""How lengths of time, counts and verdicts are spelled."""

import pytest

from healer.telemetry.spelling import VERDICT, age, counted


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60.0, "1 min"),
        (7199.0, "1 h"),
        (86_400.0, "1 d"),
        (9e6, "104 d"),
    ],
)
def test_an_age_has_one_unit(seconds: float, words: str) -> None:
    """It fits a column."""
    assert words == age(seconds)


def test_one_and_many() -> None:
    """`1 act`, `2 acts`."""
    assert ("1 act", "0 acts") == (counted(1, "act"), counted(0, "act"))


def test_every_exit_code_of_the_tower_has_a_verdict() -> None:
    """Those of design §5 that speak of the tower."""
    assert {0, 1, 3, 4} == set(VERDICT)
