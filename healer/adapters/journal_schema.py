"""The journal's tables, and opening them safely: nothing foreign or newer is ever touched."""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from healer.ports import JournalError

APPLICATION_ID: Final = 0x4865616C
"""`Heal` in ASCII: tells our file from anybody else's SQLite file."""
VERSION: Final = 1
_BUSY_SECONDS: Final = 5.0
_PRUNED_AT_ONCE: Final = 500

_TABLES: Final = """
CREATE TABLE stamp_boot (id INTEGER PRIMARY KEY, boot TEXT NOT NULL UNIQUE);
CREATE TABLE attempt (
    id TEXT PRIMARY KEY, remedy TEXT NOT NULL, layer TEXT NOT NULL, reason TEXT NOT NULL,
    evidence TEXT NOT NULL, target TEXT NOT NULL, event TEXT NOT NULL, owner TEXT NOT NULL,
    fingerprint TEXT NOT NULL, incident TEXT NOT NULL,
    boot INTEGER NOT NULL, at REAL NOT NULL, wall REAL NOT NULL,
    outcome TEXT, detail TEXT NOT NULL DEFAULT '', took REAL, verified INTEGER,
    child_pid INTEGER, child_started REAL
) STRICT;
CREATE INDEX attempt_wall ON attempt (wall);
CREATE TABLE decision (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, layer TEXT NOT NULL, body TEXT NOT NULL,
    wall REAL NOT NULL
) STRICT;
CREATE INDEX decision_wall ON decision (wall);
CREATE TABLE hold (
    id INTEGER PRIMARY KEY, layer TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    boot INTEGER NOT NULL, at REAL NOT NULL, wall REAL NOT NULL, length REAL
) STRICT;
CREATE TABLE pause (
    id INTEGER PRIMARY KEY, scope TEXT, author TEXT NOT NULL, reason TEXT NOT NULL,
    boot INTEGER NOT NULL, at REAL NOT NULL, wall REAL NOT NULL, length REAL, ended INTEGER
) STRICT;
CREATE TABLE vm_boot (
    id INTEGER PRIMARY KEY, boot INTEGER NOT NULL, at REAL NOT NULL, wall REAL NOT NULL
) STRICT;
CREATE TABLE reset (
    id INTEGER PRIMARY KEY, layer TEXT, wall REAL NOT NULL, attempt_row INTEGER NOT NULL,
    hold_row INTEGER NOT NULL
) STRICT;
"""


def open_journal(path: Path) -> sqlite3.Connection:
    """Open or create the journal: WAL, every commit synced, readable by its owner only.

    Raises JournalError for a file that is foreign, newer, corrupt or not to be written.
    """
    _private_folder(path.parent)
    with guarded(path):
        connection = _connect(path)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def read_journal(path: Path) -> sqlite3.Connection | None:
    """Open an existing journal for reading only; None when there is none yet.

    Raises JournalError as `open_journal` does.
    """
    if not path.exists():
        return None
    with guarded(path):
        uri = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            _refuse_strangers(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def enter_boot(connection: sqlite3.Connection, path: Path, boot: str) -> None:
    """Give this boot of the Mac its row, to which stamps refer."""
    with guarded(path):
        connection.execute("INSERT OR IGNORE INTO stamp_boot (boot) VALUES (?)", (boot,))


def prune(connection: sqlite3.Connection, path: Path, before: float) -> None:
    """Forget a little of what is older: a year of journal must not grow, nor take long here."""
    with guarded(path):
        for table in ("attempt", "decision", "hold", "pause", "vm_boot"):
            connection.execute(
                f"DELETE FROM {table} WHERE rowid IN "  # noqa: S608  (our own table names)
                f"(SELECT rowid FROM {table} WHERE wall < ? LIMIT {_PRUNED_AT_ONCE})",
                (before,),
            )


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's words into ours, with file, cause and remedy."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise JournalError(explain(path, error)) from error


def explain(path: Path, error: sqlite3.Error | OSError) -> str:
    """File, cause and what a human can do."""
    cause = str(error)
    remedy = _REMEDIES.get(_kind(cause), f"look at it with: ls -l {path}")
    return f"journal {path}: {cause}; {remedy.format(path=path, folder=path.parent)}"


def _kind(cause: str) -> str:
    for words, kind in _CAUSES.items():
        if words in cause:
            return kind
    return ""


_CAUSES: Final = {
    "not a database": "corrupt",
    "malformed": "corrupt",
    "disk is full": "full",
    "disk I/O error": "full",
    "No space left": "full",
    "readonly": "readonly",
    "Read-only": "readonly",
    "Permission denied": "readonly",
    "unable to open": "readonly",
    "Not a directory": "readonly",
    "locked": "locked",
}
_REMEDIES: Final = {
    "corrupt": "nothing was changed; set it aside with: mv {path} {path}.corrupt",
    "full": "free space on its disk: df -h {folder}",
    "readonly": "make it writable for you: ls -ld {folder} {path}",
    "locked": "another process writes to it: lsof {path}",
}


def _private_folder(folder: Path) -> None:
    with guarded(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    """The file must be private from its first byte, and SQLite copies its mode to the WAL."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    with guarded(path):
        _refuse_strangers(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync = ON")
        if _version(connection) == 0:
            _create(connection)


def _refuse_strangers(connection: sqlite3.Connection, path: Path) -> None:
    version, owner = _version(connection), _number(connection, "application_id")
    empty = _number(connection, "schema_version") == 0
    if not empty and owner != APPLICATION_ID:
        raise JournalError(
            f"journal {path}: it is another program's SQLite file; nothing was changed; "
            "name another state folder in the settings (files.state)"
        )
    if version > VERSION:
        raise JournalError(
            f"journal {path}: version {version} was written by a newer healer (this one knows "
            f"{VERSION}); nothing was changed; use that healer, or set it aside with: "
            f"mv {path} {path}.v{version}"
        )


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _version(connection) == 0:
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return _number(connection, "user_version")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    with closing(connection.execute(f"PRAGMA {pragma}")) as answer:
        return int(answer.fetchone()[0])
