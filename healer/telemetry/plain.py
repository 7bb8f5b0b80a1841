"""Plain lines for a pipe, a log or a launchd file: one line a thing that happened."""

from collections.abc import Callable

from healer.core.facts import Act, Finished
from healer.engine.telling import Told
from healer.telemetry.spelling import duration
from healer.telemetry.words import ending, sentence

_STILL_EVERY = 15.0


class PlainLines:
    """Writes a line for each decision, and one now and then while something takes long."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began: float | None = None
        self._acts: dict[str, float] = {}
        self._spoke = 0.0

    def told(self, told: Told) -> None:
        """Write what is new."""
        if self._began is None:
            self._began = self._spoke = told.at
        if isinstance(told.fact, Finished):
            self._ended(told.fact, told.at)
        for decision in told.decisions:
            if isinstance(decision, Act):
                self._acts[decision.id] = told.at
            words = sentence(decision, told.at, dry_run=told.dry_run)
            if words:
                layer = getattr(decision, "layer", None)
                self._line(told.at, f"{layer}: {words}" if layer else words)
        self._still(told)

    def _ended(self, finished: Finished, at: float) -> None:
        began = self._acts.pop(finished.act.id, at)
        self._line(at, f"{finished.act.layer}: {ending(finished, at - began)}")

    def _still(self, told: Told) -> None:
        """A person must see what is awaited, and for how long yet."""
        if told.at - self._spoke < _STILL_EVERY:
            return
        one = next(iter(told.awaited), None)
        if one is None:
            return
        left = f", {duration(max(0.0, one.until - told.at))} at most" if one.until else ""
        self._line(told.at, f"{one.layer}: waiting for {one.what}{left}")

    def _line(self, at: float, words: str) -> None:
        self._spoke = at
        began = at if self._began is None else self._began
        self._write(f"{at - began:7.1f} s  {words}")
