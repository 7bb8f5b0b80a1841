"""Explores schedules in volume, and writes down what was counted.

`python -m tests.explore --schedules 1000000` plays them over the pure core and a tower of few bits;
`--level engine` over the real daemon, probes and remedies on healer's own simulation, which takes
some fifty times as long; `--level healthy` plays stretches of six hours in which nothing is wrong.
A broken promise prints the one command that shows it again, and ends with exit code 1. `--one SEED`
tells the story of one schedule, made as small as it goes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.explore.counting import Counts
from tests.explore.engine import healthy, showing
from tests.explore.engine.volume import chunk as engine_chunk
from tests.explore.figures import written
from tests.explore.small.story import show as show_small
from tests.explore.small.volume import chunk as core_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Span = tuple[int, int]
HIGHEST: Final = 1_000_000_000
CHUNKS: Final[dict[str, tuple[Callable[[Span], Counts], int]]] = {
    "core": (core_chunk, 500),
    "engine": (engine_chunk, 20),
    "healthy": (healthy.chunk, 1),
}
"""How a chunk of each level is played, and how many schedules it holds."""
KEPT_EVERY: Final = 20
"""After so many chunks a long run writes down what it has counted so far."""
SHOWS: Final = {"core": show_small, "engine": showing.show, "healthy": healthy.show}


def main(words: list[str]) -> int:
    """Explore, or show one schedule; 1 when a promise was broken."""
    asked = _arguments(words)
    if asked.one is not None:
        story, is_broken = SHOWS[asked.level](asked.one)
        print(story)
        return int(is_broken)
    first = random.SystemRandom().randrange(HIGHEST) if asked.seed is None else asked.seed
    counts = Counts()
    played = explore(asked.level, first, asked.schedules, asked.workers)
    for number, one in enumerate(played, 1):
        counts.add(one)
        for found in one.violations:
            print(f"{found}\n  python -m tests.explore --level {_command(found)}", flush=True)
        if number % KEPT_EVERY == 0:
            _keep(asked, first, counts)
    _keep(asked, first, counts)
    print(_summary(asked.level, first, counts))
    return int(bool(counts.violations))


def _keep(asked: argparse.Namespace, first: int, counts: Counts) -> None:
    if asked.out is not None:
        asked.out.write_text(written(asked.level, first, counts.record()), encoding="utf-8")


def explore(level: str, first: int, count: int, workers: int) -> Iterator[Counts]:
    """Play so many schedules from a seed on; yields what each chunk counted."""
    play, size = CHUNKS[level]
    spans = [
        (begin, min(size, first + count - begin)) for begin in range(first, first + count, size)
    ]
    if workers == 1:
        yield from map(play, spans)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(play, spans)


def _command(found: str) -> str:
    level, seed = found.partition(":")[0].split()
    return f"{level} --one {seed}"


def _summary(level: str, first: int, counts: Counts) -> str:
    hours = counts.simulated / 3600 / max(counts.seconds, 0.001)
    return (
        f"{level}: {counts.schedules} schedules from seed {first}, {counts.steps} steps, "
        f"{len(counts.violations)} violations, {counts.seconds:.0f} CPU s, "
        f"{hours:.1f} simulated hours a CPU second"
    )


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.explore")
    parser.add_argument("--level", choices=sorted(CHUNKS), default="core")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, help="the first; drawn and printed when not given")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, help="where the counts go, as JSON")
    parser.add_argument("--one", type=int, metavar="SEED", help="tell the story of one schedule")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
