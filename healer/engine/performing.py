"""Carrying out one act: intent, a last look, the act, its end (I10)."""

from collections.abc import Mapping

import anyio

from healer.core.facts import Act, Finished, Outcome
from healer.core.ladders import Limits, Remedy
from healer.ports import Journal, JournalError, NotThere, PortError, Remedial

_MARGIN = 30.0
"""Past a remedy's own cap the engine ends it from outside: no adapter may hang it."""


class Performer:
    """Runs remedies one at a time as it is told; knows nothing of why."""

    def __init__(
        self,
        remedies: Mapping[Remedy, Remedial],
        limits: Mapping[Remedy, Limits],
        journal: Journal,
    ) -> None:
        self._remedies = remedies
        self._limits = limits
        self._journal = journal

    async def perform(self, act: Act) -> Finished:
        """Run an act to its end; raises JournalError when it cannot be accounted for."""
        self._journal.begin(act)
        finished = await self._bounded(act)
        self._journal.end(act, finished.outcome, finished.detail)
        return finished

    async def _bounded(self, act: Act) -> Finished:
        cap = self._limits[act.remedy].cap + _MARGIN
        try:
            with anyio.fail_after(cap):
                return await self._run(act)
        except TimeoutError:
            return Finished(act, Outcome.TIMED_OUT, f"not done after {cap:.0f} s")
        except NotThere as gone:
            return Finished(act, Outcome.DONE, f"already gone: {gone}")
        except PortError as error:
            return Finished(act, Outcome.FAILED, str(error))
        except Exception as error:  # noqa: BLE001  (a broken remedy must end as a fact)
            return Finished(act, Outcome.FAILED, f"{type(error).__name__}: {error}")

    async def _run(self, act: Act) -> Finished:
        remedy = self._remedies[act.remedy]
        why_not = await remedy.needed(act)
        if why_not:
            return Finished(act, Outcome.NOT_NEEDED, why_not)
        return Finished(act, Outcome.DONE, await remedy.act(act))


def unaccounted(act: Act, error: JournalError) -> Finished:
    """An act that was not begun, because its intent could not be written."""
    return Finished(act, Outcome.NOT_NEEDED, f"not done: {error}")
