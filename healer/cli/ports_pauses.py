"""hotadd.asking.Pauses: healer's own acts, held off by the same words that a human would say."""

import argparse
from collections.abc import Sequence
from typing import Final

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.cli import pauses
from healer.core.facts import Pause
from healer.core.ledger import Ledger
from healer.ports import ActFailed, CannotLook, JournalError
from healer.settings.places import Places
from healer.settings.units import parse_duration

REASON: Final = "healer ports add"
LENGTH: Final = "1h"
"""It ends by itself, so that a Mac which dies half-way does not stay unwatched."""
_LONGEST_ACT: Final = 3600.0
"""Seconds; a start of the VM has 20 min."""


class OwnPauses:
    """By the daemon where one runs, else by the journal. Raises PortError."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._clock = SystemClock()

    def standing(self) -> Sequence[str]:
        """Others' pauses of everything that last as long as ours would."""
        ends = self._clock.now() + parse_duration(LENGTH)
        return [
            f"{one.author}: {one.reason}"
            for one in self._others()
            if one.scope is None and (one.until is None or one.until >= ends)
        ]

    def pause(self) -> None:
        """Everything, and it is looked up that the journal has it."""
        said = pauses.pause(argparse.Namespace(length=LENGTH, layer=None, reason=REASON))
        if said or not self._ours():
            raise ActFailed("healer pause", "the journal does not have the pause")

    def at_work(self) -> str:
        """An act of the last hour without an end in the journal; a dead healer leaves one, too."""
        since = self._clock.now() - _LONGEST_ACT
        acts = self._ledger().attempts
        open_acts = [one for one in acts if one.outcome is None and one.at > since]
        return ", ".join(str(one.act.remedy) for one in open_acts)

    def resume(self) -> None:
        """Ours; one that a human added meanwhile stays, and so does ours until its end."""
        if not self._ours():
            return
        if self._others():  # `resume` ends all that there are
            raise ActFailed("healer resume", "somebody else has paused healer, too")
        if pauses.resume(argparse.Namespace(layer=None)):
            raise ActFailed("healer resume", "the journal would not take it")

    def _others(self) -> list[Pause]:
        return [one for one in self._live() if one.reason != REASON]

    def _ours(self) -> bool:
        return any(one.reason == REASON for one in self._live())

    def _live(self) -> list[Pause]:
        now = self._clock.now()
        found = self._ledger().pauses
        return [one for one in found if one.until is None or one.until > now]

    def _ledger(self) -> Ledger:
        try:
            journal = SqliteJournal.for_reading(self._places.journal, self._clock)
            if journal is None:
                return Ledger()
            try:
                return journal.ledger()
            finally:
                journal.close()
        except JournalError as error:
            raise CannotLook(str(self._places.journal), str(error)) from error
