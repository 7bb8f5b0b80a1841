"""What a pass amounts to: what was ill, what was done, what was refused, what a human should do.

Collected while it happens; rendered as text by `report_text` and as one document by
`document`, whose field names are stable within a `schema_version`.
"""

from dataclasses import dataclass, field
from typing import Any

from healer.core.facts import (
    Act,
    Decision,
    Finished,
    GaveUp,
    Held,
    IncidentOpened,
    NotVerified,
    Outcome,
    Refused,
    Reported,
    Rule,
    State,
    Verified,
)
from healer.core.incidents import told_by_its_cause
from healer.core.judging import Judgements, blocker
from healer.core.observation import Finding
from healer.core.tower import NEEDS, Layer
from healer.core.world import Foreign, World
from healer.engine.telling import Told
from healer.telemetry.spelling import duration, short
from healer.telemetry.words import WHAT_IT_DOES, doing

SCHEMA_VERSION = 1
_PASSING = frozenset({Rule.BLOCKED, Rule.BUSY_LAYER, Rule.BUSY_DISRUPTIVE})
"""Rules that only say what comes first."""


@dataclass(slots=True)
class Done:
    """One act as the report tells it; seconds."""

    act: Act
    began: float
    outcome: Outcome | None = None
    detail: str = ""
    took: float = 0.0
    verified: bool | None = None


@dataclass(slots=True)
class Report:
    """Listens to a pass and remembers what a person will ask."""

    began: float | None = None
    now: float = 0.0
    ill: list[tuple[Layer, str, str]] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    advised: list[Reported | GaveUp | Held] = field(default_factory=list)

    def told(self, told: Told) -> None:
        """Take note of one step."""
        self.began = told.at if self.began is None else self.began
        self.now = told.at
        if isinstance(told.fact, Finished):
            self._ended(told.fact, told.at)
        for decision in told.decisions:
            self._decided(decision, told.at)

    def _ended(self, finished: Finished, at: float) -> None:
        for one in self.done:
            if one.act.id == finished.act.id:
                one.outcome, one.detail = finished.outcome, finished.detail
                one.took = at - one.began

    def _decided(self, decision: Decision, at: float) -> None:
        match decision:
            case Act():
                self.done.append(Done(decision, at))
                self._no_longer_refused(decision)
            case IncidentOpened(layer=layer, reason=reason, evidence=evidence):
                self._ill(layer, reason.word, evidence)
            case Refused():
                self._refused(decision)
            case Reported() | GaveUp() | Held():
                self._advised(decision)
            case Verified(act=act):
                self._verified(act, helped=True)
            case NotVerified(act=act):
                self._verified(act, helped=False)
            case _:
                pass

    def _ill(self, layer: Layer, word: str, evidence: str) -> None:
        if all((layer, word) != (one[0], one[1]) for one in self.ill):
            self.ill.append((layer, word, evidence))

    def _refused(self, decision: Refused) -> None:
        key = (decision.remedy, decision.target, decision.rule)
        if decision.rule in _PASSING:
            return
        if all(key != (one.remedy, one.target, one.rule) for one in self.refused):
            self.refused.append(decision)

    def _no_longer_refused(self, act: Act) -> None:
        """What was put off and then done was not refused."""
        key = (act.remedy, act.target)
        self.refused = [one for one in self.refused if (one.remedy, one.target) != key]

    def _advised(self, decision: Reported | GaveUp | Held) -> None:
        self.advised.append(decision)
        if isinstance(decision, Reported) and decision.reason.gating:
            self._ill(decision.layer, decision.reason.word, decision.evidence)

    def _verified(self, act: Act, *, helped: bool) -> None:
        for one in self.done:
            if one.act.id == act.id:
                one.verified = helped

    @property
    def lasted(self) -> float:
        """Seconds from the first to the last thing told."""
        return 0.0 if self.began is None else self.now - self.began


