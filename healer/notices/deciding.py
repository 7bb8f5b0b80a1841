"""What a step of the engine makes a human hear: the world and the moment in, notices out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from healer.core.facts import Decision, IncidentResolved
from healer.core.ladders import DAY
from healer.model.notice import Ended, Notice, Past
from healer.notices import wording
from healer.notices.digest import digest_lines, digest_name
from healer.notices.impairment import Impairment
from healer.notices.incidents import ended_notice, open_notices, resolved_notice
from healer.notices.recurring import Recurrences
from healer.notices.rules import Rules
from healer.notices.scene import Name, Scene

_MANY: Final = 500
_REMEMBERED: Final = 9 * DAY
"""Longer than the journal keeps an incident open (adapters/journal_reading)."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is remembered from step to step; the outbox restores it after a restart."""

    told: Mapping[Name, Notice] = field(default_factory=dict)
    """Every notice that was queued, by name."""
    recurrences: Recurrences = field(default_factory=Recurrences)
    impairment: Impairment = field(default_factory=Impairment)
    began: float | None = None
    """When the first step of this run was; on the clock of `now`."""

    def with_told(self, notices: Iterable[Notice]) -> "Desk":
        """These are never told again."""
        named = {(one.incident, one.kind): one for one in notices}
        return replace(self, told={**self.told, **named})

    def without_old(self, scene: Scene) -> "Desk":
        """Forget what can come up no more: a daemon lives for a year."""
        if len(self.told) <= _MANY:
            return self
        live, since_wall = {one.id for one in scene.world.incidents}, scene.at.wall - _REMEMBERED
        kept = {
            name: one for name, one in self.told.items() if name[0] in live or one.at > since_wall
        }
        return replace(self, told=kept)


@dataclass(frozen=True, slots=True)
class Decided:
    """What follows from a step."""

    desk: Desk
    notices: tuple[Notice, ...]


def decide(
    desk: Desk,
    scene: Scene,
    decisions: Iterable[Decision],
    problems: Mapping[str, str],
    rules: Rules,
) -> Decided:
    """Say what a human must hear now; `problems` is what healer lives on without."""
    decisions = tuple(decisions)
    began = scene.at.now if desk.began is None else desk.began
    desk = replace(
        desk.without_old(scene),
        began=began,
        recurrences=desk.recurrences.after(decisions, scene.at.wall),
        impairment=desk.impairment.after(scene, problems),
    )
    notices = (
        *_resolved(scene, decisions),
        *open_notices(scene, began, rules),
        *desk.recurrences.notices(scene, rules),
        *desk.impairment.notices(scene, rules),
    )
    return Decided(desk.with_told(notices) if notices else desk, notices)


def _resolved(scene: Scene, decisions: Iterable[Decision]) -> Iterator[Notice]:
    for one in decisions:
        if isinstance(one, IncidentResolved):
            notice = resolved_notice(scene, one)
            if notice is not None:
                yield notice


def recall(desk: Desk, scene: Scene, ended: Iterable[Ended]) -> Decided:
    """What a crash kept a human from hearing: the end of what was told before it."""
    found = [ended_notice(scene, one) for one in ended]
    notices = tuple(one for one in found if one is not None)
    return Decided(desk.with_told(notices), notices)


def make_digest(desk: Desk, scene: Scene, past: Past, rules: Rules) -> tuple[Notice, bool]:
    """The day's digest, and whether it is worth sending; one that is not is only noted."""
    lines = digest_lines(scene, past, desk.recurrences, rules)
    count = len(past.incidents)
    title = f"the last day: {count} incident{'' if count == 1 else 's'}"
    body = lines or ["Nothing broke, and nothing was done."]
    notice = wording.digest(digest_name(scene.at.day), title, body, scene.at)
    return notice, bool(lines) or rules.digest == "daily"
