"""Real faults of the journal's file: each is told with file, cause and remedy, none is mended."""

import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from healer.adapters import journal_schema
from healer.adapters.journal import SqliteJournal
from healer.adapters.journal_schema import VERSION
from healer.core.facts import IncidentOpened, Outcome
from healer.core.ledger import Ledger
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.ports import CannotLook, JournalError
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal lies, in a folder whose name a shell would split."""
    return tmp_path / "its state" / "journal.sqlite"


@pytest.fixture
def full_path(path: Path, clock: MacClock) -> Path:
    """A journal of several pages, closed."""
    journal = SqliteJournal.open(path, clock)
    for number in range(200):
        journal.begin(an_act(number, evidence="x" * 200))
    journal.close()
    return path


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def told(path: Path, clock: MacClock) -> str:
    """What is said when the journal is opened; nothing in its folder may have changed."""
    before = bytes_of(path.parent)
    with pytest.raises(JournalError) as raised:
        SqliteJournal.open(path, clock)
    assert before == bytes_of(path.parent)
    assert str(path) in str(raised.value)
    return str(raised.value)


def read(path: Path, clock: MacClock) -> Ledger:
    """What a dry run reads."""
    reader = SqliteJournal.for_reading(path, clock)
    assert reader is not None
    try:
        return reader.ledger()
    finally:
        reader.close()


def run_remedy(said: str) -> None:
    """Type the command that was named, as a person would."""
    command = said.rpartition("set it aside with: ")[2]
    subprocess.run(["/bin/sh", "-c", command], check=True)


def a_garbage(path: Path) -> None:
    """Something else was written over it."""
    path.write_bytes(b"this was never a database " * 300)


def a_truncated(path: Path) -> None:
    """Its second half is lost."""
    os.truncate(path, path.stat().st_size // 2)


def a_torn(path: Path) -> None:
    """Not even its first page is whole."""
    os.truncate(path, 700)


def a_scribbled(path: Path) -> None:
    """Every page but the first is overwritten, as by a disk that lies."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


@pytest.mark.parametrize("harm", [a_garbage, a_truncated, a_torn, a_scribbled])
def test_a_damaged_file_is_left_alone_and_the_remedy_works(
    full_path: Path, clock: MacClock, harm: Callable[[Path], None]
) -> None:
    """Not a byte of it is changed; after the command that is named a new journal is made."""
    harm(full_path)

    said = told(full_path, clock)
    assert "nothing was changed; set it aside with: mv " in said
    full_path.with_name("journal.sqlite-wal").write_bytes(b"left behind")
    run_remedy(said)
    (aside,) = full_path.parent.iterdir()
    assert {"journal.sqlite", "journal.sqlite-wal"} == {one.name for one in aside.iterdir()}
    SqliteJournal.open(full_path, clock).close()


def test_no_spoilt_page_goes_unseen(full_path: Path, clock: MacClock) -> None:
    """Also one that nothing would read before it is written to."""
    good = full_path.read_bytes()
    for start in range(0, len(good), 4096):
        full_path.write_bytes(good[:start] + b"\xa5" * 4096 + good[start + 4096 :])
        assert "set it aside with: " in told(full_path, clock)


def test_damage_that_is_met_while_reading_is_told(full_path: Path, clock: MacClock) -> None:
    """A look at a damaged journal says so too, and does not end in a traceback."""
    a_scribbled(full_path)

    with pytest.raises(JournalError, match="set it aside"):
        read(full_path, clock)


def test_a_newer_file_is_left_alone_and_the_remedy_works(full_path: Path, clock: MacClock) -> None:
    """A later healer's journal is not understood by halves."""
    with sqlite3.connect(full_path) as other:
        other.execute("PRAGMA user_version = 77")
    other.close()

    said = told(full_path, clock)
    assert f"version 77 was written by a newer healer (this one knows {VERSION})" in said
    run_remedy(said)
    SqliteJournal.open(full_path, clock).close()


def test_the_file_of_another_program_is_left_alone(path: Path, clock: MacClock) -> None:
    """A state folder that was named by mistake costs nobody his data."""
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE photos (name TEXT)")
    other.close()

    assert "another program's SQLite file; nothing was changed" in told(path, clock)


def test_a_newer_file_is_not_read_either(full_path: Path, clock: MacClock) -> None:
    """A dry run refuses it with the same words."""
    with sqlite3.connect(full_path) as other:
        other.execute("PRAGMA user_version = 77")
    other.close()

    with pytest.raises(JournalError, match="newer healer"):
        SqliteJournal.for_reading(full_path, clock)


def test_a_word_of_another_version_is_no_traceback(full_path: Path, clock: MacClock) -> None:
    """A remedy that this healer does not know cannot be accounted for, so it is said."""
    with sqlite3.connect(full_path) as other:
        other.execute("UPDATE attempt SET remedy = 'pray'")
    other.close()
    journal = SqliteJournal.open(full_path, clock)

    with pytest.raises(JournalError, match="'pray' is not a valid Remedy: another version"):
        journal.ledger()
    journal.close()


