"""What a running daemon says of itself and of the tower: one document, and how a person reads it.

Field names are stable within a `schema_version`; times are seconds from the document's own
moment, so that a reader needs no clock of ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from healer.core.facts import Refused, Rule, State
from healer.core.judging import Judgements, judge
from healer.core.ledger import Attempt, Incident
from healer.core.outlook import exit_code
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import World
from healer.telemetry.words import WHAT_IT_DOES, doing, duration, short

SCHEMA_VERSION: Final = 1
VERDICT: Final = {
    0: "the tower is well",
    1: "the tower is not well",
    3: "the tower could not be looked at in full",
    4: "held or gave up: a human is needed",
}
_PASSING: Final = frozenset({Rule.BLOCKED, Rule.BUSY_LAYER, Rule.BUSY_DISRUPTIVE, Rule.PAUSED})
"""Rules that only say what comes first; a pause is told by itself."""
_TRIED: Final = 5
"""Attempts shown of one incident."""


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
        "exit_code": exit_code(world, now, policy),
        "no_acts_because": policy.no_acts_because,
        "grace_seconds": round(max(0.0, world.grace_until - now), 1),
        "layers": [_layer(one, world, judged, now) for one in Layer],
        "acting": [doing(one) for one in world.acting],
        "incidents": [_incident(one, world, now) for one in world.incidents],
        "next": [_next(one, now) for one in world.refusals.values() if one.rule not in _PASSING],
        "pauses": list(_pauses(world, now)),
        "holds": list(_holds(world, now)),
        "advice": list(_advice(world, policy)),
        "problems": dict(about.problems),
    }


def _layer(layer: Layer, world: World, judged: Judgements, now: float) -> dict[str, Any]:
    observation, since = world.observation(layer), world.since.get(layer)
    return {
        "layer": layer.value,
        "state": judged[layer].state.value,
        "why": judged[layer].why,
        "summary": "" if observation is None else observation.summary,
        "for_seconds": None if since is None else round(now - since, 1),
    }


def _incident(one: Incident, world: World, now: float) -> dict[str, Any]:
    layers = [layer for layer in Layer if layer in one.layers]
    troubles = [
        trouble for layer in layers if layer in world.views for trouble in world.views[layer].gating
    ]
    tried = [attempt for attempt in world.ledger.attempts if attempt.act.incident == one.id]
    return {
        "id": one.id,
        "layers": [layer.value for layer in layers],
        "open_seconds": round(now - one.opened, 1),
        "seen": [
            {"reason": it.finding.reason.word, "evidence": it.finding.evidence} for it in troubles
        ],
        "tried": [_attempt(attempt, now) for attempt in tried],
    }


def _attempt(one: Attempt, now: float) -> dict[str, Any]:
    return {
        "doing": doing(one.act),
        "ago_seconds": round(now - one.at, 1),
        "outcome": None if one.outcome is None else one.outcome.value,
        "verified": one.verified,
    }


def _next(one: Refused, now: float) -> dict[str, Any]:
    return {
        "layer": one.layer.value,
        "would": WHAT_IT_DOES[one.remedy],
        "target": one.target.partition("@")[0],
        "rule": one.rule.value,
        "detail": one.detail,
        "in_seconds": None if one.until is None else round(max(0.0, one.until - now), 1),
    }


def _pauses(world: World, now: float) -> Iterator[dict[str, Any]]:
    for one in world.ledger.pauses:
        if one.until is None or one.until > now:
            yield {
                "scope": None if one.scope is None else one.scope.value,
                "author": one.author,
                "reason": one.reason,
                "ends_in_seconds": None if one.until is None else round(one.until - now, 1),
            }


def _holds(world: World, now: float) -> Iterator[dict[str, Any]]:
    for one in world.ledger.holds:
        if one.until is None or one.until > now:
            yield {
                "layer": one.layer.value,
                "reason": one.reason.word,
                "detail": one.detail,
                "ends_in_seconds": None if one.until is None else round(one.until - now, 1),
            }


def _advice(world: World, policy: Policy) -> Iterator[dict[str, Any]]:
    """What healer itself cannot mend, as it is seen now."""
    for layer in Layer:
        for one in world.views[layer].ordered if layer in world.views else ():
            finding, ladder = one.finding, policy.ladders[one.finding.reason]
            if finding.reason.gating and ladder.rungs:
                continue
            yield {
                "layer": layer.value,
                "reason": finding.reason.word,
                "target": finding.target.partition("@")[0],
                "evidence": finding.evidence,
                "advice": finding.advice or ladder.advice,
            }


def status_text(document: Mapping[str, Any]) -> str:
    """The document as a person reads it: the tower first, then what matters about it."""
    lines = [_head(document), *_tower(document["layers"])]
    lines += _section("paused", [_pause_line(one) for one in document["pauses"]])
    lines += _section("incidents", [_incident_line(one) for one in document["incidents"]])
    lines += _section("under way", document["acting"])
    lines += _section("next", [_next_line(one) for one in document["next"]])
    lines += _section("held", [_hold_line(one) for one in document["holds"]])
    lines += _section("a human should know", [_advice_line(one) for one in document["advice"]])
    lines += _section("healer itself", _own_lines(document))
    return "\n".join(lines)


def _head(document: Mapping[str, Any]) -> str:
    up = duration(document["up_seconds"])
    verdict = VERDICT[document["exit_code"]] if document["ready"] else "looking for the first time"
    return f"{verdict}  (healer {document['version']}, pid {document['pid']}, up {up})"


def _tower(layers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Highest layer first, as a person thinks of a tower."""
    for one in reversed(layers):
        seen = short(one["why"] or one["summary"])
        shown = one["for_seconds"]
        since = f"for {duration(shown)}" if shown is not None and one["state"] != State.OK else ""
        yield f"  {one['layer']:<10} {one['state']:<9} {seen}  {since}".rstrip()


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  - {line}" for line in lines)] if lines else []


