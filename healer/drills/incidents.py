"""The incidents of facts/incidents.md §1: which scenario plays each, or why none can."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from healer.drills.library import packaged
from healer.drills.names import names

_PAGE: Final = Path(__file__).parent / "incidents.toml"


@dataclass(frozen=True, slots=True)
class Incident:
    """One row of the table."""

    number: int
    when: str
    """The day on which it began, `2026-02-21`."""
    what: str
    played_by: tuple[str, ...]
    why_not: str
    """'' when a scenario plays it."""


@cache
def incidents() -> Sequence[Incident]:
    """All of them, oldest first."""
    table = tomllib.loads(_PAGE.read_text(encoding="utf-8"))
    return [
        Incident(
            number,
            one["when"].isoformat(),
            one["what"],
            _played_by(number),
            " ".join(one.get("why_not", "").split()),
        )
        for number, one in enumerate(table["incident"], 1)
    ]


def _played_by(number: int) -> tuple[str, ...]:
    return tuple(name for name in names() if number in packaged(name).incidents)
