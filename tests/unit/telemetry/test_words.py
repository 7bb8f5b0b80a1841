"""How decisions, ends and durations read."""

from typing import get_args

import pytest

from healer.core.facts import Decision, Outcome
from healer.core.ladders import Remedy
from healer.telemetry.spelling import duration, short
from healer.telemetry.words import WHAT_IT_DOES, ending, sentence
from tests.unit.telemetry.decisions import EVERY, finished


@pytest.mark.parametrize(("decision", "words"), EVERY.values(), ids=EVERY)
def test_every_decision_has_its_sentence(decision: Decision, words: str) -> None:
    """Or none, when a line would only be noise."""
    assert words == sentence(decision, 100.0)


def test_no_kind_of_decision_is_forgotten_here() -> None:
    """A new kind must be given its words in this file's table."""
    assert set(get_args(Decision)) == {type(one) for one, _ in EVERY.values()}


def test_every_remedy_has_words() -> None:
    """A person is never shown a name out of the code for what is done."""
    assert set(Remedy) == set(WHAT_IT_DOES)


@pytest.mark.parametrize(
    ("outcome", "how"),
    [
        (Outcome.DONE, "done"),
        (Outcome.NOT_NEEDED, "not needed any more"),
        (Outcome.FAILED, "failed"),
        (Outcome.TIMED_OUT, "timed out"),
        (Outcome.INTERRUPTED, "interrupted"),
    ],
)
def test_every_end_of_an_act_has_words(outcome: Outcome, how: str) -> None:
    """With its length, what it was, and what was said."""
    said = f"{how} after 12 s: delete the pod joelclaw/redis-0 (deleted redis-0)"

    assert said == ending(finished(outcome), 12.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.7, "1 min"),
        (200.0, "3 min 20 s"),
        (3600.0, "1 h"),
        (7500.0, "2 h 5 min"),
        (90_000.0, "1 d 1 h"),
        (864_000.0, "10 d"),
    ],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float, words: str) -> None:
    """Tenths only where they matter."""
    assert words == duration(seconds)


def test_long_evidence_is_cut_at_a_word() -> None:
    """A line stays a line; what fits is left alone."""
    cut = short("word " * 100)

    assert len(cut) <= 162
    assert cut.endswith("word …")
    assert "fits" == short("fits")
