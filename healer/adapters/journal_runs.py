"""Which daemons began and how they ended, so that our own crash loop is noticed (design §7)."""

import os
import sqlite3
from typing import Final

from healer.adapters.journal_writing import Write

RUNS: Final = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, pid INTEGER NOT NULL, boot TEXT NOT NULL,
    at REAL NOT NULL, wall REAL NOT NULL, ended TEXT
) STRICT;
CREATE TABLE known (word TEXT PRIMARY KEY, value TEXT NOT NULL, at REAL NOT NULL) STRICT;
"""
"""`run`: one row a daemon; `ended` stays NULL for one that crashed. `known`: single facts that
outlive a run, such as the API server's last port."""


def note_start(write: Write, run: str, boot: str, at: float, wall: float) -> None:
    """A daemon begins."""
    write(
        "INSERT INTO run (run, pid, boot, at, wall) VALUES (?, ?, ?, ?, ?)",
        (run, os.getpid(), boot, at, wall),
    )


def note_end(write: Write, run: str, how: str) -> None:
    """A daemon ended in good order."""
    write("UPDATE run SET ended = ? WHERE run = ?", (how, run))


def crashes(connection: sqlite3.Connection, run: str, boot: str, since: float) -> int:
    """Daemons before this one that began since then in this boot and never ended.

    Those of an earlier boot are not counted: a Mac that loses its power is no crash of ours.
    """
    (count,) = connection.execute(
        "SELECT count(*) FROM run WHERE run != ? AND boot = ? AND at > ? AND ended IS NULL",
        (run, boot, since),
    ).fetchone()
    return int(count)


def note_known(write: Write, word: str, value: str, at: float) -> None:
    """Remember a single fact."""
    write("INSERT OR REPLACE INTO known (word, value, at) VALUES (?, ?, ?)", (word, value, at))


def known(connection: sqlite3.Connection, word: str) -> str | None:
    """What was remembered of it."""
    row = connection.execute("SELECT value FROM known WHERE word = ?", (word,)).fetchone()
    return None if row is None else str(row[0])
