"""Worlds made by hand, for tests that ask one rule at the very edge of what it says."""

from dataclasses import replace

from healer.core.facts import Act, Outcome
from healer.core.judging import judge
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt, Ledger
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.refusing import Case
from healer.core.tower import Layer
from healer.core.world import Trouble, View, World

NOW = 10_000.0
POLICY = Policy(run="t", one_pass=True)


def trouble_of(finding: Finding, *, since: float = NOW - 600.0, seen: float = NOW) -> Trouble:
    """A trouble that was seen often for long enough."""
    return Trouble(finding, since, since, seen, 99)


def world_of(*findings: Finding, seen: float = NOW, targets: int = 0) -> World:
    """Every layer was looked at just now, and these findings were all that was wrong."""
    views = {layer: View(Observation(layer), NOW) for layer in Layer}
    for layer in {one.reason.layer for one in findings}:
        mine = tuple(one for one in findings if one.reason.layer is layer)
        troubles = {(one.reason, one.target): trouble_of(one, seen=seen) for one in mine}
        looked = Observation(layer, findings=mine, targets=targets)
        views[layer] = View(looked, seen, troubles)
    return World(views=views)


def seeing(world: World, view: View) -> World:
    """The same world with this last look at its layer."""
    return replace(world, views={**world.views, view.observation.layer: view})


def case_of(
    world: World, finding: Finding, *, rung: int = 0, policy: Policy = POLICY, now: float = NOW
) -> Case:
    """The question whether a rung of the finding's ladder may be taken now."""
    trouble = world.views[finding.reason.layer].troubles[(finding.reason, finding.target)]
    chosen = policy.ladders[finding.reason].rungs[rung]
    return Case(world, judge(world, now, policy), trouble, chosen, now, policy)


def act_of(
    remedy: Remedy,
    reason: Reason,
    number: int = 1,
    *,
    target: str = "",
    owner: str = "",
    event: str = "",
) -> Act:
    """An act of an earlier run."""
    return Act(
        f"old-{number}",
        remedy,
        reason.layer,
        reason,
        "seen",
        target=target,
        owner=owner,
        event=event,
    )


def tried(
    act: Act,
    at: float,
    outcome: Outcome | None = Outcome.DONE,
    *,
    ended: float | None = None,
    verified: bool | None = None,
) -> Attempt:
    """A run of an act; ended at once unless told otherwise."""
    over = at if ended is None and outcome is not None else ended
    return Attempt(act, at, outcome, over, "it said so", verified)


def remembering(world: World, *attempts: Attempt) -> World:
    """The same world with these attempts in its ledger."""
    ledger: Ledger = replace(world.ledger, attempts=attempts)
    return replace(world, ledger=ledger)
