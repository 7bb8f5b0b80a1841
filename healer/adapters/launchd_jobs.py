"""The jobs of this Mac's launchd, in all its domains (R10), and their own addresses."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import anyio

from healer.adapters.launchctl import Launchctl
from healer.adapters.living import lives
from healer.model.jobs import LocalUrl, PlacedJob, parse_page
from healer.model.launchd import Domain, domains_of
from healer.ports import CannotLook, PortError, PortEyes


class LaunchdJobs:
    """ports.JobEyes and ports.JobHands; `launchctl` is None where there is no launchd."""

    def __init__(self, launchctl: Launchctl | None, uid: int, ports: PortEyes) -> None:
        self._launchctl = launchctl
        self._domains = domains_of(uid)
        self._ports = ports

    def available(self) -> bool:
        """Whether launchctl was found."""
        return self._launchctl is not None

    async def places(self, label: str) -> Sequence[PlacedJob]:
        """All domains at once; one that cannot be looked at may hold it. Raises CannotLook."""
        found: dict[Domain, PlacedJob | PortError | None] = {}

        async def look(domain: Domain) -> None:
            try:
                found[domain] = await self._place(domain, label)
            except PortError as error:
                found[domain] = error

        async with anyio.create_task_group() as tasks:
            for one in self._domains:
                tasks.start_soon(partial(look, one), name=f"launchctl print {one.target(label)}")
        answers = [found[one] for one in self._domains]
        failed = next((one for one in answers if isinstance(one, PortError)), None)
        if failed is not None:
            raise failed
        return [one for one in answers if isinstance(one, PlacedJob)]

    async def _place(self, domain: Domain, label: str) -> PlacedJob | None:
        target = domain.target(label)
        said = await self._ctl().page(target)
        if said is None:
            return None
        page = parse_page(said)
        if page is None:
            words = f"{len(said)} characters without a state and a count of runs that make sense"
            raise CannotLook(f"launchctl print {target}", words)
        placed = PlacedJob(domain, label, page)
        if page.running:
            return placed
        return replace(placed, disabled=label in await self._ctl().disabled(str(domain)))

    def lives(self, pid: int) -> bool:
        """By its number alone; what it is, the next search tells."""
        return lives(pid)

    async def answer(self, url: LocalUrl) -> str:
        """Over HTTP from the Mac, as a published port is asked."""
        return await self._ports.speak(url.port, "http", url.path, "")

    async def kickstart(self, place: PlacedJob) -> str:
        """Say where; what comes of it is for a look."""
        await self._ctl().kickstart(place.target)
        return f"kickstarted {place.target}"

    def _ctl(self) -> Launchctl:
        if self._launchctl is None:
            raise CannotLook("launchctl", "not found on PATH")
        return self._launchctl
