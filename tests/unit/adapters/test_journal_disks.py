"""Disks and permissions that are really so: the journal tells them, and acts are refused."""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from healer.adapters.journal import SqliteJournal
from healer.ports import JournalError
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act

NOBODY = 65534
ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="mounts a file system: needs root")


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


def run(program: str, *arguments: str) -> None:
    """Run a program of the system to its end."""
    found = shutil.which(program)
    assert found is not None
    subprocess.run([found, *arguments], check=True)


def begin_many(journal: SqliteJournal) -> None:
    """More than any small disk holds."""
    for number in range(1, 1000):
        journal.begin(an_act(number, evidence="x" * 3000))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 400 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    size = "size=400k"
    run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder))
    yield folder
    run("umount", "--lazy", str(folder))


def fill(folder: Path) -> None:
    """Until not a byte is left."""
    with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)
    assert not os.statvfs(folder).f_bavail


@needs_root
def test_a_full_disk_stops_acts_and_not_the_look(tiny_disk: Path, clock: MacClock) -> None:
    """The intent is refused, what was written stays readable, and room makes it go on."""
    path = tiny_disk / "journal.sqlite"
    journal = SqliteJournal.open(path, clock)
    journal.begin(an_act(0))
    fill(tiny_disk)

    with pytest.raises(JournalError, match=f"; free space on its disk: df -h {tiny_disk}"):
        begin_many(journal)
    written = len(journal.ledger().attempts)
    (tiny_disk / "ballast").unlink()
    journal.begin(an_act(9000))
    assert written + 1 == len(journal.ledger().attempts)
    journal.close()


@needs_root
def test_a_disk_that_is_full_from_the_start_is_told(tiny_disk: Path, clock: MacClock) -> None:
    """No journal can be made there, and that is all that happens."""
    fill(tiny_disk)

    with pytest.raises(JournalError, match="free space on its disk"):
        SqliteJournal.open(tiny_disk / "journal.sqlite", clock)


@needs_root
def test_a_disk_that_became_read_only_is_told(tiny_disk: Path, clock: MacClock) -> None:
    """As macOS and Linux do with a disk that fails: no act, and a word."""
    path = tiny_disk / "journal.sqlite"
    SqliteJournal.open(path, clock).close()
    options = "remount,ro,size=400k"
    run("mount", "-o", options, str(tiny_disk))

    with pytest.raises(JournalError, match="; make it writable for you: ls -ld"):
        SqliteJournal.open(path, clock)


def test_a_limit_on_file_sizes_is_told(tmp_path: Path, clock: MacClock) -> None:
    """`ulimit -f` looks like a full disk, and is told as one."""
    journal = SqliteJournal.open(tmp_path / "journal.sqlite", clock)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        with pytest.raises(JournalError, match="free space on its disk"):
            begin_many(journal)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    journal.begin(an_act(9000))
    journal.close()


@pytest.fixture
def not_root() -> Iterator[Path]:
    """A folder of somebody whom permissions bind; root is bound by none."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        if ROOT:
            os.chown(folder, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            if ROOT:
                os.seteuid(0)
            folder.chmod(0o700)


def test_a_folder_that_may_not_be_written_is_told(not_root: Path, clock: MacClock) -> None:
    """Neither a new journal nor an old one is opened there, and the remedy names the folder."""
    path = not_root / "journal.sqlite"
    SqliteJournal.open(path, clock).close()
    not_root.chmod(0o500)

    for one in (path, not_root / "another.sqlite", not_root / "below" / "journal.sqlite"):
        with pytest.raises(JournalError, match=r"; make it writable for you: ls -ld"):
            SqliteJournal.open(one, clock)


def test_a_folder_that_may_not_be_written_can_be_read(not_root: Path, clock: MacClock) -> None:
    """A dry run needs no more than that."""
    path = not_root / "journal.sqlite"
    journal = SqliteJournal.open(path, clock)
    journal.begin(an_act())
    journal.close()
    not_root.chmod(0o500)
    reader = SqliteJournal.for_reading(path, clock)
    assert reader is not None

    assert 1 == len(reader.ledger().attempts)
    reader.close()


def test_a_file_that_may_not_be_written_is_told(not_root: Path, clock: MacClock) -> None:
    """A journal of somebody else, say after a run with sudo."""
    path = not_root / "journal.sqlite"
    SqliteJournal.open(path, clock).close()
    path.chmod(0o000)

    with pytest.raises(JournalError, match=r"; make it writable for you: ls -ld"):
        SqliteJournal.open(path, clock)


def test_a_link_in_its_place_is_refused_and_its_target_kept(
    tmp_path: Path, clock: MacClock
) -> None:
    """SQLite would follow it, and a chmod would reach any file of ours."""
    target, path = tmp_path / "target", tmp_path / "journal.sqlite"
    target.touch(mode=0o644)
    path.symlink_to(target)

    with pytest.raises(JournalError, match=r"is a symbolic link, not a file; look at what is"):
        SqliteJournal.open(path, clock)
    assert (0, 0o644) == (target.stat().st_size, target.stat().st_mode & 0o777)


@pytest.mark.parametrize("kind", ["FIFO", "folder"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, clock: MacClock, kind: str) -> None:
    """A FIFO keeps nobody waiting."""
    path = tmp_path / "journal.sqlite"
    if kind == "FIFO":
        os.mkfifo(path)
    else:
        path.mkdir()

    with pytest.raises(JournalError, match=f"is a {kind}, not a file"):
        SqliteJournal.open(path, clock)


def test_a_journal_that_others_could_read_is_made_private(tmp_path: Path, clock: MacClock) -> None:
    """Ours is; another program's file keeps its mode."""
    path, foreign = tmp_path / "journal.sqlite", tmp_path / "foreign.sqlite"
    SqliteJournal.open(path, clock).close()
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE mine (it)")
    path.chmod(0o644)
    foreign.chmod(0o644)

    SqliteJournal.open(path, clock).close()
    with pytest.raises(JournalError, match="another program's"):
        SqliteJournal.open(foreign, clock)
    assert (0o600, 0o644) == (path.stat().st_mode & 0o777, foreign.stat().st_mode & 0o777)
