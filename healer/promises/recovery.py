"""I12, I13 and I14: it brings the tower back, or says that it cannot, and calls it by its name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from healer.core.facts import (
    Act,
    Decision,
    Finished,
    GaveUp,
    Held,
    IncidentOpened,
    Observed,
    Outcome,
    Rearmed,
    Remembered,
    Reported,
    Verified,
    WasReset,
)
from healer.core.observation import Finding, Observation
from healer.core.reasons import WHOLLY_WELL, Reason
from healer.core.tower import Layer
from healer.promises.history import Broken, History, Moment, Violation
from healer.promises.seeing import told

CORDON: Final = "cordon"
PAUSED_ROLLOUT: Final = "paused rollout"
"""As `History.human` calls them: what keeps healer from mending what it otherwise could."""


def heals_what_it_can(history: History) -> Broken:
    """I12: after the last fault the tower is well within the bound, while no budget is spent.

    While a human's cordon stands no pod that is replaced finds a node, and a paused rollout takes
    no patch: I15 comes before I12.
    """
    if not history.covered or history.faults_over is None or history.well_at_end:
        return
    if history.human & {CORDON, PAUSED_ROLLOUT}:
        return
    spent = any(isinstance(one, Held | GaveUp) for m in history.moments for one in m.decisions)
    if not spent:
        late = history.ended - history.faults_over
        yield Violation("I12", history.ended, f"not well {late:.0f} s after the last fault")


def gives_up_once_and_says_so(history: History) -> Broken:
    """I13: what cannot be healed is told once, and left alone until it recovers or is reset."""
    yield from _silent_failure(history)
    yield from _told_twice(history)


def _silent_failure(history: History) -> Iterator[Violation]:
    """An ill tower at the end must have been told of, unless a human's pause is still in force."""
    if history.well_at_end or history.faults_over is None:
        return
    loud = (GaveUp, Held, IncidentOpened, Reported)
    said = any(isinstance(one, loud) for m in history.moments for one in m.decisions)
    if not said and not _paused_at_the_end(history):
        yield Violation("I13", history.ended, "the tower is ill, and nothing was ever said")


def _paused_at_the_end(history: History) -> bool:
    pauses: list[tuple[Layer | None, float | None]] = []
    for _, seen in told(history):
        pauses = seen.pauses
    return any(until is None or until > history.ended for _, until in pauses)


def _told_twice(history: History) -> Iterator[Violation]:
    gave_up: dict[tuple[Layer, str], Reason] = {}
    opened: set[str] = set()
    for moment in history.moments:
        if isinstance(moment.fact, WasReset | Remembered):
            gave_up = {}
        for one in moment.decisions:
            why = _again(one, gave_up, opened)
            if why:
                yield Violation("I13", moment.at, why)


def _again(one: Decision, gave_up: dict[tuple[Layer, str], Reason], opened: set[str]) -> str:
    """What is wrong with saying this now; keeps account of what was said."""
    match one:
        case GaveUp(layer, reason, target=target):
            before, gave_up[layer, target] = gave_up.get((layer, target)), reason
            return f"gave {reason} up twice" if before is reason else ""
        case Rearmed(layer):
            for key in [key for key in gave_up if key[0] is layer]:
                del gave_up[key]
        case Act() if (one.layer, "") in gave_up or (one.layer, one.target) in gave_up:
            return f"{one.remedy} after giving {one.layer} up"
        case IncidentOpened(incident):
            if incident in opened:
                return f"{incident} opened twice"
            opened.add(incident)
        case _:
            pass
    return ""


@dataclass(slots=True)
class _Proof:
    """Good looks in a row since an act ended."""

    since: float | None = None
    passes: int = 0


def success_is_proved(history: History) -> Broken:
    """I14: whoever says `verified` has seen enough good looks in a row for long enough."""
    proofs: dict[str, tuple[Act, _Proof]] = {}
    life = 0
    for moment in history.moments:
        if moment.life != life:
            life = moment.life
            proofs = {one.act.id: (one.act, _Proof()) for one in moment.before.verifying}
        match moment.fact:
            case Finished(act, outcome) if outcome is not Outcome.NOT_NEEDED:
                proofs[act.id] = (act, _Proof())
            case Observed(observation):
                _count(proofs, observation, moment.at)
            case _:
                pass
        yield from _unproved(moment, proofs)


def _count(proofs: Mapping[str, tuple[Act, _Proof]], observation: Observation, at: float) -> None:
    for act, proof in proofs.values():
        if act.layer is not observation.layer:
            continue
        if observation.unknown or any(_denies(one, act) for one in observation.findings):
            proof.since, proof.passes = None, 0
            continue
        proof.since = at if proof.since is None else proof.since
        proof.passes += 1


def _denies(finding: Finding, act: Act) -> bool:
    """Whether it says that the act has not helped, or not wholly."""
    if finding.target != act.target:
        return False
    return finding.reason is act.reason or act.reason in WHOLLY_WELL


def _unproved(moment: Moment, proofs: Mapping[str, tuple[Act, _Proof]]) -> Iterator[Violation]:
    for one in moment.decisions:
        if not isinstance(one, Verified):
            continue
        limits = moment.policy.limits[one.act.remedy]
        _, proof = proofs.get(one.act.id, (one.act, _Proof()))
        lasted = 0.0 if proof.since is None else moment.at - proof.since
        if proof.passes < limits.passes or lasted < limits.window:
            what = f"{one.act.remedy} called verified after {proof.passes} looks in {lasted:.0f} s"
            yield Violation("I14", moment.at, what)
