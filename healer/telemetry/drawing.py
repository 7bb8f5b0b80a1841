"""The tower on a terminal: layer by layer, live while it works, by rich."""

from collections import deque
from dataclasses import dataclass
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from healer.core.facts import Act, Changed, Finished, State
from healer.core.outlook import Awaited
from healer.core.tower import LAYERS, Layer
from healer.core.world import World
from healer.engine.telling import Told
from healer.telemetry.spelling import duration
from healer.telemetry.words import doing, ending, sentence

_STYLE = {
    State.OK: ("●", "green"),
    State.SUSPECT: ("◐", "yellow"),
    State.FAILING: ("✗", "bold red"),
    State.HEALING: ("⚒", "bold cyan"),
    State.VERIFYING: ("◔", "cyan"),
    State.BLOCKED: ("·", "dim"),
    State.GRACE: ("◌", "yellow"),
    State.PAUSED: ("‖", "magenta"),
    State.HELD: ("■", "bold magenta"),
    State.GAVE_UP: ("☠", "bold red"),
    State.UNKNOWN: ("?", "dim"),
}
_LINES_KEPT = 12
_COLUMNS = (1, 10, 9, 1)
"""Least widths of mark, layer, state and what is seen; one column of padding on either side."""


def tower_table(told: Told, width: int, rows: int = len(Layer)) -> Table:
    """The tower, highest layer on top, as a person thinks of it; one row a layer.

    `width`: columns of the terminal; what is longer is cut. `rows`: how many there may be;
    the lowest layers stay, since a cause lies low.
    """
    table = Table(box=None, padding=(0, 1), show_header=False)
    for columns in _COLUMNS:
        table.add_column(min_width=columns)
    room = max(1, width - sum(_COLUMNS[:-1]) - 2 * len(_COLUMNS))
    waiting = told.awaited
    for layer in reversed(LAYERS[: max(rows, 1)]):
        state = told.world.states.get(layer, State.UNKNOWN)
        if told.dry_run and state is State.HEALING:
            state = State.FAILING
        mark, style = _STYLE[state]
        dim = "dim" if state is State.BLOCKED else ""
        what = Text(_what(layer, state, told, waiting), dim)
        # rich's own no_wrap would rather drop the other columns than cut this one.
        what.truncate(room, overflow="ellipsis")
        table.add_row(Text(mark, style), layer.value, Text(state.value, style), what)
    return table


def _what(layer: Layer, state: State, told: Told, awaited: tuple[Awaited, ...]) -> str:
    act = told.world.acting_on(layer)
    if act is not None:
        return (
            ("would " if told.dry_run else "") + doing(act) + _running_for(told.world, act, told.at)
        )
    waiting = next((one for one in awaited if one.layer is layer), None)
    if waiting is not None and state is not State.UNKNOWN:
        left = f" ({duration(max(0.0, waiting.until - told.at))} at most)" if waiting.until else ""
        return waiting.what + left
    observation = told.world.observation(layer)
    if observation is None:
        return "looking …"
    if observation.unknown:
        return observation.unknown
    return observation.findings[0].evidence if observation.findings else observation.summary


def _running_for(world: World, act: Act, now: float) -> str:
    began = next((one.at for one in world.ledger.attempts if one.act.id == act.id), now)
    return f" … {duration(now - began)}" if now - began >= 1.0 else ""


class DrawnTower:
    """Draws the tower while a pass works; used as a context manager."""

    def __init__(self, console: Console) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._acts: dict[str, float] = {}
        self._began: float | None = None
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *stop: object) -> None:
        self._live.stop()

    def told(self, told: Told) -> None:
        """Draw anew."""
        self._began = told.at if self._began is None else self._began
        if isinstance(told.fact, Finished):
            began = self._acts.pop(told.fact.act.id, told.at)
            self._note(told, f"{told.fact.act.layer}: {ending(told.fact, told.at - began)}")
        for decision in told.decisions:
            if isinstance(decision, Act):
                self._acts[decision.id] = told.at
            words = ""
            if not isinstance(decision, Changed):
                words = sentence(decision, told.at, dry_run=told.dry_run)
            if words:
                layer = getattr(decision, "layer", None)
                self._note(told, f"{layer}: {words}" if layer else words)
        self._live.update(self._picture(told))

    def _note(self, told: Told, words: str) -> None:
        began = told.at if self._began is None else self._began
        self._lines.append(f"{told.at - began:6.1f} s  {words}")

    def _picture(self, told: Told) -> RenderableType:
        return _Picture(told, tuple(self._lines))


@dataclass(frozen=True, slots=True)
class _Picture:
    """The tower and the last lines, never higher than the terminal is when it is drawn.

    rich cannot erase a row that has scrolled away. One row stays free for the cursor.
    """

    told: Told
    lines: tuple[str, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del options
        rows = console.height - 1
        yield tower_table(self.told, console.width, rows)
        room = rows - len(Layer) - 1
        if room > 0:
            yield Text()
            for line in self.lines[-room:]:
                yield Text(line, no_wrap=True, overflow="ellipsis")
