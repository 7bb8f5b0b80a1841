"""What the journal's rows say, at one moment."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Final

from healer.adapters.journal_errors import Guard
from healer.adapters.journal_keeping import hidden_by_reset
from healer.adapters.journal_rows import Reader, Remembered
from healer.adapters.journal_writing import File
from healer.core.facts import Pause
from healer.core.ledger import Attempt, Hold, Ledger
from healer.core.tower import Layer

REMEMBERED: Final = 8 * 86_400.0
"""The longest window of any limit is a day; a week more tells whether a remedy ever helps."""


class Past:
    """Reads with the times of one moment; raises JournalError."""

    def __init__(self, connection: sqlite3.Connection, file: File, reader: Reader) -> None:
        self._connection = connection
        self._file = file
        self._reader = reader

    def ledger(self) -> Ledger:
        """Everything that limits need, with times on this boot's clock."""
        since = (self._since(),)
        attempts = self._read(
            "SELECT * FROM attempt WHERE at > ? AND (outcome IS NULL OR NOT "  # noqa: S608  (our own words)
            f"{hidden_by_reset('attempt')}) ORDER BY id",
            since,
        )
        rearmed = self._read(
            "SELECT layer, at FROM reset WHERE attempt = 0 AND layer IS NOT NULL AND at > ?", since
        )
        opened = self._read(
            "SELECT * FROM decision AS o WHERE kind = 'IncidentOpened' AND at > ? AND NOT EXISTS ("
            "SELECT 1 FROM decision WHERE kind = 'IncidentResolved' AND at >= o.at AND "
            "json_extract(body, '$.incident') = json_extract(o.body, '$.incident')) ORDER BY id",
            since,
        )
        boots = self._read("SELECT at FROM vm_boot WHERE at > ? ORDER BY at", since)
        with Guard(self._file.path):
            return Ledger(
                attempts=tuple(self._reader.attempt(row) for row in attempts),
                holds=tuple(self.holds()),
                pauses=tuple(pause for _, pause in self.pauses()),
                vm_boots=tuple(self._reader.moved(row) for row in boots),
                rearmed=tuple((Layer(row["layer"]), self._reader.moved(row)) for row in rearmed),
                incidents=tuple(self._reader.incident(row) for row in opened),
            )

    def holds(self) -> Iterator[Hold]:
        """Ended ones too: a ladder begins anew where a hold ended (core/limiting)."""
        rows = self._read(
            "SELECT * FROM hold WHERE (length IS NULL OR at + length > ?) AND NOT "  # noqa: S608  (our own words)
            f"{hidden_by_reset('hold')} ORDER BY id",
            (self._since(),),
        )
        return (self._reader.hold(row) for row in rows)

    def pauses(self) -> Iterator[tuple[int, Pause]]:
        """Those in force, with their rows' ids."""
        for row in self._read("SELECT * FROM pause WHERE ended IS NULL ORDER BY id"):
            pause = self._reader.pause(row)
            if pause.until is None or pause.until > self._reader.now:
                yield row["id"], pause

    def attempts(self) -> Sequence[Attempt]:
        """All attempts that are kept, those before a reset too, oldest first."""
        rows = self._read("SELECT * FROM attempt ORDER BY id")
        with Guard(self._file.path):
            return [self._reader.attempt(row) for row in rows]

    def history(self, since_wall: float) -> Sequence[Remembered]:
        """Acts, decisions and a human's words since then (epoch seconds), oldest first."""
        rows = self._read(
            "SELECT at, 1 AS place, wall, kind, layer, body FROM decision WHERE wall >= ? "
            "UNION ALL SELECT at, 0, wall, 'Act', layer, json_object('id', act, 'remedy', remedy, "
            "'layer', layer, 'reason', reason, 'target', target, 'evidence', evidence, "
            "'outcome', outcome, 'detail', detail, 'took', took, 'verified', verified) "
            "FROM attempt WHERE wall >= ? ORDER BY at, place",
            (since_wall, since_wall),
        )
        return [Remembered(row["wall"], row["kind"], row["layer"], row["body"]) for row in rows]

    def _since(self) -> float:
        return self._reader.timeline.at(self._reader.now) - REMEMBERED

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with Guard(self._file.path):
            self._file.must_be_there()
            return self._connection.execute(query, values).fetchall()
