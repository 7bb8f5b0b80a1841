"""One root cause, one incident, one notice, however many layers it drags down (design §2)."""

from dataclasses import replace

from healer.core.facts import (
    Decision,
    IncidentOpened,
    IncidentResolved,
    Refused,
    Rule,
    State,
)
from healer.core.judging import Judgements
from healer.core.ledger import Incident
from healer.core.observation import Finding
from healer.core.policy import Policy
from healer.core.tower import LAYERS, Layer, above, below
from healer.core.world import World

_ROOTS = frozenset({State.FAILING, State.HELD, State.GAVE_UP})
_QUIET = frozenset({State.OK, State.UNKNOWN})
_TOGETHER = 120.0
"""Seconds within which roots that carry the same layers count as one event's: a reboot's are found
one after the other, and each has its own looks to be confirmed by."""
_STEADY = 5.0
"""Seconds for which all must be quiet: an API that has just come back shows everything as it was
before the end, until a kubelet reports (facts/talos-kubernetes.md §1, Stuck states)."""


def follow_incidents(
    world: World, judged: Judgements, now: float, policy: Policy
) -> tuple[World, list[Decision]]:
    """Open, widen and resolve incidents by what the layers are now."""
    said: list[Decision] = []
    for layer in LAYERS:
        if judged[layer].state in _ROOTS and not _covered(world, layer):
            world, opened = _opened(world, layer, now, policy)
            said.extend(opened)
    return _resolved(_without_a_humans_time(world, now), judged, now, said)


def stopped_by_human(world: World, incident: Incident) -> Refused | None:
    """The start of what a human has stopped, while it is put off for that."""
    put_off = (one for one in world.refusals.values() if one.rule is Rule.HUMAN_STOPPED)
    return next((one for one in put_off if one.layer in incident.layers), None)


def _without_a_humans_time(world: World, now: float) -> World:
    """An incident is no older than the end of what a human wanted so."""
    young = tuple(
        one if stopped_by_human(world, one) is None else replace(one, opened=now)
        for one in world.incidents
    )
    return world if young == world.incidents else replace(world, incidents=young)


def incident_of(world: World, layer: Layer) -> str:
    """The open incident that a layer belongs to; '' when there is none."""
    return next((one.id for one in world.incidents if layer in one.layers), "")


def _covered(world: World, layer: Layer) -> bool:
    return any(layer in one.layers for one in world.incidents)


def _opened(world: World, layer: Layer, now: float, policy: Policy) -> tuple[World, list[Decision]]:
    """A root above or below an open incident's layers is a part of it, and so is one's shadow.

    So is one that was found soon after it and drags down what it drags down: one event, one notice.
    """
    near = {*below(layer), *above(layer), *_kin(world, layer)}
    one = next((one for one in world.incidents if near & one.layers), None)
    one = one or next((one for one in world.incidents if _together(one, layer, now)), None)
    if one is not None:
        wider = replace(one, layers=one.layers | {layer})
        kept = tuple(wider if other is one else other for other in world.incidents)
        return replace(world, incidents=kept), []
    fresh = Incident(f"{policy.run}-i{world.serial + 1}", now, frozenset({layer}))
    trouble = world.views[layer].gating[0]
    world = replace(world, incidents=(*world.incidents, fresh), serial=world.serial + 1)
    return world, [
        IncidentOpened(fresh.id, layer, trouble.finding.reason, trouble.finding.evidence)
    ]


def _together(one: Incident, layer: Layer, now: float) -> bool:
    carried = {higher for each in one.layers for higher in above(each)}
    return now - one.opened < _TOGETHER and bool(carried & {*above(layer)})


def _kin(world: World, layer: Layer) -> frozenset[Layer]:
    """LiveKit without Redis is ill of Redis, whose own port tells it: one root, one incident."""
    ours = _named(world, layer)
    return frozenset(
        one for one in world.troubled if one is not layer and ours & _named(world, one)
    )


def _named(world: World, layer: Layer) -> frozenset[str]:
    """The workloads that a layer is ill of."""
    view = world.views.get(layer)
    gating = () if view is None else view.gating
    named = (one.finding.cause or one.finding.owner for one in gating)
    return frozenset(one for one in named if one)


def told_by_its_cause(world: World, finding: Finding) -> bool:
    """Whether what brought this advice about is seen too, and says it better."""
    if not finding.cause or finding.reason.gating:
        return False
    return any(
        one.finding.owner == finding.cause
        for view in world.troubled.values()
        for one in view.ordered
    )


def _resolved(
    world: World, judged: Judgements, now: float, said: list[Decision]
) -> tuple[World, list[Decision]]:
    for one in world.incidents:
        since = _quiet_since(world, judged, one, now)
        if since is not None and now - since >= _STEADY:
            kept = tuple(other for other in world.incidents if other is not one)
            world = replace(world, incidents=kept)
            said.append(IncidentResolved(one.id, now - one.opened))
    return world, said


def _quiet_since(world: World, judged: Judgements, one: Incident, now: float) -> float | None:
    """Since when nothing that it touched is ill; None while something is."""
    if any(judged[layer].state is not State.OK for layer in one.layers):
        return None
    touched = {*one.layers, *(higher for layer in one.layers for higher in above(layer))}
    if any(judged[layer].state not in _QUIET for layer in touched):
        return None
    shown = ((layer, judged[layer].state) for layer in touched)
    return max(
        world.since.get(layer, now) if world.states.get(layer) is state else now
        for layer, state in shown
    )


def resolving(world: World, judged: Judgements, now: float) -> dict[Layer, float]:
    """When the incidents whose layers are all quiet will be resolved, by one of their layers."""
    quiet = ((one, _quiet_since(world, judged, one, now)) for one in world.incidents)
    return {min(one.layers): since + _STEADY for one, since in quiet if since is not None}
