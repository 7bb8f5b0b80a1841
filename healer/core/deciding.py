"""What follows: acts, refusals, holds and reports, from a judged world."""

from dataclasses import replace

from healer.core.facts import (
    Act,
    Changed,
    Decision,
    GaveUp,
    Held,
    Rearmed,
    Refused,
    Reported,
    Rule,
    State,
)
from healer.core.incidents import follow_incidents, incident_of, told_by_its_cause
from healer.core.judging import Judgements, blocker, confirmed, hold_on, judge
from healer.core.ladders import Rung
from healer.core.ledger import Attempt, Hold
from healer.core.limiting import failures_in_run, rungs_left, spent_limit
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.refusing import Case, Refusal, refusal
from healer.core.tower import LAYERS
from healer.core.verifying import settle
from healer.core.world import RefusalKey, Trouble, World

_VETOES = frozenset({Rule.WITNESS_ALIVE, Rule.WITNESSES_MISSING})


def decide(world: World, now: float, policy: Policy) -> tuple[World, tuple[Decision, ...]]:
    """Judge the world and say everything that follows from it now."""
    said: list[Decision] = []
    world, ended = settle(world, now, policy)
    said += ended
    judged = judge(world, now, policy)
    world = _begin_confirmation_anew(world, judged)
    world, held = _hold_the_spent(world, now, policy)
    said += held
    world, rearmed = _rearm_the_recovered(world, now, policy)
    said += rearmed
    if held or rearmed:  # doubts alone change no state: who is doubted is blocked, and stays so
        judged = judge(world, now, policy)
    world, followed = follow_incidents(world, judged, now, policy)
    said += followed
    world, chosen = _choose(world, judged, now, policy)
    said += chosen
    world, reported = _report(world, judged, now, policy)
    said += reported
    if any(isinstance(one, Act) for one in chosen):
        judged = judge(world, now, policy)
    world, changed = _changes(world, judged, now)
    return world, (*changed, *said)


def _begin_confirmation_anew(world: World, judged: Judgements) -> World:
    """What was seen of a layer while it was blocked is no evidence against it (I2)."""
    fresh = {
        layer: replace(view, troubles={key: one.doubted() for key, one in view.troubles.items()})
        for layer, view in world.troubled.items()
        if any(one.samples for one in view.troubles.values()) and blocker(layer, judged) is not None
    }
    return replace(world, views={**world.views, **fresh}) if fresh else world


def _choose(
    world: World, judged: Judgements, now: float, policy: Policy
) -> tuple[World, list[Decision]]:
    """Let each confirmed trouble have its next rung, or the rule that refuses it."""
    said: list[Decision] = []
    refused: dict[RefusalKey, Refused] = {}
    troubled = world.troubled
    for layer in LAYERS if troubled else ():
        for trouble in troubled[layer].ordered if layer in troubled else ():
            rung = _next_rung(world, trouble, now, policy)
            if rung is None or _awaited(world, trouble):
                continue
            answer = refusal(Case(world, judged, trouble, rung, now, policy))
            if answer is None:
                world, act = _begin(world, trouble, rung, now, policy)
                said.append(act)
                continue
            key = (layer, rung.remedy.value, trouble.finding.target)
            refused[key] = _refused(trouble, rung, answer)
            before = world.refusals.get(key)
            if before is None or before.rule is not answer.rule:
                said.append(refused[key])
    if refused != world.refusals:
        world = replace(world, refusals=refused)
    return world, said


def _next_rung(world: World, trouble: Trouble, now: float, policy: Policy) -> Rung | None:
    if not confirmed(world, trouble, now, policy):
        return None
    left = rungs_left(world.ledger, *trouble.key, policy.ladders[trouble.finding.reason])
    for rung in left:
        if spent_limit(world.ledger, rung.remedy, now, policy) is None:
            return rung
    return left[0] if left else None


def _begin(
    world: World, trouble: Trouble, rung: Rung, now: float, policy: Policy
) -> tuple[World, Act]:
    finding = trouble.finding
    act = Act(
        id=f"{policy.run}-{world.serial + 1}",
        remedy=rung.remedy,
        layer=finding.reason.layer,
        reason=finding.reason,
        evidence=finding.evidence,
        target=finding.target,
        event=finding.event,
        owner=finding.owner,
        fingerprint=finding.fingerprint,
        incident=incident_of(world, finding.reason.layer),
    )
    world = replace(
        world,
        serial=world.serial + 1,
        acting=(*world.acting, act),
        ledger=world.ledger.with_attempt(Attempt(act, now)),
    )
    return world, act


def _refused(trouble: Trouble, rung: Rung, answer: Refusal) -> Refused:
    finding = trouble.finding
    return Refused(
        finding.reason.layer,
        rung.remedy,
        finding.reason,
        finding.target,
        answer.rule,
        answer.detail,
        answer.until,
    )


def _hold_the_spent(world: World, now: float, policy: Policy) -> tuple[World, list[Decision]]:
    """A ladder without a next rung, or a budget without a next run, becomes a hold."""
    said: list[Decision] = []
    if not any(one.counts for one in world.ledger.attempts):  # nothing tried, nothing spent
        return world, said
    for layer, view in world.troubled.items():
        for trouble in view.gating:
            if hold_on(world, layer, now, trouble.finding.target) is not None:
                continue
            spent = _spent(world, trouble, now, policy)
            if spent is not None:
                world, decision = _held(world, trouble, spent, policy)
                said.append(decision)
    return world, said


