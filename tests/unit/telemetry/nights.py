"""Worlds that a status must be able to tell, made by the core itself from what probes saw."""

from healer.core.facts import Finished, Observed, Outcome, Pause, Paused
from healer.core.machine import step
from healer.core.observation import Finding, ForeignOperation, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World

POLICY = Policy(run="t")
BEGAN = 1000.0
DEAD = Finding(Reason.TALOS_STOPPED, "exited (137) 40 s ago")
BY_HAND = Finding(Reason.TALOS_STOPPED, "exited (0) 12 s ago", human_ago=12.0)


def looked(world: World, now: float, *findings: Finding, **unknown: str) -> World:
    """Every layer was looked at; these findings are what is wrong."""
    foreign = (ForeignOperation(Layer.COLIMA, "colima start", 4711, 3.0),)
    for layer in Layer:
        own = tuple(one for one in findings if one.reason.layer is layer)
        busy = foreign if layer is Layer.HOST and "busy" in unknown else ()
        seen = Observation(
            layer,
            findings=own,
            unknown=unknown.get(layer.value, ""),
            foreign=busy,
            summary="as it should be",
            uptime=100_000.0,
        )
        world = step(world, Observed(seen), now, POLICY).world
    return world


def for_a_while(world: World, now: float, seconds: float, *findings: Finding) -> World:
    """Looked at every two seconds from `now` to `now + seconds`."""
    for past in range(0, int(seconds) + 1, 2):
        world = looked(world, now + past, *findings)
    return world


def healthy() -> World:
    """All well since BEGAN; now is BEGAN + 10."""
    return for_a_while(World(), BEGAN, 10.0)


def acting() -> World:
    """The container died, and is being started; now is BEGAN + 20."""
    return for_a_while(healthy(), BEGAN + 12.0, 8.0, DEAD)


def failed() -> World:
    """The start failed and is verified no more; now is BEGAN + 90."""
    world = acting()
    (act,) = world.acting
    world = step(world, Finished(act, Outcome.FAILED, "port taken"), BEGAN + 21, POLICY).world
    return for_a_while(world, BEGAN + 22.0, 68.0, DEAD)


def stopped_by_hand() -> World:
    """Somebody stopped the container; now is BEGAN + 20."""
    return for_a_while(healthy(), BEGAN + 12.0, 8.0, BY_HAND)


def paused(scope: Layer | None, until: float | None, world: World) -> World:
    """A human said so at BEGAN + 20."""
    word = Pause(scope, until, "joel", "moving house")
    return step(world, Paused(word), BEGAN + 20.0, POLICY).world
