"""launchd's jobs: whether each runs where it is loaded, and answers where it should."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.jobs import (
    PlacedJob,
    Standing,
    Stood,
    WatchedJob,
    ended_badly,
    respawn_in,
    stands,
)
from healer.ports import Clock, JobEyes, PortError, TargetIll
from healer.probes.asking import ask
from healer.probes.job_past import JobPast

_TOLD: Final = {
    Standing.ABSENT: Reason.JOB_ABSENT,
    Standing.LEFT: Reason.JOB_LEFT_ALONE,
    Standing.OF_ROOT: Reason.JOB_IN_SYSTEM,
}
"""What is down and not ours to start."""


class LaunchdProbe:
    """Looks for each job in every domain (R10), and asks its own address.

    A `resident` one believes for a while what nothing speaks against (probes/job_past).
    """

    layer = Layer.LAUNCHD

    def __init__(
        self, eyes: JobEyes, jobs: Sequence[WatchedJob], clock: Clock, *, resident: bool = False
    ) -> None:
        self._eyes = eyes
        self._jobs = jobs
        self._clock = clock
        self._resident = resident
        self._pasts = {one.label: JobPast() for one in jobs}
        self._hosted: set[str] = set()
        """Those that were seen loaded, wherever."""

    async def look(self) -> Observation:
        """Look once. A job that cannot be looked at makes the layer unknown; the others count."""
        if not self._eyes.available():
            return Observation(self.layer, summary="no launchd here")
        findings: list[Finding] = []
        unknown: list[str] = []
        for one in self._jobs:
            heard = await ask(partial(self._look_at, one))
            if isinstance(heard, PortError):
                unknown.append(str(heard))
            else:
                findings += (self._of(one, finding) for finding in heard)
        return Observation(
            self.layer, tuple(findings), unknown="; ".join(unknown), summary=self._summary()
        )

    def _of(self, watched: WatchedJob, finding: Finding) -> Finding:
        """What was never loaded here while we looked is no cause of anything."""
        is_ours = watched.label in self._hosted
        return replace(finding, owner=watched.label) if is_ours else finding

    def _summary(self) -> str:
        stood = [past.stood.how for past in self._pasts.values() if past.stood is not None]
        here = [one for one in stood if one is not Standing.ABSENT]
        up = sum(one in {Standing.RUNS, Standing.TIMER} for one in here)
        away = len(stood) - len(here)
        return f"{up} of {len(here)} jobs up" + (f", {away} not hosted here" if away else "")

    async def _look_at(self, watched: WatchedJob) -> Sequence[Finding]:
        past, now = self._pasts[watched.label], self._clock.now()
        stood = past.believed(self._eyes.lives, now) if self._resident else None
        if stood is None:
            stood = stands(watched, await self._eyes.places(watched.label))
            past.saw(stood, now, self._clock.awake())
        if stood.how is not Standing.ABSENT:
            self._hosted.add(watched.label)
        if stood.place is None or stood.how in _TOLD:
            told = _TOLD[stood.how]
            return [Finding(told, stood.why, watched.label, advice=stood.advice)]
        if stood.how is Standing.TIMER:
            return self._timer(watched, stood.place, past)
        if past.loops(now):
            return [_looping(watched, stood.place)]
        if stood.how is Standing.DOWN:
            return [_down(watched, stood.place, past, now)]
        return await self._health(watched, stood)

    def _timer(self, watched: WatchedJob, place: PlacedJob, past: JobPast) -> Sequence[Finding]:
        """Judged by its last exit and its age, not by being up (design §10)."""
        page, found = place.page, []
        if ended_badly(page.job) and not page.running:
            last = page.job.last_exit
            found.append(Finding(Reason.JOB_FAILED, str(place), watched.label, fingerprint=last))
        every = watched.every or page.every
        if every is not None and past.overdue(every, self._clock.awake()):
            evidence = f"{place}; no new run for more than twice its {every:.0f} s"
            found.append(Finding(Reason.JOB_OVERDUE, evidence, watched.label))
        return found

    async def _health(self, watched: WatchedJob, stood: Stood) -> Sequence[Finding]:
        """A process is no health (R27)."""
        if watched.health is None:
            return ()
        url = watched.health
        answer = await ask(lambda: self._eyes.answer(url))
        if isinstance(answer, TargetIll):
            evidence = f"{stood.place}; {answer}"
            return [Finding(Reason.JOB_UNHEALTHY, evidence, watched.label)]
        if isinstance(answer, PortError):
            raise answer
        return ()


def _looping(watched: WatchedJob, place: PlacedJob) -> Finding:
    evidence = f"{place}; launchd starts it again and again, {place.page.runs} times so far"
    return Finding(Reason.JOB_CRASH_LOOP, evidence, watched.label)


def _down(watched: WatchedJob, place: PlacedJob, past: JobPast, now: float) -> Finding:
    """Another run is another trouble: launchd is at work on it."""
    return Finding(
        Reason.JOB_NOT_RUNNING,
        str(place),
        watched.label,
        fingerprint=place.run,
        ripe_in=respawn_in(place.page, now - past.down_since),
    )
