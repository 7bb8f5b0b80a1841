"""Faults that are healed each time and come back: slow flapping that no duration shows.

A fault that recurs three times within a day comes with the advice that cures it for good
(design §4.6; an alert on duration alone missed hundreds of restarts, facts/peers.md 11a).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from healer.core.facts import Act, Decision, IncidentOpened
from healer.core.ladders import DAY
from healer.core.reasons import Reason
from healer.model.cures import cure_of
from healer.model.notice import Kind, Notice, Past
from healer.notices import wording
from healer.notices.rules import Rules
from healer.notices.scene import Scene


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A reason's part in one incident."""

    reason: Reason
    incident: str
    at: float
    """Epoch seconds of the first time."""


@dataclass(frozen=True, slots=True)
class Recurrences:
    """What recurred within the last day; an incident counts once a reason."""

    seen: tuple[Recurrence, ...] = ()

    @classmethod
    def of(cls, past: Past) -> "Recurrences":
        """From the journal, at the start; words of another version are left out."""
        known = {one.value for one in Reason}
        rows = [(one.at, one.reason, one.incident) for one in past.incidents]
        rows += [(one.at, one.reason, one.incident) for one in past.acts]
        found = [Recurrence(Reason(row[1]), row[2], row[0]) for row in rows if row[1] in known]
        return cls(_counted((), sorted(found, key=lambda one: one.at)))

    def after(self, decisions: Iterable[Decision], wall: float) -> "Recurrences":
        """Count what was decided; forget what is older than a day."""
        new = [
            Recurrence(one.reason, one.incident, wall)
            for one in decisions
            if isinstance(one, IncidentOpened | Act)
        ]
        old = bool(self.seen) and self.seen[0].at < wall - DAY
        if not new and not old:
            return self
        kept = tuple(one for one in self.seen if one.at >= wall - DAY)
        return Recurrences(_counted(kept, new))

    def count(self, reason: Reason) -> int:
        """In how many incidents it took part."""
        return sum(one.reason is reason for one in self.seen)

    def notices(self, scene: Scene, rules: Rules) -> Iterator[Notice]:
        """One a reason and day."""
        for reason in dict.fromkeys(one.reason for one in self.seen):
            count, name = self.count(reason), f"recurring-{reason}-{scene.at.day}"
            if count >= rules.recurring and (name, Kind.RECURRING) not in scene.told:
                yield wording.recurring(name, reason, count, cure_of(reason), scene.at)


def _counted(seen: tuple[Recurrence, ...], new: Iterable[Recurrence]) -> tuple[Recurrence, ...]:
    """Each reason once an incident; an act for an advisory reason is of none."""
    names = {(one.reason, one.incident): one for one in seen}
    for one in new:
        if one.incident:
            names.setdefault((one.reason, one.incident), one)
    return tuple(names.values())
