"""See `tests.explore.small.volume`."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Final

from healer.promises.table import broken
from tests.explore.small.faults import schedule_of
from tests.explore.small.run import play
from tests.explore.small.shrink import shrunk
from tests.explore.small.story import story
from tests.explore.small.volume import Counts, explore

HIGHEST: Final = 1_000_000_000


def main() -> int:
    """Explore, or show one schedule; 1 when a promise was broken."""
    asked = _arguments()
    if asked.one is not None:
        return _show(asked.one)
    first = random.SystemRandom().randrange(HIGHEST) if asked.seed is None else asked.seed
    counts = Counts()
    for chunk in explore(first, asked.schedules, asked.workers):
        counts.add(chunk)
        for one in chunk.violations:
            print(f"{one}\n  python -m tests.explore.small --one {one.split()[1][:-1]}", flush=True)
        _write(asked.out, counts, first)
    print(
        f"{counts.schedules} schedules from seed {first}, {counts.steps} steps, "
        f"{len(counts.violations)} violations, {counts.seconds:.0f} CPU s, "
        f"{counts.simulated / 3600 / max(counts.seconds, 0.001):.1f} simulated hours a CPU second"
    )
    return 1 if counts.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.explore.small")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, help="the first; drawn and printed when not given")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--one", type=int, metavar="SEED", help="tell the story of one schedule")
    return parser.parse_args()


def _show(seed: int) -> int:
    """The schedule, shrunk when it breaks a promise, and what came of it."""
    schedule = schedule_of(seed)
    found = broken(play(schedule))
    if found:
        schedule = shrunk(schedule, found[0].promise)
    print(story(schedule))
    return 1 if found else 0


def _write(out: Path | None, counts: Counts, first: int) -> None:
    if out is None:
        return
    head = {"level": "core", "first_seed": first, "commit": _commit()}
    out.write_text(json.dumps({**head, **counts.record()}, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607  (a developer's own git)
        check=True,
        capture_output=True,
        text=True,
    )
    return said.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
