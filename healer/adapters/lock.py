"""The writer's lock: one healer acts at a time, in all processes (I7)."""

import fcntl
import os
import shlex
from pathlib import Path

from healer.adapters.living import lives
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
            folder = shlex.quote(str(self._path.parent))
            raise JournalError(
                f"lock {self._path}: {error.strerror}; make its folder writable for you: "
                f"ls -ld {folder}"
            ) from error

    def release(self) -> None:
        """Let go; the file stays, since removing it would let two holders in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _acquired(self) -> int | None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                os.close(descriptor)
                return int(holder) if holder.isdigit() else 0
            if self._is_there(descriptor):
                break
            # Somebody removed the file between our open and our lock: it locks nobody out.
            os.close(descriptor)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self.release()
        self._descriptor = descriptor
        return None

    def _is_there(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


def holder(path: Path) -> int | None:
    """The pid of the living process that holds this lock, asked without taking it; else None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        said = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        living = said.isdecimal() and lives(int(said))
        return int(said) if living and _is_locked(descriptor) else None
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    # Only a stranger that has the dead holder's pid now lets us have it, for an instant.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
