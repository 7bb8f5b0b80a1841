"""Steps that can be decided again: kept beside the decisions, and found again by incident."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from healer.adapters.journal_errors import Guard
from healer.adapters.journal_writing import File, Write
from healer.ports import JournalError
from healer.replay.records import KeptBeginning, KeptSegment, KeptSteps

EVIDENCE: Final = """
CREATE TABLE policy (digest TEXT PRIMARY KEY, body BLOB NOT NULL, at REAL NOT NULL) STRICT;
CREATE TABLE segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, version TEXT NOT NULL,
    follows INTEGER NOT NULL, lost INTEGER NOT NULL, body BLOB NOT NULL,
    at REAL NOT NULL, wall REAL NOT NULL
) STRICT;
CREATE TABLE steps (
    id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, incidents TEXT NOT NULL,
    count INTEGER NOT NULL, decisions INTEGER NOT NULL, body BLOB NOT NULL,
    at REAL NOT NULL, wall REAL NOT NULL
) STRICT;
CREATE INDEX steps_segment ON steps (segment);
"""
"""`segment`: a beginning; `steps`: bundles since then, each with the incidents it is about (JSON).
`follows`: whether the segment before it, of the same run, was kept up to it; `lost`: whether
decisions before it could not be kept."""

_SINCE: Final = 4
"""The version of the file that has these tables."""
_KEPT: Final = 30 * 86_400.0
_LARGEST: Final = 3 * 2**20
"""Bytes of all beginnings and steps: a journal stays below 5 MB, whatever a day brings."""
_ROW: Final = 80
"""Bytes that a row takes beside its body."""
_ALL: Final = 2**62
_PRUNED_EVERY: Final = 16
"""Segments: a look at every row takes some milliseconds."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """One transaction that keeps evidence, and the time at which it does."""

    write: Write
    connection: sqlite3.Connection
    at: float
    wall: float

    def keep(self, beginning: KeptBeginning | int, steps: KeptSteps) -> int:
        """Add steps, with their beginning if it is given; the number of their segment."""
        segment = beginning if isinstance(beginning, int) else self._begin(beginning)
        for digest, body in steps.policies:
            self.write("INSERT OR IGNORE INTO policy VALUES (?, ?, ?)", (digest, body, self.at))
            if not isinstance(beginning, int):
                self.write("UPDATE policy SET at = ? WHERE digest = ?", (self.at, digest))
        said = (json.dumps(steps.incidents), steps.count, steps.decisions, steps.body)
        added = self.write(
            "INSERT INTO steps (segment, incidents, count, decisions, body, at, wall) "
            "SELECT id, ?, ?, ?, ?, ?, ? FROM segment WHERE id = ?",
            (*said, self.at, self.wall, segment),
        )
        if not added:
            raise JournalError(f"journal: evidence has no segment {segment}; it begins a new one")
        return segment

    def _begin(self, one: KeptBeginning) -> int:
        self.write(
            "INSERT INTO segment (run, version, follows, lost, body, at, wall) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (one.run, one.version, one.follows, one.lost, one.body, self.at, self.wall),
        )
        (number,) = self.connection.execute("SELECT last_insert_rowid()").fetchone()
        if number % _PRUNED_EVERY == 0:
            forget(self.write, self.at)
        return int(number)


def forget(write: Write, at: float) -> None:
    """Forget what is older than 30 days, and the oldest of what is too much."""
    write(
        "DELETE FROM segment WHERE at < ? OR id IN (SELECT id FROM (SELECT id, sum(bytes) OVER "
        "(ORDER BY id DESC) AS upto FROM (SELECT id, length(body) + ? + coalesce((SELECT "
        "sum(length(body) + ?) FROM steps WHERE segment = segment.id), 0) AS bytes "
        "FROM segment)) WHERE upto > ?)",
        (at - _KEPT, _ROW, _ROW, _LARGEST),
    )
    write("DELETE FROM steps WHERE segment NOT IN (SELECT id FROM segment)", ())
    write("DELETE FROM policy WHERE at < (SELECT coalesce(min(at), 0) FROM segment)", ())


class Unhurried:
    """For what may be lost: neither waits for another writer nor for the disk.

    The decision that is written right after it syncs the same log, and this with it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._patience = 0

    def __enter__(self) -> None:
        with Guard(self._path):
            (self._patience,) = self._connection.execute("PRAGMA busy_timeout").fetchone()
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with Guard(self._path):
            self._connection.execute(f"PRAGMA busy_timeout = {self._patience}")
            self._connection.execute("PRAGMA synchronous = FULL")


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """An incident that the journal names."""

    id: str
    wall: float
    """When it was opened, or first found in evidence; epoch seconds."""
    layer: str
    """'' when the decision that opened it is not there any more."""
    reason: str
    kept: bool
    """Whether steps of it are there."""


