"""Whether a copied SQLite database is whole, asked of SQLite itself."""

import sqlite3
import time
from pathlib import Path
from typing import Final

MAGIC: Final = b"SQLite format 3\x00"
_STEPS: Final = 100_000
"""SQLite's own steps between two looks at the time."""


def is_sqlite(path: Path) -> bool:
    """By its first bytes: the PDS names its databases as it likes."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def why_not_whole(path: Path, seconds: float) -> str:
    """What `PRAGMA integrity_check` finds in it; '' = nothing. Words of its own, no data.

    The copy is opened for writing, so that a write-ahead log copied with it is folded in at the
    close and the file stands alone afterwards. Asked for at most `seconds`.
    """
    until = time.monotonic() + seconds
    try:
        database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=1.0)
    except sqlite3.Error as error:
        return _words(error)
    try:
        database.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        rows = database.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        return _words(error)
    finally:
        database.close()
    return "" if rows == [("ok",)] else "integrity_check found damage"


def _words(error: sqlite3.Error) -> str:
    if str(error) == "interrupted":
        return "integrity_check was not done in time"
    return f"integrity_check: {error}"
