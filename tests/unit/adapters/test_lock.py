"""One healer acts at a time, in all processes (I7)."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from healer.adapters.lock import WriterLock, holder
from healer.ports import JournalError

HOLDER = """
import sys, time
from pathlib import Path
from healer.adapters.lock import WriterLock, holder

lock = WriterLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def start(path: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Another process that tries to hold the lock, and what it was told."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    return holder, holder.stdout.readline().decode().strip()


def test_the_second_is_told_who_is_first(tmp_path: Path) -> None:
    """It gets the first one's pid, not the lock; and the other way round."""
    path = tmp_path / "state" / "lock"
    holder, said = start(path)

    assert "None" == said
    assert holder.pid == WriterLock(path).acquire()
    holder.communicate()
    ours = WriterLock(path)
    assert ours.acquire() is None
    second, said = start(path)
    assert str(os.getpid()) == said
    second.communicate()
    ours.release()


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    """SIGKILL leaves the file and its pid behind, and no lock."""
    path = tmp_path / "lock"
    holder, _ = start(path)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    lock = WriterLock(path)

    assert lock.acquire() is None
    assert f"{os.getpid()}\n" == path.read_text()
    lock.release()


def test_released_it_can_be_taken_again(tmp_path: Path) -> None:
    """Within one process too; releasing twice, or without holding, is nothing."""
    first, second = WriterLock(tmp_path / "lock"), WriterLock(tmp_path / "lock")
    second.release()
    assert first.acquire() is None
    assert os.getpid() == second.acquire()
    first.release()
    first.release()

    assert second.acquire() is None
    second.release()


def test_a_child_does_not_inherit_it(tmp_path: Path) -> None:
    """A `colima start` outlives its healer, and must not keep the next one from working."""
    lock = WriterLock(tmp_path / "lock")
    assert lock.acquire() is None
    child = subprocess.Popen(
        ["/bin/sh", "-c", "echo up; read x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    )
    assert child.stdout is not None
    assert b"up\n" == child.stdout.readline()
    lock.release()

    said = WriterLock(tmp_path / "lock").acquire()
    child.communicate()
    assert said is None


def test_a_lock_on_a_removed_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever locks a file that somebody removes in that instant locks nobody out: once more."""
    path, lock_it = tmp_path / "lock", fcntl.flock
    removed: list[Path] = []

    def remove_and_lock(descriptor: int, operation: int) -> None:
        if not removed:
            path.unlink()
            removed.append(path)
        lock_it(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_and_lock)
    lock = WriterLock(path)

    assert lock.acquire() is None
    assert os.getpid() == WriterLock(path).acquire()
    lock.release()


def test_an_unreadable_pid_is_no_pid(tmp_path: Path) -> None:
    """A lock whose file says nothing is held all the same; 0 stands for whoever it is."""
    path = tmp_path / "lock"
    lock = WriterLock(path)
    assert lock.acquire() is None
    path.write_text("?")

    assert 0 == WriterLock(path).acquire()
    lock.release()


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """0600 in a folder of 0700."""
    path = tmp_path / "state" / "lock"
    lock = WriterLock(path)
    lock.acquire()
    lock.release()

    assert (0o600, 0o700) == (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777)


def test_a_lock_that_cannot_be_is_told(tmp_path: Path) -> None:
    """File, cause and a command that shows why."""
    (tmp_path / "file").write_text("x")

    with pytest.raises(JournalError, match=r"lock .*/file/lock: .*; make it writable for you"):
        WriterLock(tmp_path / "file" / "lock").acquire()


def test_a_full_disk_lets_go_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No room for the pid is told as such, and locks nobody out: neither others nor ourselves."""
    path, lock = tmp_path / "lock", WriterLock(tmp_path / "lock")
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", Mock(side_effect=OSError(errno.ENOSPC, "No space left")))
        with pytest.raises(JournalError, match=r"lock .*: No space left.*; free space on its disk"):
            lock.acquire()
    assert not lock.held

    other, said = start(path)
    assert "None" == said
    other.communicate()
    assert lock.acquire() is None
    lock.release()


def test_a_link_in_its_place_is_refused_and_its_target_kept(tmp_path: Path) -> None:
    """Whoever may write the folder could name any file of ours, and have it emptied."""
    target, path = tmp_path / "target", tmp_path / "lock"
    target.write_text("precious")
    path.symlink_to(target)

    with pytest.raises(JournalError, match=r"lock .*: is a symbolic link, not a file; look at"):
        WriterLock(path).acquire()
    assert "precious" == target.read_text()
    assert holder(path) is None


@pytest.mark.parametrize("kind", ["FIFO", "folder", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """Opening a FIFO would wait for its other end."""
    path = tmp_path / "lock"
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/null")

    with pytest.raises(JournalError, match=f"is a {kind}, not a file"):
        WriterLock(path).acquire()
    assert holder(path) is None


def test_who_holds_it_can_be_asked_without_taking_it(tmp_path: Path) -> None:
    """The pid while it is held; nobody before, after, and of a file that says nothing."""
    path = tmp_path / "lock"
    assert holder(path) is None
    process, said = start(path)
    assert ("None", process.pid) == (said, holder(path))
    assert process.pid == WriterLock(path).acquire()
    process.communicate()
    assert holder(path) is None
    path.write_text("?")

    assert holder(path) is None


def test_a_stranger_with_the_dead_holders_pid_holds_nothing(tmp_path: Path) -> None:
    """A pid in the file that lives proves nothing; the lock does."""
    path = tmp_path / "lock"
    path.write_text(f"{os.getpid()}\n")

    assert holder(path) is None