class EvidenceTable:
    """What was kept; a file of an older version has nothing. Raises JournalError."""

    def __init__(self, connection: sqlite3.Connection, file: File) -> None:
        self._connection = connection
        self._file = file

    def incidents(self) -> Sequence[KnownIncident]:
        """All that are known, in the order in which they were opened."""
        kept = {row["incident"]: row["wall"] for row in self._tagged()}
        opened = self._read(
            "SELECT json_extract(body, '$.incident') AS incident, wall, layer, "
            "json_extract(body, '$.reason') AS reason FROM decision "
            "WHERE kind = 'IncidentOpened' ORDER BY id"
        )
        told = [
            KnownIncident(
                row["incident"], row["wall"], row["layer"], row["reason"], row["incident"] in kept
            )
            for row in opened
        ]
        names = {one.id for one in told}
        untold = [
            KnownIncident(name, wall, "", "", kept=True)
            for name, wall in kept.items()
            if name not in names
        ]
        return sorted([*untold, *told], key=lambda one: one.wall)

    def segments_of(self, incident: str) -> Sequence[KeptSegment]:
        """Each segment that is about it, up to the last of its steps that is.

        The one that the first of them follows comes first: it shows what led to it.
        """
        if not self._has_tables():
            return ()
        rows = self._read(
            "SELECT segment, max(steps.id) AS last FROM steps, json_each(incidents) "
            "WHERE value = ? GROUP BY segment ORDER BY segment",
            (incident,),
        )
        found = [self._segment(row["segment"], row["last"]) for row in rows]
        if found and found[0].beginning.follows:
            found = [*self._before(found[0].number), *found]
        return found

    def _before(self, number: int) -> Sequence[KeptSegment]:
        rows = self._read("SELECT id FROM segment WHERE id < ? ORDER BY id DESC LIMIT 1", (number,))
        return [self._segment(row["id"], _ALL) for row in rows]

    def policies(self) -> Mapping[str, bytes]:
        """Each policy that is named in them, by digest."""
        if not self._has_tables():
            return {}
        rows = self._read("SELECT digest, body FROM policy")
        return {row["digest"]: row["body"] for row in rows}

    def _segment(self, number: int, last: int) -> KeptSegment:
        (row,) = self._read("SELECT * FROM segment WHERE id = ?", (number,))
        steps = self._read(
            "SELECT id, wall, body FROM steps WHERE segment = ? AND id <= ? ORDER BY id",
            (number, last),
        )
        beginning = KeptBeginning(
            row["body"], row["run"], row["version"], bool(row["follows"]), bool(row["lost"])
        )
        bundles = tuple((one["id"], one["wall"], one["body"]) for one in steps)
        return KeptSegment(number, beginning, bundles)

    def _tagged(self) -> list[sqlite3.Row]:
        if not self._has_tables():
            return []
        return self._read(
            "SELECT value AS incident, min(wall) AS wall FROM steps, json_each(incidents) "
            "GROUP BY value ORDER BY min(steps.id)"
        )

    def _has_tables(self) -> bool:
        (row,) = self._read("PRAGMA user_version")
        return int(row[0]) >= _SINCE

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with Guard(self._file.path):
            self._file.must_be_there()
            return self._connection.execute(query, values).fetchall()