def report_text(
    report: Report, world: World, judged: Judgements, verdict: str, *, dry_run: bool
) -> str:
    """The report as plain text: the root cause, the tower, the verdict, and what led to it."""
    lines = [*_root(world, judged), *_tower(world, judged)]
    lines.append(f"{verdict} ({duration(report.lasted)})")
    lines += _section("somebody else is at work", [_other_line(one) for one in world.foreign])
    lines += _section("was ill", [f"{one[0]}: {one[1]} ({short(one[2])})" for one in report.ill])
    title = "would be done" if dry_run else "was done"
    lines += _section(title, [_done_line(one, dry_run=dry_run) for one in report.done])
    lines += _section("was refused", [_refused_line(one) for one in report.refused])
    advised = [one for one in report.advised if not _over(one, judged)]
    known = [_advice_line(one) for one in advised]
    known += [_once_line(one) for one in _seen_once(report, world, judged)]
    lines += _section("a human should know", known)
    return "\n".join(lines)


def _other_line(one: Foreign) -> str:
    waits = f"healer waits for it on {one.operation.layer} and above"
    return f"`{short(one.operation.command)}` (pid {one.operation.pid}): {waits}"


def _seen_once(report: Report, world: World, judged: Judgements) -> list[Finding]:
    """What one look has shown that more looks would confirm; a pass does not wait for them.

    A layer that is ill by it is shown as suspect; what something is done about stands there.
    """
    answered = {(one.act.reason, one.act.target) for one in report.done}
    answered |= {(one.reason, one.target) for one in world.refusals.values()}
    return [
        trouble.finding
        for layer, view in world.troubled.items()
        if blocker(layer, judged) is None
        for trouble in view.ordered
        if not trouble.finding.reason.gating and trouble.key not in answered
        if (*trouble.key, trouble.finding.fingerprint) not in world.reported
        if not told_by_its_cause(world, trouble.finding)
    ]


def _over(one: Reported | GaveUp | Held, judged: Judgements) -> bool:
    """What made a layer ill for a while needs no human once the layer is well."""
    return one.reason.gating and judged[one.layer].state is State.OK


def _root(world: World, judged: Judgements) -> list[str]:
    """The lowest layer that is not well, with its cause; no line for a healthy tower.

    A layer that could not be looked at is no cause when everything that needs it is well.
    """
    for layer in Layer:
        state = judged[layer].state
        carried = [judged[one].state for one in Layer if layer in NEEDS[one]]
        cleared = state is State.UNKNOWN and carried and set(carried) == {State.OK}
        if state is not State.OK and not cleared:
            return [f"the root cause is in {layer}: {_seen(layer, world, judged) or state}"]
    return []


def _tower(world: World, judged: Judgements) -> list[str]:
    """Highest layer first, as a person thinks of a tower; each cause once, at its lowest layer."""
    lines: list[str] = []
    lowest: dict[str, Layer] = {}
    for layer in Layer:
        state, seen = judged[layer].state, _seen(layer, world, judged)
        if seen and state is State.UNKNOWN and lowest.setdefault(seen, layer) is not layer:
            seen = f"as {lowest[seen]}"
        lines.append(f"  {layer:<10} {state:<9} {seen}".rstrip())
    return lines[::-1]


def _seen(layer: Layer, world: World, judged: Judgements) -> str:
    if judged[layer].why:
        return short(judged[layer].why)
    observation = world.observation(layer)
    return "" if observation is None else observation.summary


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}:", *(f"  - {line}" for line in lines)] if lines else []


def _done_line(one: Done, *, dry_run: bool) -> str:
    if dry_run:
        return f"{one.act.layer}: {doing(one.act)} (because: {short(one.act.evidence)})"
    how = "under way" if one.outcome is None else one.outcome.replace("_", " ")
    proof = {True: ", verified", False: ", did not help", None: ""}[one.verified]
    ended = f"{how} in {duration(one.took)}{proof}"
    return f"{one.act.layer}: {doing(one.act)}: {ended}; {short(one.detail)}"


