"""One transaction of the journal, into the very file that was opened."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from healer.adapters.journal_errors import Guard
from healer.ports import JournalError


class Write(Protocol):
    """Runs one statement inside the transaction, and says how many rows it touched."""

    def __call__(self, statement: str, values: Sequence[Any] | Mapping[str, Any], /) -> int:
        """Run it."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """The file that was opened: SQLite writes on into one that was removed since, in silence."""

    path: Path
    identity: tuple[int, int] | None
    """Device and inode; None for a journal in memory."""

    @classmethod
    def of(cls, path: Path) -> "File":
        """As it is now."""
        return cls(path, _identity(path))

    def must_be_there(self) -> None:
        """Raise JournalError when the file was removed or replaced."""
        if self.identity is not None and _identity(self.path) != self.identity:
            raise JournalError(
                f"journal {self.path}: it was removed or replaced while in use; "
                "start healer anew, it makes a new one"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Transaction:
    """All or nothing, and synced when it is over; nothing stays after an error."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        file: File,
        last: Callable[[], None],
    ) -> None:
        self._guard = Guard(path)
        self._connection = connection
        self._file = file
        self._last = last
        """Called before the commit."""

    def __enter__(self) -> Write:
        with self._guard:
            self._file.must_be_there()
            self._connection.execute("BEGIN IMMEDIATE")
        return self._write

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:
            try:
                if error is None:
                    self._last()
                    self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        self._guard.__exit__(kind, error, trace)

    def _write(self, statement: str, values: Sequence[Any] | Mapping[str, Any], /) -> int:
        return self._connection.execute(statement, values).rowcount
