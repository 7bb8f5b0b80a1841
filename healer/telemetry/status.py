"""What a running daemon says of itself and of the tower, as one document.

Field names are stable within a `schema_version`; times are seconds from the document's own
moment, so that a reader needs no clock of ours. `status_text` makes words of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from healer.core.facts import Act
from healer.core.judging import Judgements, hold_on, judge
from healer.core.ledger import Attempt, Hold, Incident, Ledger
from healer.core.outlook import exit_code
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import Verification, World
from healer.telemetry.foresight import Coming, coming, reason_of, reported
from healer.telemetry.words import WHAT_IT_DOES, doing

SCHEMA_VERSION: Final = 1
_CANNOT_SAY: Final = 3
"""The exit code when nothing was looked at (design §5)."""


@dataclass(frozen=True, slots=True)
class About:
    """The daemon itself."""

    version: str
    pid: int
    up: float
    """Seconds since it began."""
    stalled: str = ""
    """Who gives no sign of life, as a sentence; '' = all live."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """What it lives on without, by part."""


def status_document(world: World, now: float, policy: Policy, about: About) -> dict[str, Any]:
    """Everything that `healer status --json` and `/api/status` tell."""
    judged = judge(world, now, policy)
    unseen = [one.value for one in Layer if one not in world.views]
    return {
        "schema_version": SCHEMA_VERSION,
        "version": about.version,
        "pid": about.pid,
        "up_seconds": round(about.up, 1),
        "ready": not unseen,
        "unseen": unseen,
        "stalled": about.stalled,
        "exit_code": _CANNOT_SAY if unseen else exit_code(world, now, policy),
        "no_daemon_because": "",
        "no_acts_because": _no_acts_because(world, now, policy),
        "grace_seconds": round(max(0.0, world.grace_until - now), 1),
        "layers": [_layer(one, world, judged, now) for one in Layer],
        "acting": [_acting(one, world, now, policy) for one in world.acting],
        "verifying": [_verifying(one, now, policy) for one in world.verifying],
        "others": [_other(one.operation.command, one.operation.pid) for one in world.foreign],
        "incidents": [_incident(one, world, now) for one in world.incidents],
        "next": [_next(one, now) for one in coming(world, now, policy)],
        "pauses": list(_pauses(world.ledger, now)),
        "holds": list(_holds(world, now, policy)),
        "advice": list(_advice(world, policy)),
        "problems": dict(about.problems),
    }


def status_without(
    ledger: Ledger, now: float, policy: Policy, *, version: str, why: str
) -> dict[str, Any]:
    """The same document without a daemon: what the journal alone knows, and that nobody looks."""
    world = World(ledger=ledger, incidents=ledger.incidents)
    document = status_document(world, now, policy, About(version, 0, 0.0))
    return {**document, "pid": None, "no_daemon_because": why, "layers": [], "next": []}


def _no_acts_because(world: World, now: float, policy: Policy) -> str:
    """Why nothing may be done at all: no journal, no lock, or healer's own crashes."""
    own = [
        one.reason
        for one in world.ledger.pauses
        if one.author == "healer" and one.scope is None and (one.until is None or one.until > now)
    ]
    return policy.no_acts_because or "; ".join(own)


def _layer(layer: Layer, world: World, judged: Judgements, now: float) -> dict[str, Any]:
    observation, since = world.observation(layer), world.since.get(layer)
    return {
        "layer": layer.value,
        "state": judged[layer].state.value,
        "why": judged[layer].why,
        "summary": "" if observation is None else observation.summary,
        "for_seconds": None if since is None else round(now - since, 1),
    }


def _acting(act: Act, world: World, now: float, policy: Policy) -> dict[str, Any]:
    began = next((one.at for one in world.ledger.attempts if one.act.id == act.id), now)
    return {
        "layer": act.layer.value,
        "remedy": act.remedy.value,
        "doing": doing(act),
        "for_seconds": round(now - began, 1),
        "at_most_seconds": round(max(0.0, began + policy.limits[act.remedy].cap - now), 1),
    }


def _verifying(one: Verification, now: float, policy: Policy) -> dict[str, Any]:
    window = policy.limits[one.act.remedy].window
    until = one.deadline if one.good_since is None else one.good_since + window
    return {
        "layer": one.act.layer.value,
        "remedy": one.act.remedy.value,
        "doing": doing(one.act),
        "at_most_seconds": round(max(0.0, until - now), 1),
    }


def _other(command: str, pid: int) -> dict[str, Any]:
    return {"command": command, "pid": pid}


def _incident(one: Incident, world: World, now: float) -> dict[str, Any]:
    trouble = reason_of(one, world)
    tried = [attempt for attempt in world.ledger.attempts if attempt.act.incident == one.id]
    return {
        "id": one.id,
        "layers": [layer.value for layer in Layer if layer in one.layers],
        "open_seconds": round(now - one.opened, 1),
        "reason": "" if trouble is None else trouble.finding.reason.word,
        "evidence": "" if trouble is None else trouble.finding.evidence,
        "tried": [_attempt(attempt, now) for attempt in tried],
    }


def _attempt(one: Attempt, now: float) -> dict[str, Any]:
    return {
        "remedy": one.act.remedy.value,
        "doing": doing(one.act),
        "ago_seconds": round(now - one.at, 1),
        "outcome": None if one.outcome is None else one.outcome.value,
        "verified": one.verified,
        "detail": one.detail,
    }


def _next(one: Coming, now: float) -> dict[str, Any]:
    return {
        "layer": one.layer.value,
        "remedy": one.remedy.value,
        "reason": one.reason.word,
        "would": WHAT_IT_DOES[one.remedy],
        "target": one.target.partition("@")[0],
        "rule": one.rule.value,
        "detail": one.detail,
        "in_seconds": None if one.until is None else round(max(0.0, one.until - now), 1),
    }


def _pauses(ledger: Ledger, now: float) -> Iterator[dict[str, Any]]:
    for one in ledger.pauses:
        if one.until is None or one.until > now:
            yield {
                "scope": None if one.scope is None else one.scope.value,
                "author": one.author,
                "reason": one.reason,
                "ends_in_seconds": None if one.until is None else round(one.until - now, 1),
            }


def _holds(world: World, now: float, policy: Policy) -> Iterator[dict[str, Any]]:
    """One a layer, the lasting one first: the one that counts."""
    held: list[Hold | None] = [hold_on(world, layer, now) for layer in Layer]
    for one in held:
        if one is not None:
            yield {
                "layer": one.layer.value,
                "reason": one.reason.word,
                "detail": one.detail,
                "gave_up": one.until is None,
                "ends_in_seconds": None if one.until is None else round(one.until - now, 1),
                "advice": policy.ladders[one.reason].advice,
            }


def _advice(world: World, policy: Policy) -> Iterator[dict[str, Any]]:
    for one in reported(world, policy):
        yield {
            "layer": one.layer.value,
            "reason": one.reason.word,
            "target": one.target.partition("@")[0],
            "evidence": one.evidence,
            "advice": one.advice,
        }
