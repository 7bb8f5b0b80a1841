"""What befalls launchd's jobs (facts/incidents.md §3; launchd.plist(5))."""

from healer.core.tower import Layer
from healer.simulation.happening import Choice, Happening, Kind, fault
from healer.simulation.jobs import CADDY, KILLED, LABELS, WORKER
from healer.simulation.physics import Tower

_ANY = {"job": Choice("which", CADDY, LABELS)}
_OF_THE_USER = {"job": Choice("which", CADDY, (CADDY, WORKER))}


def _dies(tower: Tower, job: str) -> None:
    if job in tower.launchd.jobs:
        tower.launchd.end(tower.launchd.jobs[job], KILLED)


def _never_starts(tower: Tower, job: str) -> None:
    if job in tower.launchd.jobs:
        tower.launchd.jobs[job].dies = True
    _dies(tower, job)


def _refused(tower: Tower, job: str) -> None:
    if job in tower.launchd.jobs:
        tower.launchd.jobs[job].refused = "Operation not permitted"
    _dies(tower, job)


def _silent(tower: Tower) -> None:
    if WORKER in tower.launchd.jobs:
        tower.launchd.jobs[WORKER].answers = False
    tower.tell(f"{WORKER} runs and answers no more")


def _dies_and_is_silent(tower: Tower) -> None:
    job = tower.launchd.jobs.get(WORKER)
    if job is not None:
        job.kept, job.answers = False, False
    _dies(tower, WORKER)


def _rests(tower: Tower) -> None:
    job = tower.launchd.jobs.get(CADDY)
    if job is not None:
        job.rests = True
        tower.launchd.end(job, "0")


def _booted_out(tower: Tower, job: str) -> None:
    tower.launchd.boot_out(job)
    if job == CADDY:
        tower.mac.front.caddy = False
    tower.human.wishes[f"{job} booted out"] = lambda: job not in tower.launchd.jobs


def _disabled(tower: Tower, job: str) -> None:
    found = tower.launchd.jobs.get(job)
    if found is not None:
        tower.launchd.disable(job)
        tower.human.wishes[f"{job} disabled"] = lambda: found.pid is None or not found.disabled


FAULTS_OF_JOBS: tuple[Happening, ...] = (
    fault(
        "job_dies",
        Layer.LAUNCHD,
        _dies,
        "A job of launchd's is killed; one that is kept alive comes back by itself after 10 s.",
        _ANY,
    ),
    fault(
        "job_never_starts",
        Layer.LAUNCHD,
        _never_starts,
        "A job dies at each start, whoever starts it; kept alive, it does so for ever.",
        _OF_THE_USER,
        covered=False,
    ),
    fault(
        "job_start_refused",
        Layer.LAUNCHD,
        _refused,
        "A job is dead, and launchd refuses to start it.",
        {"job": Choice("which", CADDY, (CADDY,))},
        covered=False,
    ),
    fault(
        "job_silent",
        Layer.LAUNCHD,
        _silent,
        "The worker runs and its own address does not answer (R27); advisory.",
    ),
    fault(
        "job_dies_and_is_silent",
        Layer.LAUNCHD,
        _dies_and_is_silent,
        "The worker dies, is kept alive by nobody, and does not answer when it runs again.",
    ),
    fault(
        "job_rests",
        Layer.LAUNCHD,
        _rests,
        "A job ends with 0, after which its plist lets it rest (SuccessfulExit false); advisory.",
    ),
    Happening(
        "job_booted_out",
        "Somebody boots a job out of launchd; it stays so.",
        Layer.LAUNCHD,
        Kind.HUMAN,
        covered=True,
        act=_booted_out,
        parameters=_ANY,
    ),
    Happening(
        "job_disabled",
        "Somebody disables a job and ends it; it stays so.",
        Layer.LAUNCHD,
        Kind.HUMAN,
        covered=True,
        act=_disabled,
        parameters=_ANY,
    ),
)
