"""The day behind us: what broke, what was done and whether it helped, what a human should mend."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from healer.core.ladders import DAY
from healer.core.tower import Layer
from healer.model.cures import cure_of
from healer.model.notice import Kind, Past, PastAct, PastIncident
from healer.notices import wording
from healer.notices.recurring import Recurrences
from healer.notices.rules import Rules
from healer.notices.scene import Scene
from healer.telemetry.spelling import duration

_LISTED: Final = 12
"""Lines of one kind; the rest is counted."""
_LONGEST: Final = 7 * DAY
"""A Mac that was off for weeks tells of the last one."""


def digest_name(day: str) -> str:
    """The incident of that day's digest."""
    return f"digest-{day}"


def digest_due(scene: Scene, rules: Rules) -> bool:
    """Once a day, from its hour on.

    The first day of all begins no digest in its middle: `told` must have one before.
    """
    if rules.digest == "off" or scene.at.hour < rules.digest_hour:
        return False
    return (digest_name(scene.at.day), Kind.DIGEST) not in scene.told


def since(scene: Scene) -> float:
    """Epoch seconds from which the next digest tells: where the last one ended."""
    ends = [one.at for (_, kind), one in scene.told.items() if kind is Kind.DIGEST]
    last = max(ends, default=scene.at.wall - DAY)
    return max(last, scene.at.wall - _LONGEST)


def digest_lines(scene: Scene, past: Past, recurrences: Recurrences, rules: Rules) -> list[str]:
    """Everything worth a line; [] when there was no news."""
    return [
        *_section("Incidents", [_incident(one) for one in past.incidents]),
        *_section("healer gave up", [f"{past.gave_up}x"] if past.gave_up else []),
        *_section("Acts", list(_acts(past.acts))),
        *_section("Recurring", list(_recurring(recurrences, rules))),
        *_section("A human should know", list(_advisories(scene))),
        *_section("Paused", list(_pauses(scene))),
        *_section("Notices that could not be delivered", list(past.undelivered)),
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LISTED
    shown = [f"- {one}" for one in lines[:_LISTED]]
    if more > 0:
        shown.append(f"- and {more} more")
    return [f"{title}:", *shown] if shown else []


def _incident(one: PastIncident) -> str:
    end = "still open" if one.seconds is None else f"resolved after {duration(one.seconds)}"
    return f"{wording.spoken(one.reason)}: {end}"


def _acts(acts: Sequence[PastAct]) -> Iterator[str]:
    """How often each remedy was tried, and how often it was seen to help (R46)."""
    tried, helped = Counter(one.remedy for one in acts), Counter[str]()
    helped.update(one.remedy for one in acts if one.verified)
    for remedy, count in tried.most_common():
        yield f"{remedy.replace('_', ' ')}: {helped[remedy]} of {count} helped"


def _recurring(recurrences: Recurrences, rules: Rules) -> Iterator[str]:
    for reason in dict.fromkeys(one.reason for one in recurrences.seen):
        count = recurrences.count(reason)
        if count >= rules.recurring:
            yield f"{wording.spoken(reason)}, {count} times: {cure_of(reason)}"


def _advisories(scene: Scene) -> Iterator[str]:
    """What is seen now and never pages: certificates, a full disk in the VM, pods to mend."""
    for layer in Layer:
        view = scene.world.views.get(layer)
        for trouble in view.ordered if view is not None else ():
            finding = trouble.finding
            if finding.reason.gating:
                continue
            target = f" {finding.target.partition('@')[0]}" if finding.target else ""
            words = f"{wording.spoken(finding.reason)}{target}: {wording.cut(finding.evidence)}"
            advice = wording.advice_of(trouble)
            yield f"{words}; {advice}" if advice else words


def _pauses(scene: Scene) -> Iterator[str]:
    now = scene.at.now
    for one in scene.world.ledger.pauses:
        if one.until is None or one.until > now:
            ends = "until `healer resume`" if one.until is None else f"{duration(one.until - now)}"
            yield f"{one.scope or 'everything'} by {one.author}, {ends}: {one.reason}"
