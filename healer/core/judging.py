"""What state each layer is in: pure reading of the world, lowest layer first.

A layer is blocked when it is not well and something that it needs is ill. An unknown need
does not block: only the remedies that must see it wait (design §10, "May a layer above act?").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from healer.core.facts import State
from healer.core.ladders import EXPECTED_AT_START
from healer.core.ledger import Hold
from healer.core.policy import Policy
from healer.core.tower import LAYERS, Layer, below
from healer.core.world import Trouble, View, World

_STANDS = frozenset({State.OK, State.VERIFYING, State.UNKNOWN})
"""States of a need that do not block what stands on it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A state, and the sentence that explains it."""

    state: State
    why: str = ""


Judgements = Mapping[Layer, Judgement]

_OK = Judgement(State.OK)


def judge(world: World, now: float, policy: Policy) -> Judgements:
    """Judge every layer, each in the light of those below it."""
    return _Bench(world, now, policy).judge_all()


def blocker(layer: Layer, judged: Judgements) -> Layer | None:
    """The lowest ill layer that this one stands on, directly or not; None when all stand.

    A well layer in between does not lift it (I2): whatever a probe there saw, something that
    carries it is ill, and is mended first.
    """
    for one in below(layer):
        if judged[one].state not in _STANDS:
            return one
    return None


def confirmed(world: World, trouble: Trouble, now: float, policy: Policy) -> bool:
    """Whether a trouble was seen often enough for long enough, and is not merely expected."""
    ladder = policy.ladders[trouble.finding.reason]
    lasted = now - trouble.counted_since
    if trouble.samples < ladder.samples or lasted < ladder.over:
        return False
    return not _expected(world, trouble, now, policy)


def _expected(world: World, trouble: Trouble, now: float, policy: Policy) -> bool:
    """Soon after a start some troubles are the start itself (design §2, grace)."""
    reason = trouble.finding.reason
    if reason not in EXPECTED_AT_START:
        return False
    return in_start_grace(world, reason.layer, now, policy) is not None


def hold_on(world: World, layer: Layer, now: float, target: str | None = None) -> Hold | None:
    """The hold that forbids acts on a target now (None: on any of the layer), the lasting first."""
    live = [
        hold
        for hold in world.ledger.holds
        if hold.layer is layer and (hold.until is None or hold.until > now)
        if target is None or hold.covers(target)
    ]
    live.sort(key=lambda hold: hold.until is not None)
    return live[0] if live else None


def paused(world: World, layer: Layer, now: float) -> str:
    """Why a human paused this layer; '' when nobody did."""
    for pause in world.ledger.pauses:
        if pause.scope in {None, layer} and (pause.until is None or pause.until > now):
            return f"paused by {pause.author}: {pause.reason}"
    return ""


def in_start_grace(world: World, layer: Layer, now: float, policy: Policy) -> float | None:
    """When the grace after a start ends, if the layer is in it."""
    if layer not in policy.grace:
        return None
    of, seconds = policy.grace[layer]
    uptime = world.uptime(of, now)
    if uptime is None and of is Layer.SSH:
        # A VM whose ssh is silent tells no uptime, and boots perhaps: its hostagent knows.
        uptime = world.uptime(Layer.COLIMA, now)
    if uptime is None or uptime >= seconds:
        return None
    return now + seconds - uptime


@dataclass(slots=True)
class _Bench:
    """The judging of one world, from the lowest layer up."""

    world: World
    now: float
    policy: Policy
    judged: dict[Layer, Judgement] = field(default_factory=dict)

    def judge_all(self) -> Judgements:
        """Layers on which nothing is under way, and which were seen to be well, are most."""
        pending = (*self.world.acting, *(one.act for one in self.world.verifying))
        concerned = frozenset(act.layer for act in pending if act.reason.gating)
        judged, views = self.judged, self.world.views
        for layer in LAYERS:
            view = views.get(layer)
            if layer in concerned:
                judged[layer] = self._concerned(layer, view)
            elif view is not None and view.observation.well:
                judged[layer] = _OK
            else:
                judged[layer] = self._unwell(layer, view)
        return judged

    def _concerned(self, layer: Layer, view: View | None) -> Judgement:
        """A layer on which an act is under way or not proved yet."""
        under_way = _under_way(self.world, layer, view)
        if under_way:
            return Judgement(State.HEALING, under_way)
        if view is not None and view.observation.well:
            return _well(self.world, layer)
        return self._unwell(layer, view)

    def _unwell(self, layer: Layer, view: View | None) -> Judgement:
        """A layer that was not seen to be well."""
        if view is None:
            return Judgement(State.UNKNOWN, "not looked at yet")
        under = blocker(layer, self.judged)
        if under is not None:
            return _blocked(under, self.judged[under].state)
        if view.observation.unknown and not view.gating:
            return Judgement(State.UNKNOWN, view.observation.unknown)
        return _ill(self.world, layer, view, self.now, self.policy)


@cache
def _blocked(under: Layer, state: State) -> Judgement:
    return Judgement(State.BLOCKED, f"{under} is {state}")


def _under_way(world: World, layer: Layer, view: View | None) -> str:
    """An act in progress, or one that ended after the last look: what was seen is void."""
    acting = world.acting_on(layer)
    if acting is not None and acting.reason.gating:
        return f"{acting.remedy} is under way"
    for one in world.verifying_of(layer):
        if one.act.reason.gating and (view is None or view.at <= one.began):
            return f"{one.act.remedy} has ended; looking anew"
    return ""


def _well(world: World, layer: Layer) -> Judgement:
    waiting = [one for one in world.verifying_of(layer) if one.act.reason.gating]
    if waiting:
        return Judgement(State.VERIFYING, f"{waiting[0].act.remedy} helped; making sure")
    return _OK


def _ill(world: World, layer: Layer, view: View, now: float, policy: Policy) -> Judgement:
    holds = [hold_on(world, layer, now, one.finding.target) for one in view.gating]
    held = next((one for one in holds if one is not None), None)
    if held is not None and None not in holds:
        return Judgement(State.GAVE_UP if held.until is None else State.HELD, held.detail)
    free = [one for one, hold in zip(view.gating, holds, strict=True) if hold is None]
    evidence = free[0].finding.evidence
    pause = paused(world, layer, now)
    if pause:
        return Judgement(State.PAUSED, pause)
    if _in_grace(world, view, now, policy):
        return Judgement(State.GRACE, f"{evidence}; expected so soon after a start")
    if not any(confirmed(world, trouble, now, policy) for trouble in free):
        return Judgement(State.SUSPECT, evidence)
    return Judgement(State.FAILING, evidence)


def _in_grace(world: World, view: View, now: float, policy: Policy) -> bool:
    if now < world.grace_until and not policy.one_pass:
        return True
    return all(_expected(world, one, now, policy) for one in view.gating)
