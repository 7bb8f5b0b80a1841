"""What was seen of a job before: since when it has been so, and how often launchd started it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from healer.model.jobs import Standing, Stood

BELIEVED: Final = 300.0
"""Seconds for which a process that lives, or a label that is loaded nowhere, is not searched for
anew: nine calls of launchctl for three jobs are a fifth of what a calm minute may cost."""
LOOP: Final = 5
LOOP_WITHIN: Final = 600.0
"""So many starts within so many seconds are a crash loop; by default launchd makes one each 10 s,
and a human who works on a job makes fewer."""
STEADY: Final = 60.0
"""Seconds of one life that end a crash loop."""
_SPARE: Final = 60.0


@dataclass(slots=True)
class JobPast:
    """One job's; times on the clock of `now`, but for what is said to be awake."""

    stood: Stood | None = None
    searched_at: float = 0.0
    runs: int | None = None
    since: float = 0.0
    """When this run of it, or its rest after it, was first seen."""
    down_since: float = 0.0
    """When it was first seen down after this run."""
    awake_since: float = 0.0
    """As `since`, on the clock that stands still while the Mac sleeps, as launchd's timers do."""
    starts: list[float] = field(default_factory=list)

    def saw(self, stood: Stood, now: float, awake: float) -> None:
        """Take a search into account."""
        before = self.stood
        self.stood, self.searched_at = stood, now
        if stood.place is None:
            self.runs, self.starts = None, []
            return
        page = stood.place.page
        if page.runs != self.runs:
            self._counted(page.runs, now)
            self.runs, self.since, self.awake_since = page.runs, now, awake
            before = None
        was_down = before is not None and before.place is not None and not before.place.page.running
        if not page.running and not was_down:
            self.down_since = now

    def _counted(self, runs: int, now: float) -> None:
        """Every start since the last look; a count that fell is a job that was loaded anew."""
        if self.runs is None or runs < self.runs:
            self.starts = []
            return
        self.starts = [*self.starts, *[now] * min(runs - self.runs, LOOP)][-LOOP:]

    def believed(self, lives: Callable[[int], bool], now: float) -> Stood | None:
        """What was seen, where nothing speaks against it; None = search."""
        stood = self.stood
        if stood is None or now - self.searched_at >= BELIEVED:
            return None
        if stood.how is Standing.ABSENT:
            return stood
        pid = None if stood.place is None else stood.place.page.job.pid
        if stood.how is not Standing.RUNS or pid is None or self.loops(now):
            return None
        return stood if lives(pid) else None

    def loops(self, now: float) -> bool:
        """Whether launchd has started it again and again, and this life is young."""
        lately = [one for one in self.starts if now - one < LOOP_WITHIN]
        return len(lately) >= LOOP and now - self.since < STEADY

    def overdue(self, every: float, awake: float) -> bool:
        """Whether a job that runs so often has missed two runs and some; sleep does not count."""
        return awake - self.awake_since > 2.0 * every + _SPARE
