"""What can go wrong with the journal's file, in our words: file, cause and what a human can do."""

import errno
import shlex
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Final

from healer.ports import JournalError, PortError


class Guard:
    """Turns the errors of SQLite, of the system and of our own ports into JournalError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, sqlite3.Error | OSError):
            raise JournalError(explain(self._path, error)) from error
        if isinstance(error, ValueError):
            raise JournalError(
                f"journal {self._path}: {error}: another version of healer wrote it; "
                f"use that one, or set it aside with: {set_aside(self._path)}"
            ) from error
        if isinstance(error, PortError):
            raise JournalError(
                f"journal {self._path}: this boot of the Mac has no name: {error}; "
                "run: healer doctor"
            ) from error


def explain(path: Path, error: sqlite3.Error | OSError, part: str = "journal") -> str:
    """File, cause and remedy; the remedy begins after the first `; `."""
    remedy = _REMEDIES.get(_kind(error), "look at it with: ls -l {path}")
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    words = remedy.format(
        path=shlex.quote(str(path)), folder=shlex.quote(str(path.parent)), aside=set_aside(path)
    )
    return f"{part} {path}: {cause}; {words}"


def set_aside(path: Path) -> str:
    """The command that moves the journal out of the way, into a folder of its own.

    Its `-wal` goes with it: SQLite would replay a write-ahead log that is left behind into the
    new file.
    """
    folder = shlex.quote(str(path.parent / "aside.XXXXXX"))
    return f'mv {shlex.quote(str(path))}* "$(mktemp -d {folder})"'


def _kind(error: sqlite3.Error | OSError) -> str:
    """SQLite's name of the error; its messages change from version to version."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0, "")
    name = getattr(error, "sqlite_errorname", "")
    return next((kind for begin, kind in _BY_NAME.items() if name.startswith(begin)), "")


_BY_NAME: Final = {
    "SQLITE_CORRUPT": "corrupt",
    "SQLITE_NOTADB": "corrupt",
    "SQLITE_FULL": "full",
    "SQLITE_IOERR": "full",
    "SQLITE_READONLY": "readonly",
    "SQLITE_CANTOPEN": "readonly",
    "SQLITE_PERM": "readonly",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
}
_BY_ERRNO: Final = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.EFBIG: "full",
    errno.EACCES: "readonly",
    errno.EPERM: "readonly",
    errno.EROFS: "readonly",
    errno.ENOTDIR: "readonly",
    errno.EEXIST: "readonly",
    errno.EINVAL: "no_file",
    errno.ELOOP: "no_file",
}
_REMEDIES: Final = {
    "corrupt": "nothing was changed; set it aside with: {aside}",
    "full": "free space on its disk: df -h {folder}",
    "readonly": "make it writable for you: ls -ld {folder} {path}",
    "no_file": "look at what is in its place, and remove it: ls -l {path}",
    "locked": "another process writes to it: lsof {path}",
}
