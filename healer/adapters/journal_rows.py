"""Between rows and values: acts, attempts, holds, pauses, and decisions as JSON."""

import json
import sqlite3
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any, Final

from healer.adapters.journal_timeline import Timeline
from healer.core.facts import (
    Act,
    Decision,
    IncidentResolved,
    NotVerified,
    Outcome,
    Pause,
    Verified,
    VmBooted,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt, Hold, Incident
from healer.core.reasons import Reason
from healer.core.tower import Layer

_ID: Final = "act"
ACT_COLUMNS: Final = (_ID, *(one.name for one in fields(Act) if one.name != "id"))
_LONGEST: Final = 4000
"""Characters kept of one text: evidence of megabytes must not fill the disk it reports."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """One line of the past, for `healer explain` and tests."""

    wall: float
    kind: str
    """The class of the decision; `Act` for an attempt; `Paused`, `Resumed`, `WasReset`."""
    layer: str
    """'' for what is not of one layer."""
    body: str
    """JSON: the fields of the decision; for an attempt also what became of it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns rows into values, with times on this boot's clock.

    Raises ValueError for a word that this healer does not know.
    """

    timeline: Timeline
    now: float

    def moved(self, row: sqlite3.Row) -> float:
        """When the row was written, on this boot's clock."""
        return self.timeline.back(row["at"], self.now)

    def until(self, row: sqlite3.Row) -> float | None:
        """When the row's wait ends; None = it has no end of its own."""
        return None if row["length"] is None else self.moved(row) + row["length"]

    def attempt(self, row: sqlite3.Row) -> Attempt:
        """An attempt."""
        at = self.moved(row)
        return Attempt(
            act=_act(row),
            at=at,
            outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
            ended=None if row["took"] is None else at + row["took"],
            detail=row["detail"],
            verified=None if row["verified"] is None else bool(row["verified"]),
            child_pid=row["child_pid"],
            child_started=row["child_started"],
        )

    def hold(self, row: sqlite3.Row) -> Hold:
        """A hold."""
        layer, reason = Layer(row["layer"]), Reason(row["reason"])
        return Hold(layer, reason, self.until(row), row["detail"], row["target"])

    def incident(self, row: sqlite3.Row) -> Incident:
        """An incident that was opened, by the decision that opened it."""
        body = json.loads(row["body"])
        return Incident(body["incident"], self.moved(row), frozenset({Layer(body["layer"])}))

    def pause(self, row: sqlite3.Row) -> Pause:
        """A pause."""
        scope = None if row["scope"] is None else Layer(row["scope"])
        return Pause(scope, self.until(row), row["author"], row["reason"])


def _act(row: sqlite3.Row) -> Act:
    return Act(
        id=row[_ID],
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


def act_values(act: Act) -> tuple[str, ...]:
    """An act's fields in the order of `ACT_COLUMNS`."""
    names = (one.replace(_ID, "id") if one == _ID else one for one in ACT_COLUMNS)
    return tuple(kept(str(getattr(act, name))) for name in names)


def kept(text: str) -> str:
    """As much of a text as is worth keeping, in a form that any file can hold."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({len(text) - _LONGEST} characters more)"


def layer_of(decision: Decision) -> str:
    """The layer that a decision is about; '' when it is about none."""
    match decision:
        case Verified(act=act) | NotVerified(act=act):
            return act.layer.value
        case VmBooted() | IncidentResolved():
            return ""
        case _:
            return decision.layer.value


def body_of(value: Decision | Pause) -> str:
    """A decision as JSON; its kind is its class's name."""
    return json.dumps(_plain(asdict(value)), sort_keys=True)


def _plain(value: object) -> Any:  # noqa: ANN401  (whatever JSON can hold)
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return value.value
    return kept(value) if isinstance(value, str) else value
