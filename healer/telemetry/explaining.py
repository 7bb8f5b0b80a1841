"""Why a layer is as it is, and what follows: for a look of one's own, and for a daemon's world."""

from collections.abc import Iterator, Sequence

from healer.core.facts import Act, Refused
from healer.core.judging import hold_on, judge
from healer.core.policy import Policy
from healer.core.tower import Layer, above, below
from healer.core.world import World
from healer.telemetry.foresight import Coming, coming
from healer.telemetry.spelling import duration
from healer.telemetry.words import WHAT_IT_DOES, doing


def seen_of(layer: Layer, world: World, now: float, policy: Policy) -> Iterator[str]:
    """Its state and why, what it stands on, what stands on it, and what was seen there."""
    judged = judge(world, now, policy)
    own = judged[layer]
    yield f"{layer} is {own.state}" + (f": {own.why}" if own.why else "")
    stands = ", ".join(f"{one} {judged[one].state}" for one in below(layer)) or "nothing"
    yield f"it stands on: {stands}"
    carried = ", ".join(f"{one} {judged[one].state}" for one in above(layer)) or "nothing"
    yield f"on it stand: {carried}"
    observation = world.observation(layer)
    for finding in () if observation is None else observation.findings:
        kind = "makes it ill" if finding.reason.gating else "is only reported"
        yield f"seen: {finding.reason.word} ({kind}): {finding.evidence}"


def next_of_a_look(acts: Sequence[Act], refused: Sequence[Refused], now: float) -> Iterator[str]:
    """What a rehearsal has decided, for somebody who may have it done."""
    for one in refused:
        yield f"refused: {_put_off(one, now)}"
    for act in acts:
        yield f"next: `healer --once` would {doing(act)}"
    if not acts and not refused:
        yield "next: nothing"


def told_by_a_daemon(layer: Layer, world: World, now: float, policy: Policy) -> Iterator[str]:
    """Everything that a running daemon knows of the layer."""
    yield from seen_of(layer, world, now, policy)
    since = world.since.get(layer)
    if since is not None:
        yield f"it has been so for {duration(now - since)}"
    hold = hold_on(world, layer, now)
    if hold is not None:
        until = "for good" if hold.until is None else f"for {duration(hold.until - now)} more"
        yield f"held {until}: {hold.detail} (`healer reset {layer}` lets it be tried again)"
    under_way = [one for one in world.acting if one.layer is layer]
    for act in under_way:
        yield f"under way: {doing(act)} (because: {act.evidence})"
    for proof in world.verifying_of(layer):
        yield f"being verified: {doing(proof.act)}"
    follows = [one for one in coming(world, now, policy) if one.layer is layer]
    for one in follows:
        yield f"refused so far: {_put_off(one, now)}"
    if not follows and not under_way:
        yield "next: nothing"


def _put_off(one: Refused | Coming, now: float) -> str:
    later = f", at the earliest in {duration(max(0.0, one.until - now))}" if one.until else ""
    target = f" {one.target.partition('@')[0]}" if one.target else ""
    return f"{WHAT_IT_DOES[one.remedy]}{target}: {one.rule} ({one.detail}{later})"
