"""healer as a process that is killed at one point of the journal: `dying POINT REMEDY WORD…`.

Nothing of healer is changed but that SIGKILL comes at that instant: after the intent was written
and nothing was done, after the deed and before its result was written, or right after that.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from healer.adapters.journal import SqliteJournal
from healer.cli import main

if TYPE_CHECKING:
    from healer.core.facts import Act, Outcome

POINTS: Final = ("intent", "deed", "result")


def die_at(point: str, remedy: str) -> None:
    """From now on the journal's own methods end in a SIGKILL there."""
    begin, end = SqliteJournal.begin, SqliteJournal.end

    def kill(here: str, act: Act) -> None:
        if (here, act.remedy.value) == (point, remedy):
            os.kill(os.getpid(), signal.SIGKILL)

    def begun(self: SqliteJournal, act: Act) -> None:
        begin(self, act)
        kill("intent", act)

    def ended(self: SqliteJournal, act: Act, outcome: Outcome, detail: str) -> None:
        kill("deed", act)
        end(self, act, outcome, detail)
        kill("result", act)

    SqliteJournal.begin, SqliteJournal.end = begun, ended  # type: ignore[method-assign]  # (that is the point)


if __name__ == "__main__":
    die_at(sys.argv[1], sys.argv[2])
    sys.exit(main(sys.argv[3:]))
