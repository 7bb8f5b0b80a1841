"""`step`: one fact in, the next world and the decisions out.

The rules, each tested by the name of its promise in design §4:
a fact never causes I/O here; the world is never changed in place; the same world, fact, time
and policy give the same answer; an unknown fact is impossible, since the union is closed.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from healer.core.deciding import decide
from healer.core.facts import (
    Decision,
    Fact,
    Finished,
    Observed,
    Outcome,
    Paused,
    Remembered,
    Resumed,
    Ticked,
    VmBooted,
    WasReset,
    Woke,
)
from healer.core.hearing import after_hearing
from healer.core.ledger import Ledger
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.verifying import after_act, after_look, unproved
from healer.core.world import World


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a fact."""

    world: World
    decisions: tuple[Decision, ...]


def step(world: World, fact: Fact, now: float, policy: Policy) -> Step:
    """Take one fact into account, and say what follows from it."""
    known_boots = world.ledger.vm_boots
    match fact:
        case Observed(observation):
            world = after_hearing(world, observation, now, policy)
            world = after_look(world, observation, now)
        case Finished(act, outcome, detail):
            world = after_act(world, act, outcome, detail, now, policy)
        case Woke(grace):
            world = replace(world, grace_until=max(world.grace_until, now + grace))
        case Paused(pause):
            ledger = replace(world.ledger, pauses=(*world.ledger.pauses, pause))
            world = replace(world, ledger=ledger)
        case Resumed(scope):
            world = replace(world, ledger=_without_pauses(world.ledger, scope))
        case WasReset(layer):
            world = replace(world, ledger=_rearmed(world.ledger, layer))
        case Remembered(ledger):
            world = replace(world, ledger=ledger)
        case Ticked():
            pass
        case _:
            assert_never(fact)
    booted = _booted(known_boots, world.ledger.vm_boots)
    world, decisions = decide(world, now, policy)
    return Step(world, (*booted, *decisions))


def begin(ledger: Ledger, now: float, policy: Policy, alive: frozenset[str] = frozenset()) -> World:
    """The world at the start of a run.

    What a crash left unfinished is verified, never repeated (I10); acts whose process lives
    on (`alive`, by id) are still under way; what had just ended goes on being verified.
    """
    unfinished = ledger.unfinished()
    acting = tuple(one.act for one in unfinished if one.act.id in alive)
    world = World(
        ledger=ledger,
        last_progress=now,
        acting=acting,
        verifying=unproved(ledger, now, policy),
        incidents=ledger.incidents,
    )
    for attempt in unfinished:
        if attempt.act.id not in alive:
            detail = "healer ended in the middle of it"
            world = after_act(world, attempt.act, Outcome.INTERRUPTED, detail, now, policy)
    return world


def _booted(known: tuple[float, ...], boots: tuple[float, ...]) -> tuple[VmBooted, ...]:
    if boots is known:
        return ()
    return tuple(VmBooted(at) for at in boots if at not in known)


def _without_pauses(ledger: Ledger, scope: Layer | None) -> Ledger:
    kept = () if scope is None else tuple(one for one in ledger.pauses if one.scope is not scope)
    return replace(ledger, pauses=kept)


def _rearmed(ledger: Ledger, layer: Layer | None) -> Ledger:
    """Forget what holds a layer back; a human took responsibility for it."""
    if layer is None:
        return replace(ledger, attempts=(), holds=())
    return replace(
        ledger,
        attempts=tuple(one for one in ledger.attempts if one.act.layer is not layer),
        holds=tuple(one for one in ledger.holds if one.layer is not layer),
    )