def test_an_older_file_is_brought_forward(full_path: Path, clock: MacClock) -> None:
    """A later version of the tables keeps what is in them, all or nothing."""
    first = journal_schema.MIGRATIONS
    connection = sqlite3.connect(full_path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        journal_schema.migrate(connection, (*first, "ALTER TABLE hold ADD x TEXT;\nNONSENSE"))
    journal_schema.migrate(connection, (*first, "ALTER TABLE attempt ADD note TEXT"))

    assert (200,) == connection.execute("SELECT count(note IS NULL) FROM attempt").fetchone()
    assert (VERSION + 1,) == connection.execute("PRAGMA user_version").fetchone()
    assert [] == [row for row in connection.execute("PRAGMA table_info(hold)") if row[1] == "x"]
    connection.close()
    assert f"version {VERSION + 1} was written by a newer healer" in told(full_path, clock)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_removed_while_open_is_noticed(
    full_path: Path, clock: MacClock, *, replaced: bool
) -> None:
    """SQLite would write on into the removed file, and the next run would know of no act."""
    journal = SqliteJournal.open(full_path, clock)
    for one in full_path.parent.iterdir():
        one.unlink()
    if replaced:
        SqliteJournal.open(full_path, clock).close()

    with pytest.raises(JournalError, match="removed or replaced while in use; start healer anew"):
        journal.begin(an_act(1000))
    with pytest.raises(JournalError, match="removed or replaced"):
        journal.ledger()
    journal.close()


def test_another_writer_is_waited_for_and_then_named(full_path: Path, clock: MacClock) -> None:
    """A lock that is not let go is said, with the command that shows who holds it."""
    journal = SqliteJournal.open(full_path, clock, patience=0.05)
    other = sqlite3.connect(full_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(JournalError, match=r"database is locked; another process .* lsof"):
        journal.begin(an_act(1000))
    other.execute("ROLLBACK")
    other.close()
    journal.begin(an_act(1000))
    journal.close()


def test_a_path_that_cannot_be_is_told(tmp_path: Path, clock: MacClock) -> None:
    """A state folder under a file, or a folder in the place of the journal."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "journal.sqlite").mkdir(parents=True)

    with pytest.raises(JournalError, match="make it writable for you: ls -ld"):
        SqliteJournal.open(tmp_path / "file" / "journal.sqlite", clock)
    with pytest.raises(JournalError, match="is a folder, not a file; look at what is in its place"):
        SqliteJournal.open(tmp_path / "folder" / "journal.sqlite", clock)


def test_a_closed_journal_says_so(full_path: Path, clock: MacClock) -> None:
    """An error of our own is no foreign error either."""
    journal = SqliteJournal.open(full_path, clock)
    journal.close()

    with pytest.raises(JournalError, match="closed"):
        journal.begin(an_act(1000))


class NamelessClock(MacClock):
    """A Mac whose sysctl is not to be had."""

    def awake(self) -> float:
        """The same: this Mac never sleeps."""
        return self.now()

    def boot_id(self) -> str:
        """It cannot be told."""
        raise CannotLook("sysctl", "not found")


def test_a_boot_without_a_name_is_told(path: Path) -> None:
    """Without it no stamp has a meaning, so nothing can be accounted for."""
    SqliteJournal.open(path, MacClock()).close()

    with pytest.raises(JournalError, match="this boot of the Mac has no name: sysctl: not found"):
        SqliteJournal.open(path, NamelessClock())


def test_files_and_folder_are_for_their_owner_only(path: Path, clock: MacClock) -> None:
    """0700 and 0600, the write-ahead log too, whatever the umask; a loose file is closed up."""
    before = os.umask(0)
    try:
        journal = SqliteJournal.open(path, clock)
        journal.begin(an_act())
    finally:
        os.umask(before)

    assert 0o700 == path.parent.stat().st_mode & 0o777
    found = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    journal.close()
    names = ("journal.sqlite", "journal.sqlite-shm", "journal.sqlite-wal")
    assert dict.fromkeys(names, 0o600) == found
    path.chmod(0o644)
    SqliteJournal.open(path, clock).close()
    assert 0o600 == path.stat().st_mode & 0o777


def test_every_commit_is_synced(path: Path, clock: MacClock) -> None:
    """WAL alone may lose the last commits in a power cut; synchronous FULL does not."""
    journal = SqliteJournal.open(path, clock)

    pragmas = {
        name: journal._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "application_id", "user_version")
    }
    journal.close()
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "application_id": 0x4865616C,
        "user_version": VERSION,
    }
    assert expected == pragmas


def test_looking_leaves_no_trace(path: Path, clock: MacClock) -> None:
    """Without a journal none is made; with one not a file is added and not a byte is changed."""
    assert SqliteJournal.for_reading(path, clock) is None
    assert not path.parent.exists()
    journal = SqliteJournal.open(path, clock)
    journal.begin(an_act())
    journal.close()
    before = bytes_of(path.parent)

    assert 1 == len(read(path, clock).attempts)
    assert before == bytes_of(path.parent)


def test_looking_beside_a_writer_sees_what_it_wrote(path: Path, clock: MacClock) -> None:
    """What still stands in the write-ahead log is read too; and a reader can write nothing."""
    journal = SqliteJournal.open(path, clock)
    journal.begin(an_act(1))
    reader = SqliteJournal.for_reading(path, clock)
    assert reader is not None
    journal.begin(an_act(2))

    assert 2 == len(reader.ledger().attempts)
    with pytest.raises(JournalError, match="readonly"):
        reader.begin(an_act(3))
    reader.close()
    journal.close()


def test_a_busy_day_stays_below_5_megabytes(path: Path, clock: MacClock) -> None:
    """As many acts as the hourly limit allows, each with ten decisions around it."""
    journal = SqliteJournal.open(path, clock)
    connection = journal._connection
    connection.execute("PRAGMA synchronous = OFF")  # only the size is measured
    for number in range(20 * 24):
        journal.begin(an_act(number, evidence="x" * 300))
        journal.end(an_act(number), Outcome.DONE, "y" * 300)
        for _ in range(10):
            journal.record(IncidentOpened("i", Layer.NODE, Reason.NODE_TAINTED, "z" * 300))
    size = sum(one.stat().st_size for one in path.parent.iterdir())
    journal.close()

    assert size < 5_000_000
