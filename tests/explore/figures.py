"""What was counted, as a record with its origin, and all records together as one page.

`python -m tests.explore.figures` makes `FIGURES.md` anew from the records in `records/`, which
`python -m tests.explore --out` and `python -m tests.explore.liveness --out` wrote; nothing on that
page is written by hand, and a test makes it anew.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healer.core import machine
from healer.drills.incidents import incidents
from tests.explore.gaps import explained, gaps
from tests.explore.merging import merged
from tests.explore.sections import section

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT: Final = Path(__file__).parents[2]
_RULES: Final = ("healer/core", "healer/promises", "tests/explore/small")
PAGE: Final = Path(__file__).with_name("FIGURES.md")
RECORDS: Final = Path(__file__).with_name("records")
_ORDER: Final = ("core", "engine", "healthy", "liveness")
_SEEN: Final = "seen"
"""What real parts answered: such records have no seeds, and nothing to add up."""
_FIGURES: Final = (
    ("faults, by kind and layer, alone and in pairs", "levels core and engine"),
    ("schedules, distinct states and changes", "levels core and engine"),
    ("promises, and bugs seeded for each", "the promises; `pytest tests/mutants` seeds them"),
    ("mutants of the core, each killed or explained", "`python -m tests.mutation`"),
    ("wrong acts, with the rate ruled out", "levels core and engine"),
    ("most acts within an hour", "levels core and engine"),
    ("time to detect, to act, to recover", "level engine; `python -m tests.bench faults`"),
    ("root cause, notices an incident", "level engine"),
    ("crash points covered", "level engine; at the journal's own points: level core"),
    ("false alarms in 30 healthy days", "healthy days"),
    ("simulated hours a CPU second", "every level"),
    ("soak: memory, descriptors, zombies", "`python -m tests.bench soak`"),
    ("a calm daemon's CPU and memory", "`python -m tests.bench steady`"),
    ("on real parts, not simulated", "`pytest tests/lab`"),
    ("what was seen on real parts and is never drawn", "the last section but one"),
    ("what healer is known not to detect", "the last section"),
)
"""What is worth publishing (facts/peers.md §5), and where it is; what is measured on real parts is
told by the command alone."""


def written(level: str, first: int, counted: Mapping[str, Any]) -> str:
    """The record of a run as JSON."""
    head = {
        "level": level,
        "first_seed": first,
        "commit": _commit(),
        "rules": rules(),
        "python": platform.python_version() + _compiled(),
    }
    return json.dumps({**head, **counted}, indent=1) + "\n"


def _compiled() -> str:
    """Whether the core was compiled, as `tests.explore.compiled` makes it, or read as written."""
    is_compiled = not str(machine.__file__).endswith(".py")
    return ", core compiled by mypyc" if is_compiled else ""


@cache
def rules() -> str:
    """Names what decides a schedule of level core: records of the same rules may be added up."""
    told = hashlib.sha256()
    for folder in _RULES:
        for file in sorted((ROOT / folder).glob("*.py")):
            told.update(file.name.encode() + file.read_bytes())
    return told.hexdigest()[:12]


@cache
def _commit() -> str:
    """'unknown' outside of a checkout, or without git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    said = subprocess.run([git, "rev-parse", "HEAD"], check=False, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def page(records: Iterable[dict[str, Any]]) -> str:
    """All records as one page of Markdown."""
    lines = [
        "# Figures",
        "",
        "Made by `python -m tests.explore.figures` from the records of exploration runs.",
        "A zero is followed by the rate that it rules out at 95 % (3/n). All of it is simulated;",
        "what is measured on real parts is kept apart, and told here by its command alone.",
        "",
        "| figure | where |",
        "|---|---|",
    ]
    lines += [f"| {what} | {where} |" for what, where in _FIGURES]
    known = list(records)
    for record in known:
        lines += ["", *section(record)]
    lines += ["", *_never_drawn(known), "", *_undetected()]
    return "\n".join(lines) + "\n"


def _never_drawn(records: list[dict[str, Any]]) -> Iterator[str]:
    found = gaps(records, explained())
    yield "## Seen on real parts, and never drawn"
    yield ""
    yield "Answers of probes, changes between them, signs, and which layer failed after which, as"
    yield "`python -m tests.explore.seen` reads them from the journals of the lab's tests. What no"
    yield "level of the explorer drew is a place where the simulation is kinder than the world."
    yield ""
    yield "| seen | where | times | why it is not drawn |"
    yield "|---|---|---|---|"
    for one in found:
        yield f"| {one.sighting} | {one.where} | {one.times} | {one.why} |"


def _undetected() -> Iterator[str]:
    yield "## Incidents that no drill can play, and what that means"
    yield ""
    yield "| day | incident | why not |"
    yield "|---|---|---|"
    for one in incidents():
        if one.why_not:
            yield f"| {one.when} | {one.what} | {one.why_not} |"


def records() -> list[dict[str, Any]]:
    """The records that are kept, by level, the newest first, those of the same rules added up."""
    drawn = merged(record for level in _ORDER for record in _of(level))
    return [*drawn, *_of(_SEEN)]


def _of(level: str) -> list[dict[str, Any]]:
    files = sorted(RECORDS.glob(f"{level}-*.json"), reverse=True)
    return [json.loads(one.read_text(encoding="utf-8")) for one in files]


if __name__ == "__main__":
    PAGE.write_text(page(records()), encoding="utf-8")
