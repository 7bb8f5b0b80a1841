"""launchd over the simulated tower, as eyes and hands."""

from collections.abc import Sequence

from healer.model.jobs import LocalUrl, PlacedJob
from healer.ports import ActFailed, TargetIll
from healer.simulation.answering import answer, silence
from healer.simulation.jobs import Job
from healer.simulation.physics import Tower

_TAKES = 0.01
_DEADLINE = 3.0


class SimulatedJobs:
    """ports.JobEyes."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    def available(self) -> bool:
        """A Mac has one."""
        return True

    async def places(self, label: str) -> Sequence[PlacedJob]:
        """Where it is loaded; one label is in one domain here."""
        await answer(self._tower, f"launchctl print {label}", _TAKES)
        job = self._job(label)
        return [] if job is None else [job.placed()]

    def lives(self, pid: int) -> bool:
        """By the kernel, which never fails."""
        self._tower.now()
        return any(one.pid == pid for one in self._tower.launchd.jobs.values())

    async def answer(self, url: LocalUrl) -> str:
        """What listens there is the job's own. Raises TargetIll, TargetSilent."""
        place = f"http 127.0.0.1:{url.port}{url.path}"
        await answer(self._tower, place, _TAKES, _DEADLINE)
        jobs = self._tower.launchd.jobs.values()
        job = next((one for one in jobs if one.port == url.port and one.pid is not None), None)
        if job is None:
            raise TargetIll(place, "Connection refused")
        if not job.answers:
            await silence(self._tower, place, _DEADLINE)
        return "HTTP 200"

    def _job(self, label: str) -> Job | None:
        return self._tower.launchd.jobs.get(label)


class SimulatedJobHands:
    """ports.JobHands."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def kickstart(self, place: PlacedJob) -> str:
        """As launchctl does it, without `-k`: what runs goes on."""
        said = f"launchctl kickstart {place.target}"
        await answer(self._tower, said, _TAKES)
        tower, job = self._tower, self._tower.launchd.jobs.get(place.label)
        if job is None or job.domain != place.domain:
            raise ActFailed(said, f"Could not find service {place.label!r}")
        refused = tower.launchd.start(job)
        tower.changed()
        if refused:
            raise ActFailed(said, refused)
        return f"kickstarted {place.target}"
