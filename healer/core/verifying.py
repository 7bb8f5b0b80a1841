"""After an act: did it help? Only looks can say so, and only over a window (I14)."""

from dataclasses import replace

from healer.core.facts import Act, Decision, NotVerified, Outcome, Verified
from healer.core.ledger import Attempt, Ledger
from healer.core.observation import Observation
from healer.core.policy import Policy
from healer.core.reasons import WHOLLY_WELL
from healer.core.world import Verification, World

_ROUNDING = 1.0
"""Seconds: when something was stopped is told to the second."""
_UNSEEN_FOR = 120.0
"""How long past its deadline a recovery may stay unseen before it counts as none."""


def after_act(
    world: World, act: Act, outcome: Outcome, detail: str, now: float, policy: Policy
) -> World:
    """Take the end of an act into the world, and begin to verify it."""
    attempt = _attempt(world, act, now)
    ended = replace(attempt, outcome=outcome, ended=now, detail=detail)
    world = replace(
        world,
        acting=tuple(one for one in world.acting if one.id != act.id),
        ledger=world.ledger.with_attempt(ended),
    )
    if outcome is Outcome.NOT_NEEDED:
        return world
    world = replace(world, last_progress=now)
    waiting = Verification(act, now, now + policy.limits[act.remedy].settle)
    return replace(world, verifying=(*world.verifying, waiting))


def _attempt(world: World, act: Act, now: float) -> Attempt:
    known = (one for one in world.ledger.attempts if one.act.id == act.id)
    return next(known, Attempt(act, now))


def unproved(ledger: Ledger, now: float, policy: Policy) -> tuple[Verification, ...]:
    """The waits that an earlier run left: its acts ended, and nobody saw whether they helped."""
    waits = []
    for one in ledger.attempts:
        if one.ended is None or one.verified is not None or one.outcome is None or not one.counts:
            continue
        wait = Verification(one.act, one.ended, one.ended + policy.limits[one.act.remedy].settle)
        if now < wait.deadline + _UNSEEN_FOR:
            waits.append(wait)
    return tuple(waits)


def after_look(world: World, heard: Observation, now: float) -> World:
    """Count this look for or against each recovery of its layer."""
    if not world.verifying:
        return world
    counted = tuple(
        _counted(one, heard, now) if one.act.layer is heard.layer else one
        for one in world.verifying
    )
    return replace(world, verifying=counted)


def _counted(one: Verification, heard: Observation, now: float) -> Verification:
    """An unknown look is neither: it takes the proof so far away, and proves no failure."""
    if heard.unknown or _still_there(one.act, heard):
        return replace(one, good_since=None, passes=0)
    since = now if one.good_since is None else one.good_since
    return replace(one, good_since=since, passes=one.passes + 1)


def _still_there(act: Act, heard: Observation) -> bool:
    return any(
        one.target == act.target and (one.reason is act.reason or act.reason in WHOLLY_WELL)
        for one in heard.findings
    )


def settle(world: World, now: float, policy: Policy) -> tuple[World, list[Decision]]:
    """End the verifications that are decided."""
    said: list[Decision] = []
    for one in world.verifying:
        if _stopped_since(world, one):
            world = _without(world, one)
            continue
        verdict = _verdict(world, one, now, policy)
        if verdict is None:
            continue
        world, decision = _ended(world, one, verdict, now)
        said.append(decision)
    return world, said


def _stopped_since(world: World, one: Verification) -> bool:
    """Whether a human has stopped since then what the act had started.

    Then nobody will ever know whether it helped, and it is not blamed for it.
    """
    view = world.views.get(one.act.layer)
    trouble = None if view is None else view.troubles.get((one.act.reason, one.act.target))
    if trouble is None or trouble.finding.human_ago is None:
        return False
    return trouble.seen - trouble.finding.human_ago > one.began + _ROUNDING


def _without(world: World, one: Verification) -> World:
    others = tuple(other for other in world.verifying if other.act.id != one.act.id)
    return replace(world, verifying=others)


def _verdict(world: World, one: Verification, now: float, policy: Policy) -> bool | None:
    limits = policy.limits[one.act.remedy]
    if one.good_since is not None:
        proved = one.passes >= limits.passes and now - one.good_since >= limits.window
        return True if proved else None
    if now < one.deadline:
        return None
    heard = world.observation(one.act.layer)
    if heard is not None and _still_there(one.act, heard):
        return False
    return False if now >= one.deadline + _UNSEEN_FOR else None


def _ended(world: World, one: Verification, helped: bool, now: float) -> tuple[World, Decision]:  # noqa: FBT001  (a verdict is what it is)
    attempt = replace(_attempt(world, one.act, one.began), verified=helped)
    world = replace(_without(world, one), ledger=world.ledger.with_attempt(attempt))
    if helped:
        return replace(world, last_progress=now), Verified(one.act, now - one.began)
    return world, NotVerified(one.act, f"the trouble was still there {now - one.began:.0f} s later")
