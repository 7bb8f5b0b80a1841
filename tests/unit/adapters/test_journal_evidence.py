"""Evidence in the journal: found again by incident, pruned, never waited for, never in the way."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from healer.adapters import journal_schema
from healer.adapters.journal import SqliteJournal
from healer.adapters.journal_schema import APPLICATION_ID
from healer.core.facts import IncidentOpened, IncidentResolved
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.ports import JournalError
from healer.replay.records import KeptBeginning, KeptSteps
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act

DAY = 86_400.0
BEGINNING = KeptBeginning(b"world", "run-1", "1.2.3", follows=False, lost=False)
OPENED = IncidentOpened("run-1-i1", Layer.TALOS, Reason.TALOS_STOPPED, "exited (137)")


def some_steps(body: bytes = b"steps", *incidents: str) -> KeptSteps:
    """A bundle about these incidents."""
    return KeptSteps(body, (("p1", b"policy"),), incidents, count=3, decisions=1)


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def journal(path: Path, clock: MacClock) -> Iterator[SqliteJournal]:
    """A new journal."""
    made = SqliteJournal.open(path, clock)
    yield made
    made.close()


def test_what_is_kept_is_found_by_its_incident(journal: SqliteJournal, clock: MacClock) -> None:
    """Each segment about it, from its beginning to the last bundle that is about it."""
    first = journal.keep(BEGINNING, some_steps(b"before"))
    journal.keep(first, some_steps(b"opened", "i1"))
    journal.keep(first, some_steps(b"both", "i1", "i2"))
    journal.keep(first, some_steps(b"other", "i2"))
    second = journal.keep(BEGINNING, some_steps(b"later", "i2"))

    (found,) = journal.evidence().segments_of("i1")
    assert (first, BEGINNING) == (found.number, found.beginning)
    assert [b"before", b"opened", b"both"] == [body for _, _, body in found.steps]
    assert [clock.wall()] * 3 == [wall for _, wall, _ in found.steps]
    assert [first, second] == [one.number for one in journal.evidence().segments_of("i2")]
    assert {"p1": b"policy"} == journal.evidence().policies()
    assert () == tuple(journal.evidence().segments_of("i3"))


def test_incidents_are_known_with_and_without_evidence(
    journal: SqliteJournal, clock: MacClock
) -> None:
    """By the decision that opened them, else by their steps, in the order of their times."""
    journal.keep(BEGINNING, some_steps(b"", "old"))
    clock.advance(5.0)
    journal.record(OPENED)

    old, new = journal.evidence().incidents()
    assert ("old", "", True) == (old.id, old.reason, old.kept)
    assert ("run-1-i1", "talos.stopped", False) == (new.id, new.reason, new.kept)


def test_steps_of_a_lost_segment_are_refused(journal: SqliteJournal) -> None:
    """The file was set aside, or the segment pruned: the recorder begins a new one."""
    with pytest.raises(JournalError, match="no segment 7"):
        journal.keep(7, some_steps())

    assert [] == journal.evidence().incidents()


def test_what_is_old_is_forgotten(journal: SqliteJournal, clock: MacClock) -> None:
    """After 30 days, its policies with it."""
    journal.keep(BEGINNING, some_steps(b"", "i1"))
    clock.advance(31 * DAY)
    newer = KeptSteps(b"", (("p2", b"other"),), ("i2",), 1, 1)
    journal.keep(BEGINNING, newer)
    journal.prune()

    assert ["i2"] == [one.id for one in journal.evidence().incidents()]
    assert {"p2": b"other"} == journal.evidence().policies()


def test_what_is_too_much_is_forgotten_oldest_first(journal: SqliteJournal) -> None:
    """They stay near 3 MB while a daemon runs (it looks every 16 segments), and the newest stay."""
    for number in range(100):
        segment = journal.keep(BEGINNING, some_steps(b"x" * 40_000, f"i{number}"))
        journal.keep(segment, some_steps(b"x" * 40_000, f"i{number}"))

    known = [one.id for one in journal.evidence().incidents()]
    (weight,) = journal._connection.execute("SELECT sum(length(body)) FROM steps").fetchone()
    assert 2 * 2**20 < weight < 3 * 2**20 + 16 * 80_000
    assert [f"i{number}" for number in range(100 - len(known), 100)] == known
    journal.prune()
    (weight,) = journal._connection.execute("SELECT sum(length(body)) FROM steps").fetchone()
    assert weight <= 3 * 2**20


def test_nobody_is_waited_for(path: Path, journal: SqliteJournal) -> None:
    """Beside another writer it fails at once; what follows is as patient as ever."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            journal.keep(BEGINNING, some_steps())
        other.execute("ROLLBACK")

    pragmas = {
        name: journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "busy_timeout")
    }
    assert {"synchronous": 2, "busy_timeout": 5000} == pragmas


def test_an_act_needs_no_evidence(path: Path, journal: SqliteJournal) -> None:
    """With its tables gone, intents and decisions are written as ever."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE steps")
    with pytest.raises(JournalError):
        journal.keep(BEGINNING, some_steps())
    journal.begin(an_act())
    journal.record(OPENED)

    assert 1 == len(journal.attempts())


def test_a_file_of_the_version_before(path: Path, clock: MacClock) -> None:
    """It is read as it is, brought forward when it is written to, and its incidents stay known."""
    older(path)
    reading = SqliteJournal.for_reading(path, clock)
    assert reading is not None
    assert [("i-1", False)] == [(one.id, one.kept) for one in reading.evidence().incidents()]
    assert () == tuple(reading.evidence().segments_of("i-1"))
    assert {} == reading.evidence().policies()
    reading.close()

    writing = SqliteJournal.open(path, clock)
    writing.keep(BEGINNING, some_steps(b"", "i-2"))
    writing.record(IncidentResolved("i-1", 3.0))
    known = {one.id: one.kept for one in writing.evidence().incidents()}
    writing.close()
    assert {"i-1": False, "i-2": True} == known


def older(path: Path) -> None:
    """A journal of the version that kept no evidence, with one incident."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        journal_schema.migrate(connection, journal_schema.MIGRATIONS[:3])
        connection.execute(
            "INSERT INTO decision (kind, layer, body, at, wall) VALUES ('IncidentOpened', 'talos', "
            """'{"incident": "i-1", "reason": "talos.stopped"}', 1.0, 2.0)"""
        )
        assert (APPLICATION_ID,) == connection.execute("PRAGMA application_id").fetchone()
