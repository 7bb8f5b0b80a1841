"""The journal: what outlives the process, so that limits hold and nothing is done twice.

SQLite, synced at every commit. An act runs only after `begin` returned; what a crash leaves
without a result is found by `ledger` and verified (I10).
"""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from healer.adapters import journal_runs as runs
from healer.adapters.journal_errors import Guard
from healer.adapters.journal_evidence import EvidenceTable, Keeping, Unhurried, forget
from healer.adapters.journal_keeping import PRUNED
from healer.adapters.journal_notices import NoticeTable
from healer.adapters.journal_reading import Past
from healer.adapters.journal_rows import (
    ACT_COLUMNS,
    Reader,
    Remembered,
    act_values,
    body_of,
    kept,
    layer_of,
)
from healer.adapters.journal_schema import open_for_reading, open_for_writing, open_in_memory
from healer.adapters.journal_timeline import Timeline, enter_boot, note_time, timeline_of
from healer.adapters.journal_writing import File, Transaction, Write
from healer.core.facts import (
    Act,
    Decision,
    GaveUp,
    Held,
    NotVerified,
    Outcome,
    Pause,
    Rearmed,
    Verified,
    VmBooted,
)
from healer.core.ledger import Attempt, Ledger
from healer.core.tower import Layer
from healer.ports import Clock, JournalError
from healer.replay.records import KeptBeginning, KeptSteps

__all__ = ["Remembered", "SqliteJournal"]

_DAY: Final = 86_400.0
_KEPT: Final = 30 * _DAY
_PATIENCE: Final = 5.0
"""Seconds to wait for another writer (`healer pause` beside a run)."""


