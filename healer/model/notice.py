"""What a human is told, and what a day's digest is made of: values that wait in the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

SCHEMA_VERSION: Final = 1


class Delivery(StrEnum):
    """What became of a notice that a channel has done with."""

    SENT = "sent"
    """The other side confirmed that it took it."""
    HANDED_OVER = "handed_over"
    """macOS took it; whether it was ever shown, nobody says."""
    UNREACHABLE = "unreachable"
    """This channel leads nowhere from here, and will not while this process lives."""


OUTCOMES: Final = (*(one.value for one in Delivery), "failed", "dropped")
"""How one delivery may end; `failed` is tried again."""


class Kind(StrEnum):
    """Why a human is told; each at most once for one incident, for ever."""

    OPENED = "opened"
    """Something is ill, and was not healed at once."""
    GAVE_UP = "gave_up"
    """healer will do nothing more about it."""
    RESOLVED = "resolved"
    """What was told as opened or given up is over."""
    RECURRING = "recurring"
    """It was healed each time, and comes back again and again; once a day and reason."""
    IMPAIRED = "impaired"
    """healer itself cannot see or cannot keep something; once a day and part."""
    DIGEST = "digest"
    """The day behind us."""
    TEST = "test"
    """Somebody asked whether this channel works."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to a human; `incident` and `kind` together name it for ever."""

    kind: Kind
    incident: str
    """The incident's id; for kinds without one, what it is about and its day."""
    layer: str
    """'' when it is about none."""
    reason: str
    """A word of the closed list, `layer.word`; '' when there is none."""
    title: str
    """One short line."""
    text: str
    """The whole message, several lines, evidence and advice included."""
    evidence: str
    advice: str
    at: float
    """Epoch seconds when it was made."""

    @property
    def id(self) -> str:
        """The same in every delivery, so that a receiver can drop a double.

        A crash between sending and noting it, or an answer that got lost, sends it twice.
        """
        return f"{self.incident}.{self.kind}"


def document(notice: Notice) -> Mapping[str, Any]:
    """A notice as channels send it in JSON; field names are stable in a `schema_version`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "id": notice.id,
        "kind": notice.kind.value,
        "incident": notice.incident,
        "layer": notice.layer,
        "reason": notice.reason,
        "title": notice.title,
        "text": notice.text,
        "evidence": notice.evidence,
        "advice": notice.advice,
        "at": datetime.fromtimestamp(notice.at, tz=UTC).isoformat(timespec="seconds"),
    }


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident of the days behind us."""

    incident: str
    reason: str
    """`layer.word` of the root that opened it."""
    at: float
    """Epoch seconds."""
    seconds: float | None
    """How long it lasted; None = it was not resolved."""


@dataclass(frozen=True, slots=True)
class PastAct:
    """An act of the days behind us that found something to do."""

    remedy: str
    reason: str
    incident: str
    at: float
    """Epoch seconds."""
    verified: bool | None
    """Whether recovery followed; None = that was not seen."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the journal tells of a stretch of time."""

    incidents: tuple[PastIncident, ...] = ()
    acts: tuple[PastAct, ...] = ()
    gave_up: int = 0
    undelivered: tuple[str, ...] = ()
    """Channel and title of every notice that was dropped, as a person reads it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An incident that a human was told of, and that was resolved without a word."""

    told: Notice
    seconds: float
