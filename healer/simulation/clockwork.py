"""Virtual time, and the queue of what is to happen in it."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass

EPOCH = 1_780_000_000.0
"""Epoch seconds at which every simulated run begins: the same in each, so that two are alike."""


@dataclass(slots=True)
class Told:
    """One line of what really happened, for the timeline."""

    at: float
    what: str


class Clockwork:
    """Two clocks, as on a Mac: one stands still while it sleeps, the other counts the sleep.

    What is queued waits on the clock that stands still, since a sleeping Mac freezes its VM as
    well. `awake` reads it in virtual seconds; `now` is `awake` and all sleep so far.
    """

    def __init__(self, awake: Callable[[], float]) -> None:
        self._awake = awake
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._naps: list[tuple[float, float]] = []
        self.slept = 0.0
        self.at = 0.0
        """The time of what is happening just now, on the clock of `now`."""
        self._jumps: list[tuple[float, float]] = []
        self.happened: list[Told] = []
        self.changed: Callable[[], None] = _unheard
        """Told each time that something has changed."""
        self.pushed: Callable[[float], None] = _ignored
        """Told the due time of each new event, on the clock of `awake`."""

    def now(self) -> float:
        """Virtual seconds since the run began; what is due by then has happened."""
        awake = self._awake()
        if self._queue and self._queue[0][0] <= awake:
            self._let_happen(awake)
        self.at = now = awake + self.slept
        return now

    def _let_happen(self, awake: float) -> None:
        while self._queue and self._queue[0][0] <= awake:
            due, _, happen = heapq.heappop(self._queue)
            self.at = due + self.slept
            happen()
            self.changed()

    def awake(self) -> float:
        """Virtual seconds without the Mac's sleep."""
        return self._awake()

    def wall(self, at: float | None = None) -> float:
        """Epoch seconds that the Mac showed at a time on the clock of `now`; None = now."""
        then = self._awake() + self.slept if at is None else at
        if not self._jumps:
            return EPOCH + then
        return EPOCH + then + sum(ahead for since, ahead in self._jumps if since <= then)

    def set_wall(self, ahead: float) -> None:
        """Somebody, or NTP, sets the Mac's wall clock so many seconds ahead."""
        self.now()
        self._jumps.append((self.at, ahead))
        self.tell(f"the Mac's clock jumps by {ahead:+.0f} s")

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen so much later than what is happening now."""
        due = self.at - self.slept + seconds
        heapq.heappush(self._queue, (due, next(self._order), happen))
        self.pushed(due)

    @property
    def next_due(self) -> float | None:
        """When the next event is due, on the clock of `awake`; None when nothing is."""
        return self._queue[0][0] if self._queue else None

    def sleep(self, seconds: float) -> None:
        """The Mac sleeps so long, and its VM with it: no timer in either goes on."""
        self.now()
        self._naps.append((self._awake(), seconds))
        self.slept += seconds
        self.at += seconds
        self.tell(f"the Mac has slept for {seconds:.0f} s")

    def latest(self, since: float, every: float) -> float:
        """The last beat of what beats so often in the VM, from `since` on (clock of `now`)."""
        awake_since = since
        for fell_asleep, seconds in self._naps:
            if fell_asleep + seconds <= awake_since:
                awake_since -= seconds
        beats = (self._awake() - awake_since) // every
        beat = awake_since + max(0.0, beats) * every
        return beat + sum(seconds for fell_asleep, seconds in self._naps if fell_asleep <= beat)

    def tell(self, what: str) -> None:
        """Note what really happened."""
        self.happened.append(Told(self.at, what))


def _unheard() -> None:
    """Nobody listens."""


def _ignored(due: float) -> None:
    """Nobody waits for it."""
    del due
