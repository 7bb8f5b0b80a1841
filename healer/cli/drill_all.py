"""Every scenario that comes with healer, side by side on as many processors as there are."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from healer.cli.drill_face import Faces
from healer.cli.drill_report import Styled, document, result_line
from healer.drills.judging import judge
from healer.drills.library import packaged
from healer.drills.names import names
from healer.drills.playing import Manner, run
from healer.telemetry.report import Report


@dataclass(frozen=True, slots=True)
class Result:
    """What is told of one drill; the drill itself stays in the process that played it."""

    passed: bool
    lines: tuple[Styled, ...]
    document: dict[str, Any]
    acts: int
    seconds: float
    """Of the tower's time."""


def played(name: str, seed: int) -> Result:
    """Play one of them."""
    report, again = Report(), f"healer drill {name} --seed {seed}"
    verdict = judge(run(packaged(name), seed=seed, manner=Manner(watcher=Faces(report))))
    history = verdict.played.history
    return Result(
        verdict.passed,
        tuple(result_line(verdict, again)),
        document(verdict, report, again),
        len(history.deeds),
        history.ended,
    )


def play_all(seed: int) -> Iterator[Result]:
    """Play all of them; results come in the order of the names."""
    processors = min(os.cpu_count() or 1, len(names()))
    if processors < 2:  # noqa: PLR2004  (one alone is its own pool)
        yield from (played(name, seed) for name in names())
        return
    # The longest first: begun last, the day of a healthy tower would be waited for alone.
    longest_first = sorted(names(), key=lambda one: -packaged(one).lasts)
    # Not forked: a fork would copy whatever threads and locks there are.
    with ProcessPoolExecutor(processors, mp_context=get_context("spawn")) as pool:
        playing = {name: pool.submit(played, name, seed) for name in longest_first}
        yield from (playing[name].result() for name in names())
