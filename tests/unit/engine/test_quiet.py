"""Journals that keep nothing: what was known stays known, and nothing is promised."""

import pytest

from healer.core.facts import Pause
from healer.core.ledger import Ledger
from healer.engine.quiet import BrokenJournal, Snapshot
from healer.ports import JournalError


def test_a_snapshot_keeps_what_it_was_given_and_nothing_more() -> None:
    """No pause ends or begins by it, and nobody else writes to it."""
    ledger = Ledger(pauses=(Pause(None, None, "joel", "work"),))
    journal = Snapshot(ledger)
    journal.pause(Pause(None, None, "ann", "more work"))
    journal.check()

    assert ledger is journal.ledger()
    assert (0, 0, False) == (
        journal.resume(None),
        journal.reset(None),
        journal.written_by_others(),
    )


def test_what_was_learnt_before_the_run_is_known_and_nothing_else() -> None:
    """A rehearsal learns nothing for later."""
    memory = Snapshot(Ledger(), {"api_port": "64784"})
    memory.learn("api_port", "1")
    memory.learn("node", "joelclaw-controlplane-1")

    assert ("64784", None) == (memory.known("api_port"), memory.known("node"))


def test_a_journal_that_could_not_be_opened_says_why_each_time() -> None:
    """The run looks on, and may not act."""
    error = JournalError("journal: not a database")
    journal = BrokenJournal(error)

    for ask in (journal.ledger, journal.check):
        with pytest.raises(JournalError, match="not a database"):
            ask()
