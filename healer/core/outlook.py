"""What is still awaited, and what the exit code would be now."""

from dataclasses import dataclass

from healer.core.facts import Act, Rule, State
from healer.core.incidents import resolving
from healer.core.judging import Judgements, judge
from healer.core.policy import Policy
from healer.core.tower import LAYERS, Layer
from healer.core.world import Verification, World

HEALTHY, UNHEALTHY, UNKNOWN, HELD = 0, 1, 3, 4
"""Exit codes of design §5 that speak of the tower."""

_QUIET_AFTER_ACT = 180.0
_QUIET_AFTER_START = 300.0
_QUIET_ELSE = 20.0
_ENDED = frozenset({State.OK, State.UNKNOWN, State.HELD, State.GAVE_UP, State.PAUSED})
_COMES_BY_ITSELF = frozenset({State.SUSPECT, State.GRACE, State.HEALING, State.VERIFYING})


@dataclass(frozen=True, slots=True)
class Awaited:
    """One thing that a pass waits for."""

    layer: Layer
    what: str
    until: float | None
    """When the waiting ends at the latest, as far as that is known."""


def awaited(world: World, now: float, policy: Policy) -> tuple[Awaited, ...]:
    """Everything that may still change the picture; () when the pass is over."""
    judged = judge(world, now, policy)
    return (
        *unseen(world),
        *_under_way(world, now, policy),
        *_refused_for_a_while(world),
        *_coming_by_itself(world, judged, now, policy),
        *_blind_so_far(world, judged, now),
        *_about_to_be_resolved(world, judged, now),
    )


def awaited_by_rehearsal(world: World, now: float, policy: Policy) -> tuple[Awaited, ...]:
    """What a dry run waits for: looks that confirm, but nothing that follows from an act."""
    judged = judge(world, now, policy)
    doubtful = [
        Awaited(layer, judged[layer].why, None)
        for layer in LAYERS
        if judged[layer].state is State.SUSPECT
    ]
    return (*unseen(world), *doubtful)


def exit_code(world: World, now: float, policy: Policy) -> int:
    """The first that fits: held, unhealthy, unknown, healthy (design §10)."""
    states = {one.state for one in judge(world, now, policy).values()}
    if states & {State.HELD, State.GAVE_UP}:
        return HELD
    if states - {State.OK, State.UNKNOWN, State.BLOCKED}:
        return UNHEALTHY
    return UNKNOWN if State.UNKNOWN in states else HEALTHY


def unseen(world: World) -> tuple[Awaited, ...]:
    """The layers that no probe has looked at yet."""
    return tuple(Awaited(one, "a first look", None) for one in LAYERS if one not in world.views)


def _under_way(world: World, now: float, policy: Policy) -> list[Awaited]:
    acts = [
        Awaited(
            act.layer,
            f"{act.remedy} to end",
            _began(world, act, now) + policy.limits[act.remedy].cap,
        )
        for act in world.acting
    ]
    return [*acts, *(_proof(one, policy) for one in world.verifying)]


def _began(world: World, act: Act, now: float) -> float:
    return next((one.at for one in world.ledger.attempts if one.act.id == act.id), now)


def _proof(one: Verification, policy: Policy) -> Awaited:
    """Good looks must span the window; without any, the deadline decides."""
    window = policy.limits[one.act.remedy].window
    until = one.deadline if one.good_since is None else one.good_since + window
    return Awaited(one.act.layer, f"proof that {one.act.remedy} helped", until)


def _refused_for_a_while(world: World) -> list[Awaited]:
    return [
        Awaited(one.layer, one.detail, one.until)
        for one in world.refusals.values()
        if one.until is not None or one.rule is Rule.YIELDING
        if one.rule not in {Rule.HELD, Rule.GAVE_UP}
    ]


def _coming_by_itself(
    world: World, judged: Judgements, now: float, policy: Policy
) -> list[Awaited]:
    """Layers that are ill may get well without us for a while after something started."""
    open_layers = [layer for layer in LAYERS if judged[layer].state not in _ENDED]
    sure = [one for one in open_layers if judged[one].state in _COMES_BY_ITSELF]
    quiet_until = world.last_progress + _patience(world, now, policy)
    listed = sure if now >= quiet_until or _only_held(judged) else open_layers
    return [Awaited(one, judged[one].why or judged[one].state, None) for one in listed]


def _blind_so_far(world: World, judged: Judgements, now: float) -> list[Awaited]:
    """What was asked just before its way there recovered is asked once more, not called unknown."""
    if world.recovered_at is None or now >= world.recovered_at + _QUIET_ELSE:
        return []
    blind = [layer for layer in LAYERS if judged[layer].state is State.UNKNOWN]
    until = world.recovered_at + _QUIET_ELSE
    return [Awaited(one, "another look", until) for one in blind]


def _about_to_be_resolved(world: World, judged: Judgements, now: float) -> list[Awaited]:
    ends = resolving(world, judged, now)
    return [Awaited(layer, "all to stay well", until) for layer, until in ends.items()]


def _only_held(judged: Judgements) -> bool:
    """Whether all that is ill hangs on layers that wait for a human."""
    states = {one.state for one in judged.values()}
    return bool(states & {State.HELD, State.GAVE_UP, State.PAUSED}) and State.FAILING not in states


def _patience(world: World, now: float, policy: Policy) -> float:
    started = [world.uptime(one, now) for one in (Layer.SSH, Layer.TALOS)]
    if any(one is not None and one < _QUIET_AFTER_START for one in started):
        return _QUIET_AFTER_ACT
    acted = any(one.act.id.startswith(policy.run) for one in world.ledger.attempts)
    return _QUIET_AFTER_ACT if acted else _QUIET_ELSE
