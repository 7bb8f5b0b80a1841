"""The journal's tables, and opening them safely: nothing foreign, newer or broken is touched."""

import os
import sqlite3
import stat
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from healer.adapters.journal_errors import Guard, set_aside
from healer.adapters.journal_evidence import EVIDENCE
from healer.adapters.journal_notices import NOTICES
from healer.adapters.journal_runs import RUNS
from healer.files import open_regular
from healer.ports import JournalError

APPLICATION_ID: Final = 0x4865616C
"""`Heal` in ASCII: tells our file from anybody else's SQLite file."""
_OWNER_AT: Final = 68
"""Where SQLite's file format keeps the application id."""
_PRIVATE: Final = 0o600

_LARGEST_WAL: Final = 2**20
"""Bytes of write-ahead log: a day's journal stays below 5 MB, the log included."""

_FIRST: Final = """
CREATE TABLE timeline (
    id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, "offset" REAL NOT NULL,
    at REAL NOT NULL, wall REAL NOT NULL
) STRICT;
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT, act TEXT NOT NULL UNIQUE, remedy TEXT NOT NULL,
    layer TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, target TEXT NOT NULL,
    event TEXT NOT NULL, owner TEXT NOT NULL, fingerprint TEXT NOT NULL, incident TEXT NOT NULL,
    at REAL NOT NULL, wall REAL NOT NULL,
    outcome TEXT, detail TEXT NOT NULL DEFAULT '', took REAL, verified INTEGER,
    child_pid INTEGER, child_started REAL
) STRICT;
CREATE INDEX attempt_at ON attempt (at);
CREATE TABLE decision (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, layer TEXT NOT NULL, body TEXT NOT NULL,
    at REAL NOT NULL, wall REAL NOT NULL
) STRICT;
CREATE INDEX decision_at ON decision (at);
CREATE TABLE hold (
    id INTEGER PRIMARY KEY AUTOINCREMENT, layer TEXT NOT NULL, reason TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT NOT NULL, at REAL NOT NULL, length REAL
) STRICT;
CREATE TABLE pause (
    id INTEGER PRIMARY KEY, scope TEXT, author TEXT NOT NULL, reason TEXT NOT NULL,
    at REAL NOT NULL, length REAL, ended INTEGER
) STRICT;
CREATE TABLE vm_boot (id INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
CREATE TABLE reset (
    id INTEGER PRIMARY KEY, layer TEXT, at REAL NOT NULL, attempt INTEGER NOT NULL,
    hold INTEGER NOT NULL
) STRICT;
"""
"""`at` is on the journal's own clock (`journal_timeline`), `wall` is for people. AUTOINCREMENT
where a reset names the last row before it: an id that is used again would hide a new attempt."""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST, RUNS, NOTICES, EVIDENCE)
"""What brings version n to n + 1; an entry is never edited once it was released."""
VERSION: Final = len(MIGRATIONS)


def open_for_writing(path: Path, patience: float) -> sqlite3.Connection:
    """Open or create the journal: WAL, every commit synced, readable by its owner only.

    Waits up to `patience` seconds for another writer. Raises JournalError for a file that is
    foreign, newer, corrupt or not to be written; such a file is left as it is.
    """
    with Guard(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_private(path)
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
        try:
            refuse_strangers(connection, path)
            _refuse_damage(connection)
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_in_memory() -> sqlite3.Connection:
    """A journal that dies with its process, for simulations."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _prepare(connection)
    return connection


def open_for_reading(path: Path, patience: float) -> sqlite3.Connection | None:
    """Open an existing journal for reading only; None when there is none yet.

    Raises JournalError as `open_for_writing` does.
    """
    with Guard(path):
        if not path.exists() or not path.stat().st_size:
            return None
        uri = f"{path.absolute().as_uri()}?mode=ro{'' if _in_use(path) else '&immutable=1'}"
        connection = sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)
        try:
            refuse_strangers(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _in_use(path: Path) -> bool:
    """Whether a write-ahead log must be read too.

    Without one SQLite is told that nobody writes: it would leave a log and its index behind,
    and could not read at all in a folder that may not be written. A writer who begins in this
    instant writes to a log first.
    """
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def refuse_strangers(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JournalError for another program's file, and for a newer healer's."""
    version, owner = _number(connection, "user_version"), _number(connection, "application_id")
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
            f"{set_aside(path)}"
        )


def _refuse_damage(connection: sqlite3.Connection) -> None:
    """A damaged page may never be read in a run, and yet be written to."""
    with closing(connection.execute("PRAGMA quick_check(1)")) as answer:
        said = str(answer.fetchone()[0])
    if said != "ok":
        damage = sqlite3.DatabaseError(f"it is damaged: {' '.join(said.split())}")
        damage.sqlite_errorname = "SQLITE_CORRUPT"
        raise damage


def _make_private(path: Path) -> None:
    """No link, and private from the first byte; SQLite gives its WAL the mode of the file.

    A file that is private already is not opened here: closing a descriptor drops all locks that
    this process has on that file.
    """
    with suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) == _PRIVATE:
            return
    descriptor = open_regular(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, _PRIVATE)
    try:
        owner = os.pread(descriptor, 4, _OWNER_AT)
        if owner in {b"", APPLICATION_ID.to_bytes(4)}:
            os.fchmod(descriptor, _PRIVATE)
    finally:
        os.close(descriptor)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_WAL}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LARGEST_WAL // 4096}")
    if sys.platform == "darwin":
        # Without it a Mac's disk may keep a synced commit in its own cache (design §10).
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
    if _number(connection, "user_version") < VERSION:
        migrate(connection, MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...]) -> None:
    """Bring the file to the last version, all or nothing; another process may have done so."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for script in migrations[_number(connection, "user_version") :]:
            for statement in script.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    with closing(connection.execute(f"PRAGMA {pragma}")) as answer:
        return int(answer.fetchone()[0])
