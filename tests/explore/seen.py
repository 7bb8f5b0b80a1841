"""`python -m tests.explore.seen JOURNAL… --out FILE`: what the probes of real runs answered.

Each journal is one that healer wrote over real parts: HEALER_LAB_JOURNALS=FOLDER lets the lab's
tests leave theirs in a folder. The file is a record that the page of figures holds against what
the explorer draws.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.replay.running import Segment, read_segments, steps_of
from tests.explore.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Iterable


def main(words: list[str]) -> int:
    """Read them all, and write the record."""
    parser = argparse.ArgumentParser(prog="python -m tests.explore.seen")
    parser.add_argument("journals", nargs="+", type=Path)
    parser.add_argument("--where", default="lab", help="what was looked at: lab, mac, …")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(words)
    record = record_of(asked.journals, asked.where)
    asked.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def record_of(journals: Iterable[Path], where: str) -> dict[str, Any]:
    """What was seen in the facts that these journals keep."""
    sightings, read = Sightings(), 0
    for path in journals:
        _read(path, sightings)
        read += 1
    return {
        "level": "seen",
        "where": where,
        "journals": read,
        "drawn": dict(sorted(sightings.counts.items())),
    }


def _read(path: Path, sightings: Sightings) -> None:
    """Each segment once, though several incidents may share it."""
    journal = SqliteJournal.for_reading(path, SystemClock())
    if journal is None:
        raise SystemExit(f"{path}: there is no journal; name a file that healer wrote")
    try:
        kept = journal.evidence()
        policies = kept.policies()
        segments = [part for one in kept.incidents() for part in kept.segments_of(one.id)]
    finally:
        journal.close()
    known: set[int] = set()
    for one in read_segments(segments, policies):
        if not isinstance(one, Segment) or one.number in known:
            continue
        known.add(one.number)
        sightings.begin()
        for _, taken in steps_of(one):
            sightings.heard(taken.fact, taken.now)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
