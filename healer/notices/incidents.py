"""Which incidents are to be told now, read from the world alone.

Whatever a crash lost is found again in the next step after the restart: an incident that is
still open and was not told is told then (I13).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from healer.core.facts import IncidentResolved, State
from healer.core.incidents import stopped_by_human
from healer.core.ladders import LADDERS
from healer.core.ledger import Attempt, Hold, Incident
from healer.core.policy import FOREIGN_PATIENCE
from healer.core.tower import Layer
from healer.core.world import Foreign, Trouble, World
from healer.model.notice import Ended, Kind, Notice
from healer.notices import wording
from healer.notices.rules import Rules
from healer.notices.scene import Scene

_QUIET: Final = frozenset({State.OK, State.VERIFYING, State.PAUSED, State.UNKNOWN})
"""Nothing to tell: it is well or getting well, cannot be seen, or a human wants it left alone."""


def open_notices(scene: Scene, began: float, rules: Rules) -> Iterator[Notice]:
    """Of each open incident that a human must hear of, and has not.

    `began` is when this run began: what an earlier one left open is given its time anew.
    """
    for incident in scene.world.incidents:
        if (incident.id, Kind.GAVE_UP) in scene.told:
            continue
        troubles = _troubles(scene.world, incident)
        lost = _given_up(scene.world, troubles)
        if lost is not None:
            yield wording.gave_up(scene, incident, *lost)
            continue
        new = troubles and (incident.id, Kind.OPENED) not in scene.told
        if new and scene.at.now >= due(scene.world, incident, troubles, began, rules):
            yield wording.opened(scene, incident, troubles[0])


def resolved_notice(scene: Scene, decision: IncidentResolved) -> Notice | None:
    """The end of what was told; what nobody heard of ends in silence."""
    before = scene.told.get((decision.incident, Kind.GAVE_UP))
    before = before or scene.told.get((decision.incident, Kind.OPENED))
    return None if before is None else ended_notice(scene, Ended(before, decision.seconds))


def ended_notice(scene: Scene, ended: Ended) -> Notice | None:
    """The same, once."""
    if (ended.told.incident, Kind.RESOLVED) in scene.told:
        return None
    return wording.resolved(scene, ended)


def due(
    world: World, incident: Incident, troubles: tuple[Trouble, ...], began: float, rules: Rules
) -> float:
    """When an open incident is told; on the clock of `now`."""
    if any(world.states.get(layer) is State.HELD for layer in incident.layers):
        return incident.opened
    if troubles and stopped_by_human(world, incident) is not None:
        return troubles[0].since + rules.opened_after
    others = _of_others(world.foreign, incident)
    if others:
        # Somebody is at it, and what is ill meanwhile is what their start or stop brings about.
        return min(one.since for one in others) + FOREIGN_PATIENCE
    # Time slept, and time in which no healer ran, is no time in which it was not healed.
    over = [one.at for one in _of_others(world.foreign_ended, incident)]
    counted = max(incident.opened, began, world.grace_until, *over)
    latest = counted + rules.healing_at_most
    acts = [one for one in world.ledger.attempts if one.act.incident == incident.id]
    if not acts and not any(LADDERS[one.finding.reason].rungs for one in troubles):
        return min(counted + rules.reported_after, latest)
    if any(_under_way(world, one) for one in acts):
        return latest
    # A boot takes its time between two remedies: each that ended, and each layer that got
    # better, is progress, and a human need not hear of it yet.
    progress = max(counted, world.last_progress) if acts else counted
    return min(progress + rules.opened_after, latest)


def _of_others(operations: Iterable[Foreign], incident: Incident) -> list[Foreign]:
    """Those that may change a layer of the incident."""
    return [one for one in operations if any(one.touches(layer) for layer in incident.layers)]


def _under_way(world: World, attempt: Attempt) -> bool:
    pending = (*world.acting, *(one.act for one in world.verifying))
    return any(one.id == attempt.act.id for one in pending)


def _troubles(world: World, incident: Incident) -> tuple[Trouble, ...]:
    """What makes its layers ill now, the lowest layer's first."""
    return tuple(
        trouble
        for layer in Layer
        if layer in incident.layers and layer in world.views
        if world.states.get(layer, State.UNKNOWN) not in _QUIET
        for trouble in world.views[layer].gating
    )


def _given_up(world: World, troubles: tuple[Trouble, ...]) -> tuple[Trouble, Hold] | None:
    """The trouble that healer gave up on, and the hold that says why."""
    given = [
        (one, hold)
        for one in troubles
        for hold in world.ledger.holds
        if hold.until is None and hold.layer is one.finding.reason.layer
        if hold.covers(one.finding.target)
        if hold.target or world.states.get(hold.layer) is State.GAVE_UP
    ]
    exact = (pair for pair in given if pair[0].finding.reason is pair[1].reason)
    return next(exact, given[0] if given else None)
