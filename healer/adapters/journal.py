"""The journal: what outlives the process, so that limits hold and nothing is done twice.

SQLite, synced at every commit. An act runs only after `begin` returned; what a crash leaves
without a result is found by `ledger` and verified (I10).
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from healer.adapters.journal_rows import ACT_COLUMNS, Reader, act_values, attempt_of, body_of
from healer.adapters.journal_schema import enter_boot, guarded, open_journal, prune, read_journal
from healer.core.facts import (
    Act,
    Decision,
    GaveUp,
    Held,
    NotVerified,
    Outcome,
    Pause,
    Verified,
    VmBooted,
)
from healer.core.ledger import Attempt, Hold, Ledger
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.ports import Clock, JournalError

_LEDGER_DAYS: Final = 8
"""The longest window of any limit is a day; a week lets `explain` look back."""
_KEPT_DAYS: Final = 30
_DAY: Final = 86_400.0
_OTHER_BOOT: Final = -1
"""No row's boot: every stamp is then of another one."""

Write = Callable[[str, Sequence[Any]], None]
"""Runs one statement inside the transaction."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One line of the past, for `healer explain` and tests."""

    wall: float
    kind: str
    layer: str
    body: str


class SqliteJournal:
    """ports.Journal on one SQLite file; every method raises JournalError."""

    def __init__(self, path: Path, clock: Clock, connection: sqlite3.Connection) -> None:
        self._path = path
        self._clock = clock
        self._connection = connection
        self._connection.row_factory = sqlite3.Row
        self._boot = self._boot_number()

    @classmethod
    def open(cls, path: Path, clock: Clock) -> "SqliteJournal":
        """Open or create the journal for writing."""
        connection = open_journal(path)
        try:
            enter_boot(connection, path, clock.boot_id())
            prune(connection, path, clock.wall() - _KEPT_DAYS * _DAY)
        except JournalError:
            connection.close()
            raise
        return cls(path, clock, connection)

    @classmethod
    def for_reading(cls, path: Path, clock: Clock) -> "SqliteJournal | None":
        """An existing journal, of which nothing is changed; None when there is none yet."""
        connection = read_journal(path)
        return None if connection is None else cls(path, clock, connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def begin(self, act: Act) -> None:
        """Write and sync the intent."""
        columns = ", ".join((*ACT_COLUMNS, "boot", "at", "wall"))
        marks = ", ".join("?" * (len(ACT_COLUMNS) + 3))
        with self._writing() as write:
            write(
                f"INSERT INTO attempt ({columns}) VALUES ({marks})",  # noqa: S608  (columns are our own field names)
                (*act_values(act), *self._stamp()),
            )

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember the act's child process."""
        with self._writing() as write:
            write(
                "UPDATE attempt SET child_pid = ?, child_started = ? WHERE id = ?",
                (pid, started, act.id),
            )

    def end(self, act: Act, outcome: Outcome, detail: str) -> None:
        """Write the result; how long it took is by this boot's clock."""
        with self._writing() as write:
            write(
                "UPDATE attempt SET outcome = ?, detail = ?, took = max(0, ? - at) WHERE id = ?",
                (outcome.value, detail, self._clock.now(), act.id),
            )

    def record(self, decision: Decision) -> None:
        """Keep a decision, and what limits must know of it."""
        layer = getattr(decision, "layer", "")
        with self._writing() as write:
            write(
                "INSERT INTO decision (kind, layer, body, wall) VALUES (?, ?, ?, ?)",
                (type(decision).__name__, str(layer), body_of(decision), self._clock.wall()),
            )
            match decision:
                case Verified(act=act):
                    self._mark_verified(write, act, helped=True)
                case NotVerified(act=act):
                    self._mark_verified(write, act, helped=False)
                case Held():
                    self._hold(write, decision, decision.until - self._clock.now())
                case GaveUp():
                    self._hold(write, decision, None)
                case VmBooted(at=at):
                    wall = self._clock.wall() - (self._clock.now() - at)
                    write(
                        "INSERT INTO vm_boot (boot, at, wall) VALUES (?, ?, ?)",
                        (self._boot, at, wall),
                    )
                case _:
                    pass

    def _mark_verified(self, write: Write, act: Act, *, helped: bool) -> None:
        """An act that a crash cut off ends here: its outcome is what became of it."""
        write(
            "UPDATE attempt SET verified = ?, outcome = coalesce(outcome, ?), "
            "took = coalesce(took, 0) WHERE id = ?",
            (int(helped), Outcome.INTERRUPTED.value, act.id),
        )

    def _hold(self, write: Write, held: Held | GaveUp, length: float | None) -> None:
        write(
            "INSERT INTO hold (layer, reason, detail, boot, at, wall, length) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (held.layer.value, held.reason.value, held.detail, *self._stamp(), length),
        )

    def pause(self, pause: Pause) -> None:
        """Keep a human's pause."""
        length = None if pause.until is None else pause.until - self._clock.now()
        scope = None if pause.scope is None else pause.scope.value
        with self._writing() as write:
            write(
                "INSERT INTO pause (scope, author, reason, boot, at, wall, length) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (scope, pause.author, pause.reason, *self._stamp(), length),
            )

    def resume(self, scope: Layer | None) -> int:
        """End the pauses of that scope (None: all); how many were in force."""
        ended = [
            row["id"] for row, pause in self._pauses() if scope is None or pause.scope is scope
        ]
        with self._writing() as write:
            for one in ended:
                write("UPDATE pause SET ended = 1 WHERE id = ?", (one,))
        return len(ended)

    def reset(self, layer: Layer | None) -> int:
        """Re-arm a layer (None: all): what it did before counts no more; how many holds ended."""
        holds = [one for one in self.ledger().holds if layer is None or one.layer is layer]
        with self._writing() as write:
            write(
                "INSERT INTO reset (layer, wall, attempt_row, hold_row) VALUES (?, ?, "
                "(SELECT coalesce(max(rowid), 0) FROM attempt), "
                "(SELECT coalesce(max(id), 0) FROM hold))",
                (None if layer is None else layer.value, self._clock.wall()),
            )
        return len(holds)

    def ledger(self) -> Ledger:
        """Everything that limits need, with times on this boot's clock."""
        reader = self._reader()
        since = reader.wall - _LEDGER_DAYS * _DAY
        attempts = self._read(
            "SELECT * FROM attempt WHERE wall > ? AND NOT EXISTS (SELECT 1 FROM reset "
            "WHERE attempt.rowid <= reset.attempt_row "
            "AND (reset.layer IS NULL OR reset.layer = attempt.layer)) ORDER BY rowid",
            (since,),
        )
        boots = self._read("SELECT * FROM vm_boot WHERE wall > ? ORDER BY wall", (since,))
        return Ledger(
            attempts=tuple(attempt_of(row, reader) for row in attempts),
            holds=tuple(self._holds(reader)),
            pauses=tuple(pause for _, pause in self._pauses()),
            vm_boots=tuple(reader.moved(row["boot"], row["at"], row["wall"]) for row in boots),
        )

    def history(self, since_wall: float) -> Sequence[Remembered]:
        """Decisions and acts since then, oldest first."""
        decisions = self._read(
            "SELECT wall, kind, layer, body FROM decision WHERE wall >= ? "
            "UNION ALL SELECT wall, 'Act', layer, id FROM attempt WHERE wall >= ? ORDER BY wall",
            (since_wall, since_wall),
        )
        return [
            Remembered(row["wall"], row["kind"], row["layer"], row["body"]) for row in decisions
        ]

    def attempts(self) -> Sequence[Attempt]:
        """All attempts that are kept, those before a reset too, oldest first."""
        reader = self._reader()
        return [
            attempt_of(row, reader) for row in self._read("SELECT * FROM attempt ORDER BY rowid")
        ]

    def _holds(self, reader: Reader) -> Iterator[Hold]:
        rows = self._read(
            "SELECT * FROM hold WHERE wall > ? AND NOT EXISTS (SELECT 1 FROM reset "
            "WHERE hold.id <= reset.hold_row "
            "AND (reset.layer IS NULL OR reset.layer = hold.layer)) ORDER BY id",
            (reader.wall - _LEDGER_DAYS * _DAY,),
        )
        for row in rows:
            began = reader.moved(row["boot"], row["at"], row["wall"])
            until = None if row["length"] is None else began + row["length"]
            yield Hold(Layer(row["layer"]), Reason(row["reason"]), until, row["detail"])

    def _pauses(self) -> Iterator[tuple[sqlite3.Row, Pause]]:
        reader = self._reader()
        for row in self._read("SELECT * FROM pause WHERE ended IS NULL ORDER BY id"):
            began = reader.moved(row["boot"], row["at"], row["wall"])
            until = None if row["length"] is None else began + row["length"]
            if until is None or until > reader.now:
                scope = None if row["scope"] is None else Layer(row["scope"])
                yield row, Pause(scope, until, row["author"], row["reason"])

    def _reader(self) -> Reader:
        return Reader(self._boot, self._clock.now(), self._clock.wall())

    def _stamp(self) -> tuple[int, float, float]:
        return self._boot, self._clock.now(), self._clock.wall()

    def _boot_number(self) -> int:
        """This boot's row; none yet, in a journal that is only read, makes every stamp old."""
        rows = self._read("SELECT id FROM stamp_boot WHERE boot = ?", (self._clock.boot_id(),))
        return int(rows[0]["id"]) if rows else _OTHER_BOOT

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        rows: list[sqlite3.Row] = []
        with guarded(self._path):
            rows = self._connection.execute(query, values).fetchall()
        return rows  # noqa: RET504  (a return inside `guarded` reads as maybe swallowed)

    @contextmanager
    def _writing(self) -> Iterator[Write]:
        """One transaction; on any error nothing of it stays."""
        with guarded(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._write
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        self._connection.execute(statement, values)
