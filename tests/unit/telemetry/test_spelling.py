"""How lengths of time and foreign words are spelled."""

import pytest

from healer.telemetry.spelling import VERDICT, age, clean, counted


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


def test_foreign_words_are_one_line_that_no_terminal_obeys() -> None:
    """Escapes, line ends, bells, the new line of Unicode and what turns the writing round."""
    assert "a [31m b c d e" == clean("a\x1b[31m\nb\r\x07c\u2028d\u202ee")


def test_one_and_many() -> None:
    """`1 act`, `2 acts`."""
    assert ("1 act", "0 acts") == (counted(1, "act"), counted(0, "act"))


def test_every_exit_code_of_the_tower_has_a_verdict() -> None:
    """Those of design §5 that speak of the tower."""
    assert {0, 1, 3, 4} == set(VERDICT)
