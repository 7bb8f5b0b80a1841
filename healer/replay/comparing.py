"""What another policy would have decided on the same facts, as far as anybody can know.

The facts stay those of the past, in which the recorded acts had their effect. So the first
divergence is certain; what follows it is told under that reserve. An act that both decided ends
when the recorded one ended; one that only the other policy decided ends by its cap.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from healer.core.facts import (
    Act,
    Decision,
    Fact,
    Finished,
    NotVerified,
    Outcome,
    Ticked,
    Verified,
)
from healer.core.machine import step
from healer.core.policy import Policy
from healer.core.world import World
from healer.replay.records import Taken
from healer.replay.running import Segment, joins, steps_of

_MARGIN: Final = 30.0
"""Seconds past its cap after which the engine ends an act (engine/performing)."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fork:
    """One step under both policies, with what only one of them decided."""

    step: int
    """Its place among all steps."""
    wall: float
    now: float
    both: tuple[Decision, ...]
    kept: tuple[Decision, ...]
    """Decided then, and not by the other policy."""
    other: tuple[Decision, ...]
    """Decided by the other policy alone."""


@dataclass(frozen=True, slots=True)
class Compared:
    """All steps at which either decided something."""

    forks: tuple[Fork, ...]

    @property
    def first(self) -> Fork | None:
        """The first at which they part."""
        return next((one for one in self.forks if one.kept or one.other), None)

    def acts(self) -> tuple[tuple[Act, ...], tuple[Act, ...]]:
        """Acts of the past that the other policy leaves out, and those that it adds."""
        kept = [act for one in self.forks for act in _acts((*one.both, *one.kept))]
        other = [act for one in self.forks for act in _acts((*one.both, *one.other))]
        return tuple(_beyond(kept, other)), tuple(_beyond(other, kept))


def _acts(decisions: Sequence[Decision]) -> Iterator[Act]:
    return (one for one in decisions if isinstance(one, Act))


def _beyond(these: Sequence[Act], those: Sequence[Act]) -> Iterator[Act]:
    """Each act of these that has no like among those, one for one."""
    left = [key_of(one) for one in those]
    for act in these:
        if key_of(act) in left:
            left.remove(key_of(act))
        else:
            yield act


def compare(segments: Sequence[Segment], otherwise: Callable[[Policy], Policy]) -> Compared:
    """Run the facts under the other policy; `otherwise` makes it from the one in force then."""
    forks: list[Fork] = []
    before, world, number = None, World(), 0
    for one in segments:
        if before is None or not joins(before, one):
            world = one.beginning.world(otherwise(one.beginning.policy))
        policies: dict[int, Policy] = {}
        for wall, taken in steps_of(one):
            policy = policies.setdefault(id(taken.policy), otherwise(taken.policy))
            world, decided = _otherwise(world, taken, policy)
            if taken.decisions or decided:
                forks.append(_fork(number, wall, taken, decided))
            number += 1
        before = one
    return Compared(tuple(forks))


def _otherwise(world: World, taken: Taken, policy: Policy) -> tuple[World, tuple[Decision, ...]]:
    said: list[Decision] = []
    for fact in _facts(world, taken, policy):
        came = step(world, fact, taken.now, policy)
        world = came.world
        said += came.decisions
    return world, tuple(said)


def _facts(world: World, taken: Taken, policy: Policy) -> Iterator[Fact]:
    """The recorded fact as it would have been told, after acts that would have timed out."""
    endless = _endless(world, taken.now, policy)
    for act in endless:
        yield Finished(act, Outcome.TIMED_OUT, "nobody knows what it would have done")
    fact = taken.fact
    if not isinstance(fact, Finished):
        yield fact
        return
    alike = (one for one in world.acting if key_of(one) == key_of(fact.act))
    like = next((one for one in alike if one not in endless), None)
    yield Ticked() if like is None else replace(fact, act=like)


def _endless(world: World, now: float, policy: Policy) -> list[Act]:
    begun = {one.act.id: one.at for one in world.ledger.attempts}
    return [
        one
        for one in world.acting
        if now - begun.get(one.id, now) >= policy.limits[one.remedy].cap + _MARGIN
    ]


def _fork(number: int, wall: float, taken: Taken, decided: tuple[Decision, ...]) -> Fork:
    kept, other = {key_of(one) for one in taken.decisions}, {key_of(one) for one in decided}
    return Fork(
        number,
        wall,
        taken.now,
        tuple(one for one in taken.decisions if key_of(one) in other),
        tuple(one for one in taken.decisions if key_of(one) not in other),
        tuple(one for one in decided if key_of(one) not in kept),
    )


_NAMES: Final = ("layer", "remedy", "reason", "target", "rule", "was", "now")


def key_of(one: Decision) -> Key:
    """What makes two decisions the same: neither numbers, nor times, nor the words of a detail."""
    about = one.act if isinstance(one, Verified | NotVerified) else one
    return (type(one).__name__, *(str(getattr(about, name, "")) for name in _NAMES))