class SqliteJournal:
    """ports.Journal on one SQLite file; every method raises JournalError."""

    def __init__(
        self, path: Path, clock: Clock, connection: sqlite3.Connection, *, writable: bool
    ) -> None:
        self._path = path
        self._clock = clock
        self._connection = connection
        connection.row_factory = sqlite3.Row
        self._file = File.of(path)
        self._seen_version = -1
        with Guard(path):
            self._timeline = timeline_of(connection, clock)
        if writable:
            self._timeline = self._entered()

    @classmethod
    def open(cls, path: Path, clock: Clock, *, patience: float = _PATIENCE) -> "SqliteJournal":
        """Open or create the journal for writing; forget a little of what is very old."""
        connection = open_for_writing(path, patience)
        try:
            journal = cls(path, clock, connection, writable=True)
            journal.prune()
        except BaseException:
            connection.close()
            raise
        return journal

    @classmethod
    def in_memory(cls, clock: Clock) -> "SqliteJournal":
        """A journal for simulations: the same in all, but it dies with its process."""
        return cls(Path(":memory:"), clock, open_in_memory(), writable=True)

    @classmethod
    def for_reading(
        cls, path: Path, clock: Clock, *, patience: float = _PATIENCE
    ) -> "SqliteJournal | None":
        """An existing journal, of which nothing is changed; None when there is none yet."""
        connection = open_for_reading(path, patience)
        if connection is None:
            return None
        try:
            return cls(path, clock, connection, writable=False)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        with Guard(self._path):
            self._connection.close()

    def begin(self, act: Act) -> None:
        """Write and sync the intent; an id may be begun only once."""
        columns = ", ".join((*ACT_COLUMNS, "at", "wall"))
        marks = ", ".join("?" * (len(ACT_COLUMNS) + 2))
        with self._writing() as write:
            write(
                f"INSERT INTO attempt ({columns}) VALUES ({marks})",  # noqa: S608  (columns are our own field names)
                (*act_values(act), self._at(), self._clock.wall()),
            )

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember the act's child process."""
        with self._writing() as write:
            touched = write(
                "UPDATE attempt SET child_pid = ?, child_started = ? WHERE act = ?",
                (pid, started, act.id),
            )
            self._must_be_begun(act, touched)

    def end(self, act: Act, outcome: Outcome, detail: str) -> None:
        """Write the result; how long it took is by this boot's clock."""
        with self._writing() as write:
            touched = write(
                "UPDATE attempt SET outcome = ?, detail = ?, took = max(0, ? - at) WHERE act = ?",
                (outcome.value, kept(detail), self._at(), act.id),
            )
            self._must_be_begun(act, touched)

    def _must_be_begun(self, act: Act, touched: int) -> None:
        if not touched:
            raise JournalError(f"journal {self._path}: act {act.id} was never begun; report this")

    def record(self, decision: Decision) -> None:
        """Keep a decision, and what limits must know of it; an act is kept by `begin`."""
        if isinstance(decision, Act):
            return
        with self._writing() as write:
            self._note(write, type(decision).__name__, layer_of(decision), body_of(decision))
            match decision:
                case Verified(act=act):
                    _mark_verified(write, act, helped=True)
                case NotVerified(act=act):
                    _mark_verified(write, act, helped=False)
                case Held():
                    self._hold(write, decision, decision.until - self._clock.now())
                case GaveUp():
                    self._hold(write, decision, None)
                case Rearmed(layer=layer):
                    # Attempts go on to count: a recovery ends holds, not budgets.
                    write(
                        "INSERT INTO reset (layer, at, attempt, hold) VALUES (?, ?, 0, "
                        "(SELECT coalesce(max(id), 0) FROM hold))",
                        (layer.value, self._at()),
                    )
                case VmBooted(at=at):
                    write("INSERT INTO vm_boot (at) VALUES (?)", (self._timeline.at(at),))
                case _:
                    pass

    def _hold(self, write: Write, held: Held | GaveUp, length: float | None) -> None:
        write(
            "INSERT INTO hold (layer, reason, target, detail, at, length) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                held.layer.value,
                held.reason.value,
                held.target,
                kept(held.detail),
                self._at(),
                length,
            ),
        )

    def _note(self, write: Write, kind: str, layer: str, body: str) -> None:
        write(
            "INSERT INTO decision (kind, layer, body, at, wall) VALUES (?, ?, ?, ?, ?)",
            (kind, layer, body, self._at(), self._clock.wall()),
        )

    def pause(self, pause: Pause) -> None:
        """Keep a human's pause."""
        length = None if pause.until is None else pause.until - self._clock.now()
        scope = None if pause.scope is None else pause.scope.value
        with self._writing() as write:
            self._note(write, "Paused", scope or "", body_of(pause))
            write(
                "INSERT INTO pause (scope, author, reason, at, length) VALUES (?, ?, ?, ?, ?)",
                (scope, kept(pause.author), kept(pause.reason), self._at(), length),
            )

    def resume(self, scope: Layer | None) -> int:
        """End the pauses of that scope (None: all); how many were in force."""
        with self._writing() as write:
            live = [
                key for key, pause in self._past().pauses() if scope is None or pause.scope is scope
            ]
            for key in live:
                write("UPDATE pause SET ended = 1 WHERE id = ?", (key,))
            self._note(write, "Resumed", _word(scope), json.dumps({"pauses": len(live)}))
        return len(live)

    def reset(self, layer: Layer | None) -> int:
        """Re-arm a layer (None: all): what it did before counts no more; how many holds ended.

        Nothing is deleted. An act that is still without a result goes on to count.
        """
        with self._writing() as write:
            now = self._clock.now()
            held = [
                one
                for one in self._past().holds()
                if (layer is None or one.layer is layer) and (one.until is None or one.until > now)
            ]
            write(
                "INSERT INTO reset (layer, at, attempt, hold) VALUES (?, ?, "
                "(SELECT coalesce(max(id), 0) FROM attempt), "
                "(SELECT coalesce(max(id), 0) FROM hold))",
                (None if layer is None else layer.value, self._at()),
            )
            self._note(write, "WasReset", _word(layer), json.dumps({"holds": len(held)}))
        return len(held)

    def run_began(self, run: str, within: float) -> int:
        """A daemon begins; how many before it crashed within the last so many seconds."""
        with self._writing() as write:
            runs.note_start(write, run, self._clock.boot_id(), self._at(), self._clock.wall())
            since = self._at() - within
            return runs.crashes(self._connection, run, self._clock.boot_id(), since)

    def run_ended(self, run: str, how: str) -> None:
        """A daemon ended in good order."""
        with self._writing() as write:
            runs.note_end(write, run, how)

    def learn(self, word: str, value: str) -> None:
        """Remember a single fact, such as the API server's port, beyond this run."""
        with self._writing() as write:
            runs.note_known(write, word, value, self._at())

    def known(self, word: str) -> str | None:
        """What was last learnt of it; None when nothing was."""
        with Guard(self._path):
            return runs.known(self._connection, word)

    def notices(self) -> NoticeTable:
        """What humans were told, and what waits to be delivered."""
        return NoticeTable(self._connection, self._file, self._writing, self._at, self._clock.wall)

    def keep(self, beginning: KeptBeginning | int, steps: KeptSteps) -> int:
        """Keep steps to be decided again; the number of their segment."""
        with Unhurried(self._connection, self._path), self._writing() as write:
            keeping = Keeping(write, self._connection, self._at(), self._clock.wall())
            return keeping.keep(beginning, steps)

    def evidence(self) -> EvidenceTable:
        """What was kept to be decided again."""
        return EvidenceTable(self._connection, self._file)

    def check(self) -> None:
        """Write and sync the time."""
        with self._writing():
            pass

    def written_by_others(self) -> bool:
        """Whether another process has committed since this was last asked."""
        with Guard(self._path):
            self._file.must_be_there()
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        before, self._seen_version = self._seen_version, int(version)
        return before not in {-1, self._seen_version}

    def ledger(self) -> Ledger:
        """Everything that limits need, with times on this boot's clock."""
        return self._past().ledger()

    def attempts(self) -> Sequence[Attempt]:
        """All attempts that are kept, those before a reset too, oldest first."""
        return self._past().attempts()

    def history(self, since_wall: float) -> Sequence[Remembered]:
        """Acts, decisions and a human's words since then (epoch seconds), oldest first."""
        return self._past().history(since_wall)

    def prune(self) -> int:
        """Forget a little of what is older than 30 days; how many rows that was.

        A few hundred at a time, so that it never takes long; what still counts is kept.
        """
        at = self._at()
        with self._writing() as write:
            forget(write, at)
            return sum(write(one, {"before": at - _KEPT, "now": at}) for one in PRUNED)

    def _entered(self) -> Timeline:
        with self._writing():
            return enter_boot(self._connection, self._clock)

    def _at(self) -> float:
        return self._timeline.at(self._clock.now())

    def _past(self) -> Past:
        return Past(self._connection, self._file, Reader(self._timeline, self._clock.now()))

    def _writing(self) -> Transaction:
        """One transaction; on any error nothing of it stays."""
        return Transaction(
            self._path,
            self._connection,
            self._file,
            lambda: note_time(self._connection, self._at(), self._clock.wall()),
        )


def _mark_verified(write: Write, act: Act, *, helped: bool) -> None:
    """An act that a crash cut off ends here: its outcome is what became of it."""
    write(
        "UPDATE attempt SET verified = ?, outcome = coalesce(outcome, ?), "
        "took = coalesce(took, 0) WHERE act = ?",
        (int(helped), Outcome.INTERRUPTED.value, act.id),
    )


def _word(layer: Layer | None) -> str:
    return "" if layer is None else layer.value
