"""One of every decision and fact, for whoever must be able to tell it."""

from dataclasses import replace

from healer.core.facts import (
    Act,
    Changed,
    Decision,
    Fact,
    Finished,
    GaveUp,
    Held,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Outcome,
    Rearmed,
    Refused,
    Reported,
    Rule,
    State,
    Ticked,
    Verified,
    VmBooted,
)
from healer.core.ladders import Remedy
from healer.core.observation import Finding, Observation
from healer.core.outlook import Awaited
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import View, World
from healer.engine.telling import Told, nothing_awaited

ACT = Act(
    "t-1",
    Remedy.DELETE_POD,
    Layer.PODS,
    Reason.POD_UNKNOWN,
    "redis-0 shows Unknown",
    target="joelclaw/redis-0@uid-1",
)
REFUSED = Refused(
    Layer.PODS, Remedy.DELETE_POD, Reason.POD_UNKNOWN, ACT.target, Rule.COOLDOWN, "too soon", 160.0
)
REPORTED = Reported(
    Layer.PODS, Reason.POD_IMAGE_PULL, "joelclaw/pds@uid-2", "ImagePullBackOff", "mend the image"
)

EVERY: dict[str, tuple[Decision, str]] = {
    "Act": (ACT, "acting: delete the pod joelclaw/redis-0 (because: redis-0 shows Unknown)"),
    "Refused": (
        REFUSED,
        "refused to delete the pod: cooldown (too soon, at the earliest in 1 min)",
    ),
    "Refused in passing": (replace(REFUSED, rule=Rule.BLOCKED), ""),
    "Changed": (
        Changed(Layer.PODS, State.OK, State.SUSPECT, "redis-0 shows Unknown"),
        "ok -> suspect: redis-0 shows Unknown",
    ),
    "IncidentOpened": (
        IncidentOpened("i-1", Layer.PODS, Reason.POD_UNKNOWN, "redis-0 shows Unknown"),
        "incident: unknown (redis-0 shows Unknown)",
    ),
    "IncidentResolved": (IncidentResolved("i-1", 4000.0), "incident resolved after 1 h 6 min"),
    "Verified": (Verified(ACT, 7.25), "verified: delete_pod helped, sure after 7.2 s"),
    "NotVerified": (NotVerified(ACT, "still there"), "delete_pod did not help: still there"),
    "Held": (
        Held(Layer.PODS, Reason.POD_UNKNOWN, 1900.0, "2 runs did not help"),
        "held for 30 min: 2 runs did not help",
    ),
    "GaveUp": (
        GaveUp(Layer.PODS, Reason.POD_UNKNOWN, "budget spent", "kubectl describe the pod"),
        "gave up: budget spent. A human should: kubectl describe the pod",
    ),
    "Rearmed": (
        Rearmed(Layer.TALOS, "it has been well for 600 s"),
        "may be acted on again: it has been well for 600 s",
    ),
    "Reported": (REPORTED, "image_pull joelclaw/pds: ImagePullBackOff. mend the image"),
    "VmBooted": (VmBooted(3.0), ""),
}
"""Each with its sentence at time 100."""


def seeing(world: World, layer: Layer, view: View) -> World:
    """The same world after another look at a layer."""
    return replace(world, views={**world.views, layer: view})


def told(*decisions: Decision, fact: Fact | None = None, at: float = 100.0) -> Told:
    """A step with these decisions."""
    return Told(at, fact or Ticked(), decisions, World(), nothing_awaited, dry_run=False)


def finished(outcome: Outcome = Outcome.DONE) -> Finished:
    """The end of the act."""
    return Finished(ACT, outcome, "deleted redis-0")


def told_of(state: State, *, dry_run: bool = False) -> Told:
    """A step after which the pods are in that state, with their act under way and awaited."""
    finding = Finding(Reason.POD_UNKNOWN, "redis-0 shows Unknown [bold]not markup[/bold]")
    views = {
        Layer.PODS: View(Observation(Layer.PODS, findings=(finding,)), 90.0),
        Layer.NODE: View(Observation(Layer.NODE, unknown="could not look"), 90.0),
        Layer.HOST: View(Observation(Layer.HOST, summary="all tools"), 90.0),
    }
    acting = (ACT,) if state is State.HEALING else ()
    world = World(views=views, acting=acting, states=dict.fromkeys(Layer, state))
    waiting = (Awaited(Layer.SSH, "proof", 130.0), Awaited(Layer.DOCKER, "a first look", None))
    decisions = tuple(one for one, _ in EVERY.values())
    return Told(100.0, finished(), decisions, world, lambda: waiting, dry_run=dry_run)
