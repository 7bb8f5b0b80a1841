"""The kept explanations speak of code that exists, and the comparison finds what it should."""

from pathlib import Path

import pytest

from tests.mutation.survivors import KEPT, Explanation, compare, load, missing_code
from tests.mutation.tool import Mutant

SOURCE = """class Ledger:
    def of(self) -> int:
        return (
            1 + 2
        )
"""
KNOWN = Explanation("ledger.py", "Ledger.of", "return ( 1 + 2 )", "return ( 1 - 2 )", "no")
LIVED = Mutant("x.1", "survived", KNOWN.file, KNOWN.function, KNOWN.was, KNOWN.becomes)


@pytest.mark.parametrize("one", load(KEPT), ids=lambda one: f"{one.function}: {one.becomes}")
def test_an_explanation_speaks_of_code_that_exists(one: Explanation) -> None:
    """Who edits such a line runs `python -m tests.mutation` for its module, and explains anew."""
    assert "" == missing_code(one)
    assert one.why.strip()
    assert one.was != one.becomes


def test_nothing_is_explained_twice() -> None:
    """Two reasons for one mutant would drift apart."""
    keys = [one.key for one in load(KEPT)]

    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (SOURCE, ""),
        (SOURCE.replace("def", "async def"), ""),
        (SOURCE.replace("1 + 2", "3"), "Ledger.of in ledger.py no longer says `return ( 1 + 2 )`"),
        (SOURCE.replace("of", "at"), "ledger.py has no function Ledger.of"),
        (None, "ledger.py is gone"),
    ],
)
def test_an_edit_of_explained_code_is_noticed(
    source: str | None, expected: str, tmp_path: Path
) -> None:
    """Wherever the lines moved to, their words are looked for in their function."""
    if source is not None:
        (tmp_path / "ledger.py").write_text(source)

    assert expected == missing_code(KNOWN, tmp_path)


def test_a_survivor_without_an_explanation_fails_the_run() -> None:
    """And an explanation without its survivor too."""
    assert ([], []) == compare([LIVED], [KNOWN])
    assert ([LIVED], []) == compare([LIVED], [])
    assert ([], [KNOWN]) == compare([], [KNOWN])


def test_a_mutant_is_known_by_its_text() -> None:
    """Its number changes with every edit above it."""
    moved = Mutant("x.7", "survived", KNOWN.file, KNOWN.function, KNOWN.was, KNOWN.becomes)

    assert ([], []) == compare([moved], [KNOWN])
