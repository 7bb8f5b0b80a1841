"""The outbox: notices are queued before they are delivered, and each is queued once for ever."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any, Final

from healer.adapters.journal_errors import Guard
from healer.adapters.journal_writing import File, Write
from healer.model.notice import Delivery, Ended, Kind, Notice, Past, PastAct, PastIncident
from healer.ports import JournalError

NOTICES: Final = """
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, at REAL NOT NULL, wall REAL NOT NULL, UNIQUE (incident, kind)
) STRICT;
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, notice INTEGER NOT NULL, channel TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, outcome TEXT, detail TEXT NOT NULL DEFAULT '',
    at REAL NOT NULL, wall REAL, UNIQUE (notice, channel)
) STRICT;
"""
"""`outcome` is NULL while a channel has not taken the notice, then a `Delivery` or `dropped`.

A delivery's `wall` is when that was noted; a notice's is when it was made."""

_DAY: Final = 86_400.0


class NoticeTable:
    """ports.Outbox on the journal's file."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        file: File,
        writing: Callable[[], AbstractContextManager[Write]],
        at: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._file = file
        self._writing = writing
        self._at = at
        self._wall = wall

    def queue(self, notice: Notice, channels: Sequence[str]) -> bool:
        """Once for each incident and kind: a second time changes nothing, and says False."""
        at = self._at()
        with self._writing() as write:
            fresh = write(
                "INSERT OR IGNORE INTO notice (incident, kind, body, at, wall) "
                "VALUES (?, ?, ?, ?, ?)",
                (notice.incident, notice.kind.value, _body(notice), at, notice.at),
            )
            for channel in channels if fresh else ():
                write(
                    "INSERT INTO delivery (notice, channel, at) "
                    "SELECT id, ?, ? FROM notice WHERE incident = ? AND kind = ?",
                    (channel, at, notice.incident, notice.kind.value),
                )
        return bool(fresh)

    def delivered(self, notice: Notice, channel: str, how: Delivery) -> None:
        """A channel has done with it."""
        self._note(notice, channel, how.value, "")

    def failed(self, notice: Notice, channel: str, why: str) -> None:
        """A channel did not take it this time."""
        self._note(notice, channel, None, why)

    def dropped(self, notice: Notice, channel: str, why: str) -> None:
        """It is not tried there again."""
        self._note(notice, channel, "dropped", why)

    def _note(self, notice: Notice, channel: str, outcome: str | None, detail: str) -> None:
        tried = 0 if outcome == "dropped" else 1
        with self._writing() as write:
            write(
                "UPDATE delivery SET attempts = attempts + ?, outcome = ?, detail = ?, wall = ? "
                "WHERE channel = ? AND notice = "
                "(SELECT id FROM notice WHERE incident = ? AND kind = ?)",
                (tried, outcome, detail, self._wall(), channel, notice.incident, notice.kind.value),
            )

    def told(self) -> Sequence[Notice]:
        """Every notice that is kept, oldest first."""
        return [_notice(row["body"]) for row in self._read("SELECT body FROM notice ORDER BY id")]

    def pending(self) -> Sequence[tuple[Notice, str]]:
        """What a channel has not taken, oldest first."""
        rows = self._read(
            "SELECT body, channel FROM delivery JOIN notice ON notice.id = delivery.notice "
            "WHERE outcome IS NULL ORDER BY notice.id, delivery.id"
        )
        return [(_notice(row["body"]), row["channel"]) for row in rows]

    def ended(self) -> Sequence[Ended]:
        """Of the last day: an older end is no news any more."""
        rows = self._read(
            "SELECT notice.body, json_extract(decision.body, '$.seconds') AS seconds "
            "FROM decision JOIN notice "
            "ON notice.incident = json_extract(decision.body, '$.incident') "
            "WHERE decision.kind = 'IncidentResolved' AND decision.at > ? "
            "AND notice.kind IN ('opened', 'gave_up') AND NOT EXISTS (SELECT 1 FROM notice AS "
            "other WHERE other.incident = notice.incident AND other.kind = 'resolved') "
            "GROUP BY notice.incident ORDER BY decision.id",
            (self._at() - _DAY,),
        )
        return [Ended(_notice(row["body"]), row["seconds"]) for row in rows]

    def past(self, since: float) -> Past:
        """Incidents, acts that found something to do, give-ups, and what was dropped."""
        return Past(
            incidents=tuple(self._incidents(since)),
            acts=tuple(self._acts(since)),
            gave_up=len(
                self._read("SELECT 1 FROM decision WHERE kind = 'GaveUp' AND wall > ?", (since,))
            ),
            undelivered=tuple(self._undelivered(since)),
        )

    def _incidents(self, since: float) -> Sequence[PastIncident]:
        rows = self._read(
            "SELECT json_extract(o.body, '$.incident') AS incident, "
            "json_extract(o.body, '$.reason') AS reason, o.wall AS wall, "
            "(SELECT json_extract(e.body, '$.seconds') FROM decision AS e WHERE "
            "e.kind = 'IncidentResolved' AND e.at >= o.at AND json_extract(e.body, '$.incident') "
            "= json_extract(o.body, '$.incident')) AS seconds "
            "FROM decision AS o WHERE o.kind = 'IncidentOpened' AND o.wall > ? ORDER BY o.id",
            (since,),
        )
        return [PastIncident(*row) for row in map(tuple, rows)]

    def _acts(self, since: float) -> Sequence[PastAct]:
        rows = self._read(
            "SELECT remedy, reason, incident, wall, verified FROM attempt "
            "WHERE wall > ? AND outcome IS NOT 'not_needed' ORDER BY id",
            (since,),
        )
        return [
            PastAct(
                row["remedy"],
                row["reason"],
                row["incident"],
                row["wall"],
                None if row["verified"] is None else bool(row["verified"]),
            )
            for row in rows
        ]

    def _undelivered(self, since: float) -> Sequence[str]:
        rows = self._read(
            "SELECT channel, json_extract(body, '$.title') AS title FROM delivery "
            "JOIN notice ON notice.id = delivery.notice "
            "WHERE outcome = 'dropped' AND delivery.wall > ? ORDER BY delivery.id",
            (since,),
        )
        return [f"{row['channel']}: {row['title']}" for row in rows]

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with Guard(self._file.path):
            self._file.must_be_there()
            return self._connection.execute(query, values).fetchall()


def _body(notice: Notice) -> str:
    return json.dumps(asdict(notice), sort_keys=True)


def _notice(body: str) -> Notice:
    """Raises JournalError for a kind that this healer does not know."""
    fields = json.loads(body)
    try:
        return Notice(**{**fields, "kind": Kind(fields["kind"])})
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"journal: a notice of another version of healer: {error}") from error
