"""The timeline of a drill: what befell, what was seen, what was done about it, what was refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from healer.core.facts import (
    Act,
    Changed,
    Decision,
    Finished,
    GaveUp,
    Held,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Outcome,
    Rearmed,
    Refused,
    Reported,
    State,
    Verified,
)
from healer.drills.ourselves import OURSELVES
from healer.drills.scenario import Happens
from healer.engine.telling import Told
from healer.model.notice import Notice
from healer.simulation.physics import Tower
from healer.telemetry.spelling import duration
from healer.telemetry.words import doing, sentence

_BY_ITSELF: Final = frozenset({State.SUSPECT, State.FAILING, State.GRACE})
_READY: Final = " is Ready"
_BRIEF: Final = 84
_LONG: Final = 150
"""Characters."""


def clock(seconds: float) -> str:
    """`0:01:45.0`: hours, minutes and seconds of a drill."""
    minutes, rest = divmod(round(seconds, 1), 60.0)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `style` is for a terminal."""

    at: float
    mark: str
    where: str
    """A layer, `tower`, `human` or `healer`."""
    words: str
    style: str = ""

    def plain(self) -> str:
        """As text without colour."""
        return f"{clock(self.at)}  {self.mark} {self.where:<10} {self.words}".rstrip()


class Timeline:
    """Hears a drill, and writes a line for each thing worth one; a run of alike ones is one."""

    def __init__(self, write: Callable[[Line], None]) -> None:
        self._write = write
        self._tower: Tower | None = None
        self._printed = 0
        self._acts: dict[str, float] = {}
        self._waiting: list[Line] = []

    def began(self, tower: Tower) -> None:
        """Remember whose doings are told."""
        self._tower = tower

    def befalls(self, happens: Happens) -> None:
        """What the scenario lets happen."""
        given = ", ".join(f"{name} {_number(one)}" for name, one in happens.parameters.items())
        words = happens.what.replace("_", " ") + (f" ({given})" if given else "")
        where = "healer" if happens.what in OURSELVES else "tower"
        self._add(Line(self._now(), "⚡", where, words, "bold yellow"))

    def noticed(self, notice: Notice) -> None:
        """What a human is told."""
        self._add(Line(self._now(), "✉", "human", f"{notice.kind}: {notice.title}", "magenta"))

    def told(self, told: Told) -> None:
        """What the engine saw and decided."""
        self._catch_up(told.at)
        if isinstance(told.fact, Finished):
            began = self._acts.pop(told.fact.act.id, told.at)
            self._add(_ended(told.fact, told.at, told.at - began))
        for decision in told.decisions:
            if isinstance(decision, Act):
                self._acts[decision.id] = told.at
            for line in _lines(decision, told.at):
                self._add(line)

    def close(self) -> None:
        """Write what waits."""
        self._catch_up(self._now())
        self._flush()

    def _now(self) -> float:
        return 0.0 if self._tower is None else self._tower.clock.at

    def _catch_up(self, now: float) -> None:
        """What really happened meanwhile comes first."""
        if self._tower is None:
            return
        for one in self._tower.happened[self._printed :]:
            self._add(Line(min(one.at, now), "·", "tower", one.what, "dim"))
        self._printed = len(self._tower.happened)

    def _add(self, line: Line) -> None:
        """Six pods that are refused, or get ready, at one moment are one line."""
        if self._waiting and not _alike(line, self._waiting[0]):
            self._flush()
        self._waiting.append(line)

    def _flush(self) -> None:
        if self._waiting:
            self._write(_as_one(self._waiting))
        self._waiting = []


def _alike(line: Line, other: Line) -> bool:
    ready = line.words.endswith(_READY) and other.words.endswith(_READY)
    return line == other or (ready and line.at == other.at)


def _as_one(lines: list[Line]) -> Line:
    first, count = lines[0], len(lines)
    if count == 1:
        return first
    if all(one == first for one in lines):
        return replace(first, words=f"{first.words} ({count} times)")
    named = ", ".join(one.words.removesuffix(_READY) for one in lines)
    return replace(first, words=f"{named} are Ready")


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _ended(finished: Finished, at: float, seconds: float) -> Line:
    well = finished.outcome in {Outcome.DONE, Outcome.NOT_NEEDED}
    mark, style = ("✓", "cyan") if well else ("✗", "red")
    how = finished.outcome.replace("_", " ")
    words = f"{how} after {duration(seconds)}: {_brief(finished.detail)}"
    return Line(at, mark, finished.act.layer, words, style)


def _lines(decision: Decision, at: float) -> Iterator[Line]:
    match decision:
        case Changed():
            yield from _changed(decision, at)
        case Act():
            yield Line(at, "⚒", decision.layer, doing(decision), "bold cyan")
        case _:
            words = sentence(decision, at)
            mark, style = _MARKS.get(type(decision), (" ", ""))
            if words:
                yield Line(at, mark, _where(decision), _brief(words, _LONG), style)


def _where(decision: Decision) -> str:
    if isinstance(decision, Verified | NotVerified):
        return decision.act.layer
    return getattr(decision, "layer", "") or "healer"


def _changed(changed: Changed, at: float) -> Iterator[Line]:
    """What is seen for the first time, and what gets well without a word of ours."""
    if changed.now is State.SUSPECT and changed.was is not State.FAILING:
        yield Line(at, "◐", changed.layer, f"seen: {_brief(changed.why)}", "yellow")
    elif _blinds(changed) and changed.was is not State.BLOCKED:
        words = changed.now.value + (f": {_brief(changed.why)}" if changed.why else "")
        yield Line(at, "?", changed.layer, words, "dim")
    elif changed.now is State.OK and changed.was in _BY_ITSELF:
        yield Line(at, "●", changed.layer, "ok again", "green")


def _blinds(changed: Changed) -> bool:
    return changed.now in {State.UNKNOWN, State.GRACE, State.PAUSED}


def _brief(words: str, most: int = _BRIEF) -> str:
    """Cut at a word: a line of a timeline is one line; `--json` has everything."""
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0] + " …"


_MARKS: Final[dict[type, tuple[str, str]]] = {
    IncidentOpened: ("!", "bold red"),
    IncidentResolved: ("●", "bold green"),
    Verified: ("●", "green"),
    NotVerified: ("✗", "red"),
    Refused: ("∅", "dim"),
    Held: ("■", "bold magenta"),
    GaveUp: ("☠", "bold red"),
    Rearmed: ("●", "green"),
    Reported: ("i", "yellow"),
}
