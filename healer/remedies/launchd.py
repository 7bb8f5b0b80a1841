"""launchd's jobs, started where they are loaded."""

from collections.abc import Sequence

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.model.jobs import PlacedJob, Standing, WatchedJob, stands
from healer.ports import Conflict, JobEyes, JobHands


class KickstartJob:
    """Start the job of that label (`target`), if it is still down after that very run.

    Nothing is loaded, enabled or restarted: a sibling healer killed a healthy Inngest 54 times
    (incident 32).
    """

    remedy = Remedy.KICKSTART_JOB

    def __init__(self, eyes: JobEyes, hands: JobHands, jobs: Sequence[WatchedJob]) -> None:
        self._eyes = eyes
        self._hands = hands
        self._jobs = {one.label: one for one in jobs}

    async def needed(self, act: Act) -> str:
        """'' while it is down, in one domain, and launchd has not started it meanwhile."""
        judged = await self._judge(act)
        return judged if isinstance(judged, str) else ""

    async def act(self, act: Act) -> str:
        """Start it; only a probe says whether it came up."""
        judged = await self._judge(act)
        if isinstance(judged, str):
            raise Conflict(act.target, judged)
        return await self._hands.kickstart(judged)

    async def _judge(self, act: Act) -> PlacedJob | str:
        watched = self._jobs.get(act.target)
        if watched is None:
            return "the settings do not name it any more"
        stood = stands(watched, await self._eyes.places(act.target))
        if stood.how is not Standing.DOWN or stood.place is None:
            return stood.why
        if act.fingerprint != stood.place.run:
            return f"it has been started meanwhile, and is down again: {stood.why}"
        return stood.place
