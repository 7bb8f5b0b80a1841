"""SIGKILL at any instant: no intent is lost, and none is done twice (I4, I10)."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from healer.adapters.journal import SqliteJournal
from healer.core.facts import Outcome
from tests.fakes.mac_clock import MacClock

KILLED_IN_THE_ACT = """
import sys
from pathlib import Path
from healer.adapters.journal import SqliteJournal
from healer.core.facts import Outcome
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act

journal = SqliteJournal.open(Path(sys.argv[1]), MacClock())
number = int(sys.argv[2])
journal.begin(an_act(number))
print("begun", flush=True)
while True:
    number += 1
    journal.end(an_act(number - 1), Outcome.DONE, "x" * 500)
    journal.begin(an_act(number))
"""


def test_sigkill_at_any_instant_loses_no_intent(tmp_path: Path) -> None:
    """After each kill at most the last act is unfinished, and every earlier one has its end."""
    path = tmp_path / "state" / "journal.sqlite"
    for round_ in range(12):
        number = 10_000 * round_
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED_IN_THE_ACT, str(path), str(number)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert child.stdout is not None
        assert b"begun\n" == child.stdout.readline()
        _let_it_write(child, path, at_least=round_ % 4)
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        journal = SqliteJournal.open(path, MacClock())
        ledger = journal.ledger()
        unfinished = ledger.unfinished()
        assert len(unfinished) <= 1
        if unfinished:
            assert unfinished[-1] == ledger.attempts[-1]
            journal.end(unfinished[-1].act, Outcome.INTERRUPTED, "")
        assert f"run-{number}" in {one.act.id for one in ledger.attempts}
        journal.close()


def _let_it_write(child: subprocess.Popen[bytes], path: Path, *, at_least: int) -> None:
    """Wait until so many more acts were begun."""
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    count = "SELECT count(*) FROM attempt"
    first = reader.execute(count).fetchone()[0]
    while reader.execute(count).fetchone()[0] < first + at_least:
        assert child.poll() is None
    reader.close()
