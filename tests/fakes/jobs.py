"""A launchd of values."""

from collections.abc import Sequence

from healer.model.jobs import JobPage, LocalUrl, PlacedJob
from healer.model.launchd import Domain, DomainKind, LoadedJob
from tests.fakes.faulty import Faulty

CADDY = "com.joel.caddy"


def placed(  # noqa: PLR0913  (each is one line of the page)
    label: str = CADDY,
    kind: DomainKind = DomainKind.GUI,
    *,
    pid: int | None = 700,
    runs: int = 1,
    last_exit: str = "(never exited)",
    throttle: float = 10.0,
    kept: bool = False,
    rests: bool = False,
    timer: bool = False,
    every: float | None = None,
    disabled: bool = False,
) -> PlacedJob:
    """A job that runs, unless told otherwise."""
    job = LoadedJob("not running" if pid is None else "running", pid, last_exit)
    page = JobPage(job, runs, throttle, kept=kept, rests=rests, timer=timer, every=every)
    return PlacedJob(Domain(kind, 501), label, page, disabled)


class FakeJobs(Faulty):
    """Implements JobEyes and JobHands."""

    def __init__(self, *places: PlacedJob) -> None:
        super().__init__()
        self.there = True
        self.loaded: list[PlacedJob] = list(places)
        self.alive: set[int] = {700}

    def available(self) -> bool:
        """Whether it is a Mac."""
        return self.there

    async def places(self, label: str) -> Sequence[PlacedJob]:
        """Where it is loaded."""
        await self.meet("places")
        return [one for one in self.loaded if one.label == label]

    def lives(self, pid: int) -> bool:
        """Whether it is among the living."""
        return pid in self.alive

    async def answer(self, url: LocalUrl) -> str:
        """200, unless told otherwise."""
        await self.meet("answer")
        return f"HTTP 200 from {url.port}"

    async def kickstart(self, place: PlacedJob) -> str:
        """It runs once more."""
        await self.meet("kickstart", act=f"kickstart {place.target}")
        page = place.page
        started = placed(place.label, place.domain.kind, pid=707, runs=page.runs + 1)
        self.loaded = [started if one == place else one for one in self.loaded]
        return f"kickstarted {place.target}"
