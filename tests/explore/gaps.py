"""What was seen in reality and is never drawn, and why that is so.

`gaps.toml` explains what stays undrawn, by the sighting or by a pattern of `fnmatch`; a test fails
for a gap that nobody explains and for an explanation that no gap needs.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

EXPLAINED: Final = Path(__file__).with_name("gaps.toml")
_DRAWERS: Final = ("engine", "core")


@dataclass(frozen=True, slots=True)
class Why:
    """Why some sightings are never drawn."""

    like: str
    why: str

    def covers(self, sighting: str) -> bool:
        """Whether it speaks of this sighting."""
        return fnmatchcase(sighting, self.like)


@dataclass(frozen=True, slots=True)
class Gap:
    """Seen, and never drawn."""

    sighting: str
    times: int
    where: str
    why: str
    """'' = nobody has explained it."""


def explained(path: Path = EXPLAINED) -> tuple[Why, ...]:
    """Every explanation; TypeError when an entry lacks a key or has one too many."""
    return tuple(Why(**one) for one in tomllib.loads(path.read_text("utf-8")).get("gap", ()))


def gaps(records: Iterable[Mapping[str, Any]], whys: Collection[Why]) -> list[Gap]:
    """What some record of reality holds and no record of the explorer does, the commonest first."""
    known = list(records)
    drawn = drawn_by(known)
    seen: Counter[str] = Counter()
    where: dict[str, str] = {}
    for record in known:
        if record["level"] == "seen":
            seen.update(record["drawn"])
            where.update(dict.fromkeys(record["drawn"], record["where"]))
    missing = [(one, times) for one, times in seen.most_common() if one not in drawn]
    return [Gap(one, times, where[one], _why(one, whys)) for one, times in missing]


def drawn_by(records: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """All that the explorer drew."""
    return frozenset(
        one for record in records if record["level"] in _DRAWERS for one in record.get("drawn", ())
    )


def needless(found: Collection[Gap], whys: Collection[Why]) -> list[Why]:
    """Explanations that no gap needs any more."""
    return [one for one in whys if not any(one.covers(gap.sighting) for gap in found)]


def _why(sighting: str, whys: Collection[Why]) -> str:
    return next((one.why for one in whys if one.covers(sighting)), "")
