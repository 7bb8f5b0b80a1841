"""What stands now, and what will be done next unless something changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from healer.core.facts import Decision, GaveUp, Held, IncidentOpened, Reported, Rule
from healer.core.judging import (
    blocker,
    confirmed,
    hold_on,
    in_start_grace,
    judge,
    paused,
)
from healer.core.ladders import EXPECTED_AT_START, Remedy
from healer.core.ledger import Incident
from healer.core.limiting import rungs_left
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Trouble, World

_TOLD_ELSEWHERE: Final = frozenset(
    {Rule.BLOCKED, Rule.BUSY_LAYER, Rule.BUSY_DISRUPTIVE, Rule.HELD, Rule.GAVE_UP}
)
"""Rules that only say what comes first, and holds, which are told by themselves."""


@dataclass(frozen=True, slots=True)
class Coming:
    """An act that will follow, and what it waits for."""

    layer: Layer
    remedy: Remedy
    reason: Reason
    target: str
    rule: Rule
    detail: str
    until: float | None
    """On the clock of `now`; None when time alone brings it not about."""


def coming(world: World, now: float, policy: Policy) -> tuple[Coming, ...]:
    """The soonest first, then what waits for more than time."""
    found = [*_put_off(world), *_unconfirmed(world, now, policy)]
    found.sort(key=lambda one: float("inf") if one.until is None else one.until)
    return tuple(found)


def _put_off(world: World) -> Iterator[Coming]:
    for one in world.refusals.values():
        if one.rule not in _TOLD_ELSEWHERE:
            yield Coming(
                one.layer, one.remedy, one.reason, one.target, one.rule, one.detail, one.until
            )


def _unconfirmed(world: World, now: float, policy: Policy) -> Iterator[Coming]:
    """What was seen ill, and has not been for long enough to be believed."""
    judged = judge(world, now, policy)
    for layer, view in world.views.items():
        if blocker(layer, judged) is not None:
            continue
        for trouble in view.ordered:
            if hold_on(world, layer, now, trouble.finding.target) is not None:
                continue
            left = rungs_left(world.ledger, *trouble.key, policy.ladders[trouble.finding.reason])
            doubtful = not confirmed(world, trouble, now, policy)
            if doubtful and left and not _answered(world, trouble):
                yield _first(world, trouble, left[0].remedy, now, policy)


def _answered(world: World, trouble: Trouble) -> bool:
    """Whether an act for it is under way or being verified."""
    pending = [*world.acting, *(one.act for one in world.verifying)]
    return any((one.reason, one.target) == trouble.key for one in pending)


def _first(world: World, trouble: Trouble, remedy: Remedy, now: float, policy: Policy) -> Coming:
    reason, target = trouble.key
    ladder = policy.ladders[reason]
    rule, detail = Rule.NOT_CONFIRMED, f"seen {trouble.samples} of {ladder.samples} times"
    until: float | None = max(now, trouble.counted_since + ladder.over)
    grace = in_start_grace(world, reason.layer, now, policy)
    if reason in EXPECTED_AT_START and grace is not None:
        rule, detail, until = Rule.GRACE, "expected so soon after a start", grace
    why = paused(world, reason.layer, now)
    if why or policy.no_acts_because:
        rule = Rule.PAUSED if why else Rule.UNACCOUNTED
        detail, until = why or policy.no_acts_because, None
    return Coming(reason.layer, remedy, reason, target, rule, detail, until)


def reason_of(incident: Incident, world: World) -> Trouble | None:
    """The lowest trouble that is seen now in an incident's layers; None while all look well."""
    for layer in Layer:
        view = world.views.get(layer) if layer in incident.layers else None
        if view is not None and view.gating:
            return view.gating[0]
    return None


def standing(world: World, now: float, policy: Policy) -> tuple[Decision, ...]:
    """What was decided before and is still so, for a listener who comes late."""
    return (
        *_open(world),
        *world.refusals.values(),
        *_held(world, now, policy),
        *reported(world, policy),
    )


def _open(world: World) -> Iterator[Decision]:
    for incident in world.incidents:
        trouble = reason_of(incident, world)
        if trouble is not None:
            finding = trouble.finding
            yield IncidentOpened(
                incident.id, finding.reason.layer, finding.reason, finding.evidence
            )


def _held(world: World, now: float, policy: Policy) -> Iterator[Decision]:
    for layer in Layer:
        hold = hold_on(world, layer, now)
        if hold is None:
            continue
        if hold.until is None:
            advice = policy.ladders[hold.reason].advice
            yield GaveUp(layer, hold.reason, hold.detail, advice, hold.target)
        else:
            yield Held(layer, hold.reason, hold.until, hold.detail, hold.target)


def reported(world: World, policy: Policy) -> Iterator[Reported]:
    """What healer itself cannot mend, was reported, and is seen still."""
    for layer in Layer:
        for one in world.views[layer].ordered if layer in world.views else ():
            finding, ladder = one.finding, policy.ladders[one.finding.reason]
            if (*one.key, finding.fingerprint) in world.reported:
                advice = finding.advice or ladder.advice
                yield Reported(layer, finding.reason, finding.target, finding.evidence, advice)