def _refused_line(one: Refused) -> str:
    return f"{one.layer}: {WHAT_IT_DOES[one.remedy]}{_of(one.target)}: {one.rule} ({one.detail})"


def _once_line(one: Finding) -> str:
    return (
        f"{one.reason.layer}: {one.reason.word}{_of(one.target)}: seen once: {short(one.evidence)}"
    )


def _of(target: str) -> str:
    return f" {target.partition('@')[0]}" if target else ""


def _advice_line(one: Reported | GaveUp | Held) -> str:
    match one:
        case Reported():
            advice = f"\n    {one.advice}" if one.advice else ""
            return f"{one.layer}: {one.reason.word}{_of(one.target)}: {short(one.evidence)}{advice}"
        case GaveUp():
            return f"{one.layer}: gave up{_of(one.target)} ({one.detail})\n    {one.advice}"
        case Held():
            rearmed = f"`healer reset {one.layer}` re-arms it"
            return f"{one.layer}: held{_of(one.target)} ({one.detail}); {rearmed}"


def document(
    report: Report, world: World, judged: Judgements, *, exit_code: int, dry_run: bool
) -> dict[str, Any]:
    """The whole pass as one JSON document."""
    return {
        "schema_version": SCHEMA_VERSION,
        "exit_code": exit_code,
        "dry_run": dry_run,
        "seconds": round(report.lasted, 3),
        "layers": [_layer(layer, world, judged) for layer in Layer],
        "others": [
            {"command": one.operation.command, "pid": one.operation.pid} for one in world.foreign
        ],
        "ill": [{"layer": a, "reason": b, "evidence": c} for a, b, c in report.ill],
        "acts": [_act(one) for one in report.done],
        "refused": [_refused_document(one) for one in report.refused],
        "advice": [
            *(_advice_document(one) for one in report.advised if not _over(one, judged)),
            *(_once_document(one) for one in _seen_once(report, world, judged)),
        ],
    }


def _layer(layer: Layer, world: World, judged: Judgements) -> dict[str, Any]:
    observation = world.observation(layer)
    findings = () if observation is None else observation.findings
    return {
        "layer": layer.value,
        "state": judged[layer].state.value,
        "why": judged[layer].why,
        "summary": "" if observation is None else observation.summary,
        "findings": [
            {
                "reason": one.reason.word,
                "gating": one.reason.gating,
                "target": one.target.partition("@")[0],
                "evidence": one.evidence,
            }
            for one in findings
        ],
    }


def _act(one: Done) -> dict[str, Any]:
    return {
        "id": one.act.id,
        "layer": one.act.layer.value,
        "remedy": one.act.remedy.value,
        "reason": one.act.reason.word,
        "target": one.act.target.partition("@")[0],
        "evidence": one.act.evidence,
        "outcome": None if one.outcome is None else one.outcome.value,
        "detail": one.detail,
        "seconds": round(one.took, 3),
        "verified": one.verified,
    }


def _refused_document(one: Refused) -> dict[str, Any]:
    return {
        "layer": one.layer.value,
        "remedy": one.remedy.value,
        "reason": one.reason.word,
        "target": one.target.partition("@")[0],
        "rule": one.rule.value,
        "detail": one.detail,
    }


def _once_document(one: Finding) -> dict[str, Any]:
    return {
        "kind": "seen_once",
        "layer": one.reason.layer.value,
        "reason": one.reason.word,
        "detail": one.evidence,
        "advice": one.advice,
    }


def _advice_document(one: Reported | GaveUp | Held) -> dict[str, Any]:
    kind = {Reported: "reported", GaveUp: "gave_up", Held: "held"}[type(one)]
    detail = one.evidence if isinstance(one, Reported) else one.detail
    advice = "" if isinstance(one, Held) else one.advice
    return {
        "kind": kind,
        "layer": one.layer.value,
        "reason": one.reason.word,
        "detail": detail,
        "advice": advice,
    }
