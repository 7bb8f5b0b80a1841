"""The writer's lock: one healer acts at a time, in all processes (I7)."""

import fcntl
import os
from pathlib import Path

from healer.adapters.journal_errors import explain
from healer.adapters.living import lives
from healer.files import open_regular
from healer.ports import JournalError


class WriterLock:
    """An advisory lock on a file; the system releases it when its holder dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether we hold it."""
        return self._descriptor is not None

    def acquire(self) -> int | None:
        """Take the lock; return None on success, else the holder's pid (0 if it is unreadable).

        Raises JournalError when the file cannot be used.
        """
        try:
            return self._acquired()
        except OSError as error:
            raise JournalError(explain(self._path, error, "lock")) from error

    def release(self) -> None:
        """Let go; the file stays, since removing it would let two holders in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _acquired(self) -> int | None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = open_regular(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_there(descriptor):
                    # A full disk has no room for the pid, and must not leave us locking ourselves
                    # out by a descriptor that nobody knows.
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                    self._descriptor, descriptor = descriptor, -1
                    return None
                # Somebody removed the file between our open and our lock: it locks nobody out.
            except BlockingIOError:
                return _pid(descriptor) or 0
            finally:
                if descriptor >= 0:
                    os.close(descriptor)

    def _is_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.lstat())
        except FileNotFoundError:
            return False


def holder(path: Path) -> int | None:
    """The pid of the living process that holds this lock, asked without taking it; else None."""
    try:
        descriptor = open_regular(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        pid = _pid(descriptor)
        return pid if pid and lives(pid) and _is_locked(descriptor) else None
    finally:
        os.close(descriptor)


def _pid(descriptor: int) -> int | None:
    said = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(said) if said.isdecimal() else None


def _is_locked(descriptor: int) -> bool:
    # Only a stranger that has the dead holder's pid now lets us have it, for an instant.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
