"""Daemons that began and ended, single facts that last, and a journal that is opened anew."""

from pathlib import Path

import pytest

from healer.adapters.journal import SqliteJournal
from healer.adapters.journal_again import LastingJournal
from healer.core.facts import Outcome, Pause
from healer.ports import JournalError
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act

WITHIN = 600.0


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


def opened(path: Path, clock: MacClock) -> SqliteJournal:
    """The journal there."""
    return SqliteJournal.open(path / "journal.sqlite", clock)


def test_daemons_that_never_ended_are_crashes(tmp_path: Path, clock: MacClock) -> None:
    """Each start sees how many before it were cut off; an end in good order is none."""
    journal = opened(tmp_path, clock)
    assert 0 == journal.run_began("a", WITHIN)
    assert 1 == journal.run_began("b", WITHIN)
    journal.run_ended("b", "stopped")
    assert 1 == journal.run_began("c", WITHIN)
    journal.close()


def test_old_crashes_are_forgiven(tmp_path: Path, clock: MacClock) -> None:
    """Only those of the last while make a loop."""
    journal = opened(tmp_path, clock)
    journal.run_began("a", WITHIN)
    clock.advance(WITHIN + 1.0)
    assert 0 == journal.run_began("b", WITHIN)
    journal.close()


def test_a_mac_that_lost_its_power_is_no_crash(tmp_path: Path, clock: MacClock) -> None:
    """What another boot cut off says nothing of healer."""
    journal = opened(tmp_path, clock)
    journal.run_began("a", WITHIN)
    journal.close()
    clock.reboot()

    again = opened(tmp_path, clock)
    assert 0 == again.run_began("b", WITHIN)
    again.close()


def test_a_single_fact_lasts_and_is_replaced(tmp_path: Path, clock: MacClock) -> None:
    """The last word of it counts, also for the next run."""
    journal = opened(tmp_path, clock)
    assert journal.known("api_port") is None
    journal.learn("api_port", "6443")
    journal.learn("api_port", "55001")
    journal.close()

    again = opened(tmp_path, clock)
    assert "55001" == again.known("api_port")
    again.close()


def test_what_another_process_wrote_is_noticed_once(tmp_path: Path, clock: MacClock) -> None:
    """Our own writes are none of theirs."""
    ours, theirs = opened(tmp_path, clock), opened(tmp_path, clock)
    assert not ours.written_by_others()
    ours.check()
    assert not ours.written_by_others()

    theirs.pause(Pause(None, None, "joel", "demo"))
    assert ours.written_by_others()
    assert not ours.written_by_others()
    ours.close()
    theirs.close()


def test_a_journal_that_could_not_be_opened_is_tried_again(tmp_path: Path, clock: MacClock) -> None:
    """A folder that is a file: each use says so; once it is a folder, all is kept."""
    folder = tmp_path / "state"
    folder.write_text("in the way", encoding="ascii")
    journal = LastingJournal(lambda: opened(folder, clock))
    for use in (journal.ledger, journal.check, lambda: journal.begin(an_act())):
        with pytest.raises(JournalError):
            use()

    folder.unlink()
    journal.check()
    journal.begin(an_act())
    journal.end(an_act(), Outcome.DONE, "")
    assert 1 == len(journal.ledger().attempts)
    journal.close()


def test_a_journal_that_was_removed_in_use_is_made_anew(tmp_path: Path, clock: MacClock) -> None:
    """SQLite would write on into the removed file, in silence."""
    journal = LastingJournal(lambda: opened(tmp_path, clock))
    journal.check()
    for file in tmp_path.glob("journal.sqlite*"):
        file.unlink()
    with pytest.raises(JournalError, match="removed or replaced"):
        journal.begin(an_act())

    journal.check()
    journal.begin(an_act())
    assert (tmp_path / "journal.sqlite").exists()
    journal.close()
