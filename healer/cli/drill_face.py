"""How a drill is watched: drawn on a terminal, told in plain lines elsewhere."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from healer.cli.drill_lines import Line, Timeline, clock
from healer.cli.drill_report import Styled
from healer.cli.talking import put
from healer.drills.playing import Manner, Nobody
from healer.drills.scenario import Happens, Scenario
from healer.engine.telling import Told
from healer.model.notice import Notice
from healer.simulation.physics import Tower
from healer.telemetry.drawing import tower_table
from healer.telemetry.report import Report

_WATCHABLE: Final = 20.0
"""Times as fast as the real thing: slow enough to read, fast enough to stay for the end."""
_DULL_AFTER: Final = 6.0
"""Seconds without a line, after which what is drawn at that speed hurries on to the next."""


class Faces(Nobody):
    """A watcher that keeps the report, and shows the drill to whoever looks on."""

    def __init__(
        self, report: Report, timeline: Timeline | None = None, drawn: "Drawn | None" = None
    ) -> None:
        self._report = report
        self._timeline = timeline
        self._drawn = drawn

    def began(self, tower: Tower) -> None:
        """Whose doings are told."""
        if self._timeline is not None:
            self._timeline.began(tower)

    def befalls(self, happens: Happens) -> None:
        """What the scenario lets happen."""
        if self._timeline is not None:
            self._timeline.befalls(happens)

    def noticed(self, notice: Notice) -> None:
        """What a human is told."""
        if self._timeline is not None:
            self._timeline.noticed(notice)

    def told(self, told: Told) -> None:
        """What the engine saw and decided."""
        self._report.told(told)
        if self._timeline is not None:
            self._timeline.told(told)
        if self._drawn is not None:
            self._drawn.told(told)


class Drawn:
    """The tower at the foot of a terminal, and its timeline above; a context manager."""

    def __init__(self, console: Console, speed: float | None) -> None:
        self._console = console
        self._speed = speed
        self._live = Live(console=console, refresh_per_second=12, transient=True)
        self._now = self._lively_until = 0.0

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *stop: object) -> None:
        self._live.stop()

    def write(self, line: Line) -> None:
        """A line of the timeline, for good."""
        self._console.print(_on_paper(line), no_wrap=True, overflow="ellipsis")
        self._lively_until = max(self._lively_until, line.at + _DULL_AFTER)

    def told(self, told: Told) -> None:
        """Draw the tower anew."""
        self._now = told.at
        self._live.update(self._picture(told))

    def turned(self, waited: float) -> None:
        """Virtual seconds take their part of real ones; without a speed, while there is news."""
        if self._speed is not None:
            time.sleep(waited / self._speed)
        elif self._now < self._lively_until:
            time.sleep(min(waited, _DULL_AFTER) / _WATCHABLE)

    def _picture(self, told: Told) -> RenderableType:
        speed = _WATCHABLE if self._speed is None else self._speed
        pace = "in real time" if speed == 1.0 else f"{speed:g} times as fast as real"
        foot = Text(f"  {clock(told.at)}  {pace}; Ctrl-C ends it", "dim")
        # An empty row, the foot and the cursor's row have their place too.
        size = self._console.size
        return Group(Text(), tower_table(told, size.width, size.height - 3), foot)


@contextmanager
def face_of(
    scenario: Scenario, seed: int, report: Report, *, as_json: bool, speed: float | None
) -> Iterator[Manner]:
    """How this drill is played for whoever looks on; `speed` None: whatever suits them."""
    if as_json:
        yield Manner(watcher=Faces(report), turned=Paced(speed))
        return
    say(_title(scenario, seed))
    if sys.stdout.isatty():
        with Drawn(_console(), speed) as drawn:
            timeline = Timeline(drawn.write)
            yield Manner(watcher=Faces(report, timeline, drawn), turned=drawn.turned)
            timeline.close()
    else:
        timeline = Timeline(lambda line: put(line.plain()))
        yield Manner(watcher=Faces(report, timeline), turned=Paced(speed))
        timeline.close()


def say(lines: Iterable[Styled]) -> None:
    """Print lines, with their colours on a terminal."""
    if not sys.stdout.isatty():
        for words, _ in lines:
            put(words)
        return
    console = _console()
    for words, style in lines:
        console.print(Text(words, style), soft_wrap=True)


def _title(scenario: Scenario, seed: int) -> Iterator[Styled]:
    yield f"{scenario.name} (seed {seed})", "bold"
    yield scenario.about, ""
    yield "", ""


class Paced:
    """Lets virtual seconds take their part of real ones."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed

    def __call__(self, waited: float) -> None:
        """So many virtual seconds are about to be over."""
        if self._speed is not None:
            time.sleep(waited / self._speed)


def _console() -> Console:
    """Without colour where NO_COLOR or a dumb terminal asks for it (no-color.org)."""
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Console(no_color=plain, highlight=False)


def _on_paper(line: Line) -> Text:
    """Time and place stay quiet, so that what happened stands out."""
    return Text.assemble(
        (f"{clock(line.at)}  ", "dim"),
        (f"{line.mark} ", line.style),
        (f"{line.where:<10} ", "" if line.style == "dim" else "bold"),
        (line.words, line.style),
    )