def _pause_line(one: Mapping[str, Any]) -> str:
    what = one["scope"] or "everything"
    ends = one["ends_in_seconds"]
    until = "until `healer resume`" if ends is None else f"for another {duration(ends)}"
    return f"{what}, by {one['author']}, {until}: {one['reason']}"


def _incident_line(one: Mapping[str, Any]) -> str:
    seen = "; ".join(f"{it['reason']} ({short(it['evidence'])})" for it in one["seen"])
    words = f"{', '.join(one['layers'])}: open for {duration(one['open_seconds'])}"
    tried = [_tried_line(it) for it in one["tried"][-_TRIED:]]
    return "\n      ".join([f"{words}: {seen}" if seen else f"{words}: making sure", *tried])


def _tried_line(one: Mapping[str, Any]) -> str:
    how = {True: "helped", False: "did not help", None: one["outcome"] or "under way"}
    return f"{duration(one['ago_seconds'])} ago: {one['doing']}: {how[one['verified']]}"


def _next_line(one: Mapping[str, Any]) -> str:
    target = f" {one['target']}" if one["target"] else ""
    when = one["in_seconds"]
    soon = "when that is over" if when is None else f"in {duration(when)}"
    return f"{one['layer']}: {one['would']}{target}, {soon} ({one['rule']}: {one['detail']})"


def _hold_line(one: Mapping[str, Any]) -> str:
    ends = one["ends_in_seconds"]
    until = "gave up" if ends is None else f"for another {duration(ends)}"
    return (
        f"{one['layer']}: {until}: {one['detail']}; `healer reset {one['layer']}` lets it be "
        "tried again"
    )


def _advice_line(one: Mapping[str, Any]) -> str:
    target = f" {one['target']}" if one["target"] else ""
    advice = f"\n      {one['advice']}" if one["advice"] else ""
    return f"{one['layer']}: {one['reason']}{target}: {short(one['evidence'])}{advice}"


def _own_lines(document: Mapping[str, Any]) -> list[str]:
    lines = [f"{part}: {words}" for part, words in document["problems"].items()]
    if document["no_acts_because"]:
        lines.append(f"acts on nothing: {document['no_acts_because']}")
    if document["stalled"]:
        lines.append(document["stalled"])
    if document["grace_seconds"]:
        left = duration(document["grace_seconds"])
        lines.append(f"grace after a boot or a wake for another {left}")
    return lines