def _spent(world: World, trouble: Trouble, now: float, policy: Policy) -> Hold | None:
    reason, target = trouble.key
    ladder = policy.ladders[reason]
    if not ladder.rungs or not confirmed(world, trouble, now, policy) or _awaited(world, trouble):
        return None
    held = target if ladder.hold_target else ""
    rung = _next_rung(world, trouble, now, policy)
    if rung is None:
        runs = len(failures_in_run(world.ledger, reason, target))
        detail = f"{runs} runs did not help"
        return Hold(reason.layer, reason, now + ladder.hold, detail, held)
    stuck = _stuck(world, trouble, rung, now, policy)
    if stuck:
        return Hold(reason.layer, reason, now + ladder.hold, stuck, held)
    limit = spent_limit(world.ledger, rung.remedy, now, policy)
    if limit is None:
        return None
    return Hold(reason.layer, reason, limit.until, limit.detail, held)


def _stuck(world: World, trouble: Trouble, rung: Rung, now: float, policy: Policy) -> str:
    """Why the next rung will never be taken, though it has tries left; '' when it may be."""
    reason, target = trouble.key
    answers = world.ledger.answers_to(trouble.finding.event)
    if any(one.verified is False for one in answers):
        return "its event was answered once, which did not help"
    vetoed = world.refusals.get((reason.layer, rung.remedy.value, target))
    if vetoed is None or vetoed.rule not in _VETOES:
        return ""
    failures = failures_in_run(world.ledger, reason, target)
    if not failures:
        return ""
    last = failures[-1]
    if now - (last.at if last.ended is None else last.ended) < policy.veto_patience:
        return ""
    return f"{len(failures)} runs did not help; no {rung.remedy} while {vetoed.detail}"


def _awaited(world: World, trouble: Trouble) -> bool:
    """Whether an act for this trouble is under way or being verified."""
    pending = [*world.acting, *(one.act for one in world.verifying)]
    return any((act.reason, act.target) == trouble.key for act in pending)


def _held(world: World, trouble: Trouble, hold: Hold, policy: Policy) -> tuple[World, Decision]:
    """Hold the layer; after several holds without a recovery, give up (design §10)."""
    reason = trouble.finding.reason
    before = _holds_without_recovery(world, reason, hold.target)
    if len(before) + 1 >= policy.holds_before_giving_up:
        hold = replace(hold, until=None)
    world = replace(world, ledger=replace(world.ledger, holds=(*world.ledger.holds, hold)))
    if hold.until is None:
        advice = trouble.finding.advice or policy.ladders[reason].advice
        return world, GaveUp(hold.layer, reason, hold.detail, advice, hold.target)
    return world, Held(hold.layer, reason, hold.until, hold.detail, hold.target)


def _holds_without_recovery(world: World, reason: Reason, target: str) -> tuple[Hold, ...]:
    helped = [
        one.at
        for one in world.ledger.attempts
        if one.act.layer is reason.layer and one.verified and target in {"", one.act.target}
    ]
    since = max(*helped, world.ledger.rearmed_at(reason.layer), float("-inf"))
    return tuple(
        hold
        for hold in world.ledger.holds
        if hold.layer is reason.layer and hold.target == target
        if hold.until is not None and hold.until > since
    )


def _rearm_the_recovered(world: World, now: float, policy: Policy) -> tuple[World, list[Decision]]:
    """A recovery that lasts ends a give-up, whoever brought it about (design §2)."""
    said: list[Decision] = []
    for layer in {one.layer: None for one in world.ledger.holds if one.until is None}:
        since = world.since.get(layer, now)
        if world.states.get(layer) is not State.OK or now - since < policy.stable:
            continue
        ledger = replace(
            world.ledger,
            holds=tuple(one for one in world.ledger.holds if one.layer is not layer),
            rearmed=(*world.ledger.rearmed, (layer, now)),
        )
        world = replace(world, ledger=ledger)
        said.append(Rearmed(layer, f"it has been well for {now - since:.0f} s"))
    return world, said


def _report(
    world: World, judged: Judgements, now: float, policy: Policy
) -> tuple[World, list[Decision]]:
    """Say once what healer itself cannot mend: what has no rung, or is only advice."""
    said: list[Decision] = []
    for layer, view in world.troubled.items():
        if blocker(layer, judged) is not None:
            continue
        for trouble in view.ordered:
            key = (*trouble.key, trouble.finding.fingerprint)
            ladder = policy.ladders[trouble.finding.reason]
            if ladder.rungs or key in world.reported or not confirmed(world, trouble, now, policy):
                continue
            if told_by_its_cause(world, trouble.finding):
                continue
            world = replace(world, reported=world.reported | {key})
            said.append(_reported(trouble, ladder.advice))
    return world, said


def _reported(trouble: Trouble, advice: str) -> Reported:
    finding = trouble.finding
    return Reported(
        finding.reason.layer,
        finding.reason,
        finding.target,
        finding.evidence,
        finding.advice or advice,
    )


def _changes(world: World, judged: Judgements, now: float) -> tuple[World, list[Decision]]:
    """Name the layers that are shown in another state than before."""
    said: list[Decision] = []
    for layer in LAYERS:
        was, new = world.states.get(layer, State.UNKNOWN), judged[layer]
        if was is new.state:
            continue
        world = world.with_state(layer, new.state, now)
        if new.state is State.OK:
            recovered = world.recovered_at if was is State.UNKNOWN else now
            world = replace(world, last_progress=now, recovered_at=recovered)
        said.append(Changed(layer, was, new.state, new.why))
    return world, said
