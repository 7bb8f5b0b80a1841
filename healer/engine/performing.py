"""Carrying out one act: intent, a last look, the act, its end (I10)."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import anyio

from healer.core.facts import Act, Finished, Outcome
from healer.core.ladders import Limits, Remedy
from healer.outside import cleaned
from healer.ports import Journal, JournalError, NotThere, PortError, Remedial

MARGIN = 30.0
"""Past a remedy's own cap the engine ends it from outside: no adapter may hang it."""


class Performer:
    """Runs remedies one at a time as it is told; knows nothing of why."""

    def __init__(
        self,
        remedies: Mapping[Remedy, Remedial],
        limits: Mapping[Remedy, Limits],
        journal: Journal,
        lost: Callable[[JournalError], None],
        too_late: Callable[[], bool],
    ) -> None:
        self._remedies = remedies
        self._limits = limits
        self._journal = journal
        self._lost = lost
        self._too_late = too_late

    async def perform(self, act: Act) -> Finished:
        """Run an act to its end, whatever happens; `lost` is told of a journal that fails.

        Without a written intent nothing is done; what was done stays done without its result.
        """
        try:
            self._journal.begin(act)
        except JournalError as error:
            self._lost(error)
            return Finished(act, Outcome.NOT_NEEDED, f"not done: {error}")
        finished = await self._bounded(act)
        finished = replace(finished, detail=cleaned(finished.detail))
        try:
            self._journal.end(act, finished.outcome, finished.detail)
        except JournalError as error:
            self._lost(error)
        return finished

    async def _bounded(self, act: Act) -> Finished:
        cap = self._limits[act.remedy].cap + MARGIN
        try:
            with anyio.move_on_after(cap):
                return await self._run(act)
        except NotThere as gone:
            return Finished(act, Outcome.DONE, f"already gone: {gone}")
        except PortError as error:
            return Finished(act, Outcome.FAILED, str(error))
        except Exception as error:  # noqa: BLE001  (a broken remedy must end as a fact)
            return Finished(act, Outcome.FAILED, f"{type(error).__name__}: {error}")
        return Finished(act, Outcome.TIMED_OUT, f"not done after {cap:.0f} s")

    async def _run(self, act: Act) -> Finished:
        remedy = self._remedies[act.remedy]
        why_not = await remedy.needed(act)
        if why_not:
            return Finished(act, Outcome.NOT_NEEDED, why_not)
        if self._too_late():  # the last look takes seconds, in which a SIGTERM may come
            return Finished(act, Outcome.NOT_NEEDED, "not done: no act may begin any more")
        return Finished(act, Outcome.DONE, await remedy.act(act))
