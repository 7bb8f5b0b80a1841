"""Between rows and values: acts, attempts, decisions as JSON, and stamps across boots."""

import json
import sqlite3
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any

from healer.core.facts import Act, Decision, Outcome
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt
from healer.core.reasons import Reason
from healer.core.tower import Layer

ACT_COLUMNS = tuple(one.name for one in fields(Act))


@dataclass(frozen=True, slots=True)
class Reader:
    """Moves stamps of any boot onto this boot's clock (design §10, "Time and limits")."""

    boot: int
    now: float
    wall: float

    def moved(self, boot: int, at: float, wall: float) -> float:
        """The time on this boot's clock.

        On the same boot the clock itself; across boots the wall clock, which may have been
        set: an age is never negative, so that a clock set back cannot prolong a wait beyond
        its own length.
        """
        if boot == self.boot:
            return min(at, self.now)
        return self.now - max(0.0, self.wall - wall)


def act_values(act: Act) -> tuple[str, ...]:
    """An act's fields in the order of `ACT_COLUMNS`."""
    return tuple(str(getattr(act, name)) for name in ACT_COLUMNS)


def attempt_of(row: sqlite3.Row, reader: Reader) -> Attempt:
    """An attempt, with its times on this boot's clock."""
    act = Act(
        id=row["id"],
        remedy=Remedy(row["remedy"]),
        layer=Layer(row["layer"]),
        reason=Reason(row["reason"]),
        evidence=row["evidence"],
        target=row["target"],
        event=row["event"],
        owner=row["owner"],
        fingerprint=row["fingerprint"],
        incident=row["incident"],
    )
    at = reader.moved(row["boot"], row["at"], row["wall"])
    return Attempt(
        act=act,
        at=at,
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        ended=None if row["took"] is None else at + row["took"],
        detail=row["detail"],
        verified=None if row["verified"] is None else bool(row["verified"]),
        child_pid=row["child_pid"],
        child_started=row["child_started"],
    )


def body_of(decision: Decision) -> str:
    """A decision as JSON; its kind is its class's name."""
    return json.dumps(asdict(decision), default=_plain, sort_keys=True)


def _plain(value: object) -> Any:  # noqa: ANN401  (json's own hook)
    if isinstance(value, Enum):
        return value.value
    raise TypeError(f"cannot be kept in the journal: {type(value).__name__}")
