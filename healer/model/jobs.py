"""launchd's jobs that healer watches: what a page of launchctl says of one, and what it means.

Three kinds are told apart: a job that should run, one that launchd runs now and then (design
§10: judged by its last exit and its age), and one that rests since its plist lets it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from healer.core.word import Word
from healer.model.launchd import (
    Domain,
    DomainKind,
    LoadedJob,
    bootout_advice,
    fields_of,
    parse_job,
)

_DOWN: Final = frozenset({"not running", "waiting", "exited", "spawn scheduled", "spawn failed"})
"""States of a job without a process; any other word is not understood, and never acted on."""
_SCHEDULED: Final = "spawn scheduled"
_EVERY: Final = re.compile(r"(\d{1,9}) seconds")
_NUMBER: Final = re.compile(r"\d{1,9}")
_URL: Final = re.compile(r"http://(?:127\.0\.0\.1|localhost):([1-9]\d{0,4})(/[!-~]*)?")
_LARGEST_PORT: Final = 65_535
_CALENDAR: Final = "stream = com.apple.launchd.calendarinterval"
_RESTS: Final = "successful exit => 0"
"""KeepAlive = {SuccessfulExit: false}: who ends with 0 is meant to stay down."""
THROTTLE: Final = 10.0
"""Seconds between two starts where the page names none (launchd.plist(5), ThrottleInterval)."""
_MARGIN: Final = 5.0


@dataclass(frozen=True, slots=True)
class LocalUrl:
    """Where a job of this Mac answers over HTTP."""

    port: int
    path: str


def parse_local_url(text: str) -> LocalUrl | None:
    """Read `http://127.0.0.1:PORT/PATH`; None when it is not that."""
    match = _URL.fullmatch(text)
    if match is None or int(match[1]) > _LARGEST_PORT:
        return None
    return LocalUrl(int(match[1]), match[2] or "/")


@dataclass(frozen=True, slots=True)
class WatchedJob:
    """A label, and what is expected of it."""

    label: str
    health: LocalUrl | None = None
    """What answers while it is well; None = to run is all that is asked."""
    every: float | None = None
    """Seconds between two runs of a job that runs now and then; None = as launchd says."""
    startable: bool = True
    """Whether healer may start it."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """What launchd says of a job in one domain."""

    job: LoadedJob
    runs: int
    """How often it was started; tells one death from the next."""
    throttle: float = THROTTLE
    """Seconds that launchd lets lie between two starts."""
    kept: bool = False
    """launchd starts it again by itself."""
    rests: bool = False
    """An exit with 0 is its own word that it may stay down."""
    timer: bool = False
    """It runs now and then; to be down is nothing."""
    every: float | None = None
    """Seconds between two runs, where launchd counts them."""

    @property
    def running(self) -> bool:
        """It has a process now."""
        return self.job.running


@dataclass(frozen=True, slots=True)
class PlacedJob:
    """A job where it is loaded."""

    domain: Domain
    label: str
    page: JobPage
    disabled: bool = False
    """Somebody has switched the label off; asked of a job that is down."""

    @property
    def target(self) -> str:
        """As launchctl names it."""
        return self.domain.target(self.label)

    @property
    def run(self) -> str:
        """Names one run of it, and the rest after it."""
        return f"{self.domain} run {self.page.runs}"

    @property
    def of_root(self) -> bool:
        """Whether only root may start it."""
        return self.domain.kind is DomainKind.SYSTEM

    def __str__(self) -> str:
        return f"{self.target}: {self.page.job}"


def parse_page(text: str) -> JobPage | None:
    """Read `launchctl print DOMAIN/LABEL`; None when it is not understood.

    Its form is no promise of Apple's. What decides about an act must be there and make sense:
    a state that is known, the count of runs, and a pid when and only when it runs.
    """
    fields, job = fields_of(text), parse_job(text)
    runs = _NUMBER.fullmatch(fields.get("runs", ""))
    if runs is None or not (_runs(job) or _is_down(job)):
        return None
    every = _EVERY.fullmatch(fields.get("run interval", ""))
    throttle = _NUMBER.fullmatch(fields.get("minimum runtime", ""))
    words = [line.strip() for line in text.splitlines()]
    properties = [one.strip() for one in fields.get("properties", "").split("|")]
    return JobPage(
        job,
        int(runs[0]),
        float(throttle[0]) if throttle else THROTTLE,
        kept="keepalive" in properties or _RESTS in words or job.state == _SCHEDULED,
        rests=_RESTS in words,
        timer=every is not None or _CALENDAR in words,
        every=float(every[1]) if every else None,
    )


def _runs(job: LoadedJob) -> bool:
    return job.state == "running" and job.running


def _is_down(job: LoadedJob) -> bool:
    return job.state in _DOWN and not job.running


class Standing(Word):
    """How a job stands."""

    ABSENT = "absent"
    RUNS = "runs"
    TIMER = "timer"
    DOWN = "down"
    """It should run, and healer may start it."""
    LEFT = "left"
    """It is down, and that is a human's or its own doing."""
    OF_ROOT = "of_root"
    """It is down, and only root may start it."""


@dataclass(frozen=True, slots=True)
class Stood:
    """How a job stands, and where."""

    how: Standing
    why: str = ""
    place: PlacedJob | None = None
    advice: str = ""
    """The exact command, where one would do."""


def stands(watched: WatchedJob, places: Sequence[PlacedJob]) -> Stood:
    """What the pages of all domains mean."""
    if not places:
        return Stood(Standing.ABSENT, f"{watched.label} is loaded nowhere: not hosted here")
    running = next((one for one in places if one.page.running), None)
    timer = next((one for one in places if one.page.timer or watched.every is not None), None)
    if timer is not None:
        return Stood(Standing.TIMER, str(timer), timer)
    if running is not None:
        return Stood(Standing.RUNS, str(running), running)
    if len(places) > 1:
        # Two owners of one port killed each other's worker once (incident 8, R10).
        targets = [one.target for one in places]
        why = f"down, and loaded more than once: {', '.join(targets)}"
        return Stood(Standing.LEFT, why, advice=f"keep one of them: {bootout_advice(targets)}")
    return _down(watched, places[0])


def _down(watched: WatchedJob, place: PlacedJob) -> Stood:
    start = f"launchctl kickstart {place.target}"
    if place.of_root:
        return Stood(Standing.OF_ROOT, str(place), place, f"sudo {start}")
    if place.disabled:
        why, enable = f"{place}; somebody disabled it", f"launchctl enable {place.target}"
        return Stood(Standing.LEFT, why, place, f"{enable} && {start}")
    if place.page.rests and place.page.job.last_exit == "0":
        return Stood(Standing.LEFT, f"{place}; its plist lets it rest after that", place, start)
    if not watched.startable:
        return Stood(Standing.LEFT, f"{place}; the settings leave it alone", place, start)
    return Stood(Standing.DOWN, str(place), place)


def respawn_in(page: JobPage, down_for: float) -> float:
    """Seconds for which the start of a dead job is launchd's own business first."""
    return max(0.0, page.throttle + _MARGIN - down_for) if page.kept else 0.0


def ended_badly(job: LoadedJob) -> bool:
    """Whether its last run ended in another way than with 0; a first run is still to come."""
    return job.last_exit not in {"", "0", "(never exited)"}
