"""launchd and the jobs that it runs: what dies, what it starts again by itself, what it refuses."""

from dataclasses import dataclass
from typing import Final

from healer.model.jobs import THROTTLE, JobPage, PlacedJob
from healer.model.launchd import Domain, DomainKind, LoadedJob
from healer.simulation.clockwork import Clockwork

UID: Final = 501
WORKER: Final = "com.joel.system-bus-worker"
CADDY: Final = "com.joel.caddy"
GATEWAY: Final = "com.joel.gateway"
LABELS: Final = (CADDY, WORKER, GATEWAY)
KILLED: Final = "Killed: 9"


@dataclass(slots=True)
class Job:
    """One job that is loaded."""

    label: str
    domain: Domain
    kept: bool = False
    """KeepAlive: launchd starts it again, `THROTTLE` after its end."""
    rests: bool = False
    """SuccessfulExit false: it may end with 0."""
    port: int | None = None
    """Where it answers."""
    answers: bool = True
    disabled: bool = False
    pid: int | None = None
    runs: int = 0
    last_exit: str = "(never exited)"
    dies: bool = False
    """As soon as it is started."""
    refused: str = ""
    """Why launchd cannot start it."""

    @property
    def rested(self) -> bool:
        """Whether its end was its own word."""
        return self.rests and self.last_exit == "0"

    @property
    def down(self) -> bool:
        """Whether it should run here, and does not."""
        is_ours = self.domain.kind is not DomainKind.SYSTEM and not self.disabled
        return self.pid is None and is_ours and not self.rested

    def placed(self) -> PlacedJob:
        """As launchctl shows it."""
        state = "running" if self.pid else "spawn scheduled" if self.respawns else "not running"
        job = LoadedJob(state, self.pid, self.last_exit)
        page = JobPage(job, self.runs, THROTTLE, kept=self.kept, rests=self.rests)
        return PlacedJob(self.domain, self.label, page, self.disabled and self.pid is None)

    @property
    def respawns(self) -> bool:
        """Whether launchd is about to start it."""
        return self.kept and not self.disabled and not self.rested


class Launchd:
    """Every job of the Mac, loaded and run at its boot."""

    def __init__(self, clock: Clockwork) -> None:
        self.clock = clock
        self.jobs: dict[str, Job] = {
            WORKER: Job(WORKER, Domain(DomainKind.USER, UID), kept=True, port=3111),
            CADDY: Job(CADDY, Domain(DomainKind.GUI, UID)),
            GATEWAY: Job(GATEWAY, Domain(DomainKind.SYSTEM, UID), kept=True),
        }
        """What is loaded, by its label."""
        self._pids = 700
        self.boot()

    def boot(self) -> None:
        """Everything that was loaded by a plist is loaded, and run."""
        for job in self.jobs.values():
            job.pid, job.runs, job.last_exit = None, 0, "(never exited)"
            if not (job.disabled or job.refused):
                self._run(job)

    @property
    def well(self) -> bool:
        """Whether every job runs that should run here."""
        return not any(one.down for one in self.jobs.values())

    def start(self, job: Job) -> str:
        """Give it a process; one that has one keeps it. Why not, in launchctl's words, or ''."""
        if job.refused or job.pid is not None:
            return job.refused
        self.clock.tell(f"{job.label} starts")
        self._run(job)
        return ""

    def _run(self, job: Job) -> None:
        self._pids += 7
        job.runs += 1
        job.pid = self._pids
        if job.dies:
            self.end(job, "1")

    def end(self, job: Job, how: str) -> None:
        """Its process ends, and launchd starts it again if it keeps it alive."""
        if job.pid is None:
            return
        job.pid, job.last_exit = None, how
        self.clock.tell(f"{job.label} has ended: {how}")
        run = job.runs

        def respawn() -> None:
            loaded = self.jobs.get(job.label) is job
            if loaded and job.respawns and job.pid is None and job.runs == run:
                self.start(job)

        if job.kept:
            self.clock.after(THROTTLE, respawn)

    def boot_out(self, label: str) -> None:
        """It ends and is loaded no more."""
        job = self.jobs.pop(label, None)
        if job is not None:
            self.clock.tell(f"somebody boots {label} out of launchd")

    def disable(self, label: str) -> None:
        """`launchctl disable`, and an end of it; it stays loaded."""
        job = self.jobs.get(label)
        if job is not None:
            job.disabled = True
            self.end(job, "Terminated: 15")
            self.clock.tell(f"somebody disables {label}")
