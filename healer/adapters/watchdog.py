"""A thread of its own that ends a healer which no longer lives (design §7, §10).

A blocked event loop can neither answer nor notice that it is blocked; so whoever must go on
living says so here, and a thread counts the silence. It ends the process with 70, and launchd
starts a fresh one; nothing is lost, since every intent is in the journal before its act.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TextIO

STALLED: Final = 70
"""EX_SOFTWARE of sysexits."""
_EVERY: Final = 5.0
"""Seconds between two looks of the thread."""
_PATIENCE: Final = 60.0
"""Seconds of 503 before the end: a stall that ends by itself costs nobody a restart."""


def _dump_and_exit(why: str, stream: TextIO) -> None:
    stream.write(f"healer: {why}; ending with {STALLED}, so that launchd starts a fresh one\n")
    stream.flush()
    faulthandler.dump_traceback(file=stream, all_threads=True)
    os._exit(STALLED)


@dataclass(frozen=True, slots=True)
class _Beat:
    at: float
    within: float

    def overdue(self, now: float) -> float:
        return now - self.at - self.within


class Watchdog:
    """ports.Pulse with a thread that listens; times are seconds awake, so a sleep is no stall."""

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        end: Callable[[str], None] = lambda why: _dump_and_exit(why, sys.stderr),
        patience: float = _PATIENCE,
        every: float = _EVERY,
    ) -> None:
        self._now = now
        self._end = end
        self._patience = patience
        self._every = every
        self._beats: dict[str, _Beat] = {}
        self._looked = now()
        self._over = threading.Event()

    def beat(self, name: str, within: float) -> None:
        """`name` lives, and will say so again within so many seconds awake."""
        self._beats[name] = _Beat(self._now(), within)

    def ended(self, name: str) -> None:
        """`name` will say nothing more, and need not."""
        self._beats.pop(name, None)

    def stalled(self) -> str:
        """Who is overdue, as a sentence; '' while all live."""
        late = self._late(0.0)
        return f"no sign of life: {', '.join(late)}" if late else ""

    def start(self) -> None:
        """Listen from a thread of its own until `stop`."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Listen no more."""
        self._over.set()

    def look(self) -> None:
        """One look of the thread: end the process if somebody has been silent for too long."""
        now = self._now()
        gap, self._looked = now - self._looked, now
        if gap > 3 * self._every:
            # This thread was stopped too (SIGSTOP, a frozen machine): nobody could have beaten.
            self._forgive(now)
            return
        late = self._late(self._patience)
        if late:
            self._end(f"no sign of life for too long: {', '.join(late)}")

    def _run(self) -> None:
        while not self._over.wait(self._every):
            self.look()

    def _forgive(self, now: float) -> None:
        for name, one in list(self._beats.items()):
            self._beats[name] = _Beat(now, one.within)

    def _late(self, patience: float) -> list[str]:
        now = self._now()
        beats = list(self._beats.items())
        return sorted(name for name, one in beats if one.overdue(now) > patience)
