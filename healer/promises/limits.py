"""I3, I4, I7 and I11: how often, one at a time, and not while a human said no."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from healer.core.facts import Act, Outcome, WasReset
from healer.core.ladders import Remedy
from healer.core.policy import Policy
from healer.promises.history import Broken, Deed, History, Violation
from healer.promises.seeing import told

_ROUNDING = 1e-6


def never_acts_while_paused(history: History) -> Broken:
    """I3: no pause of the tower or of the layer was in force."""
    for moment, seen in told(history):
        for act in moment.acts:
            for scope, until in seen.pauses:
                in_force = until is None or moment.at < until
                if in_force and scope in {None, act.layer}:
                    yield Violation("I3", moment.at, f"{act.remedy} while {scope or 'all'} paused")


@dataclass(frozen=True, slots=True)
class Stamp:
    """An act that was really done, by the time at which it was let through."""

    at: float
    act: Act
    policy: Policy


def limits_hold_for_ever(history: History) -> Broken:
    """I4: cooldowns and budgets over all lives together; only a human's reset begins anew."""
    stamps = _stamps(history)
    yield from _cooldowns(stamps)
    yield from _budgets(stamps)


def _stamps(history: History) -> list[list[Stamp]]:
    """What was done, in stretches between resets of the whole tower or of one layer."""
    done = {deed.act.id for deed in history.deeds}
    stretches: list[list[Stamp]] = []
    current: list[Stamp] = []
    for moment in history.moments:
        if isinstance(moment.fact, WasReset):
            stretches.append(current)
            layer = moment.fact.layer
            current = [] if layer is None else [one for one in current if one.act.layer != layer]
        current += [Stamp(moment.at, act, moment.policy) for act in moment.acts if act.id in done]
    return [*stretches, current]


def _cooldowns(stretches: Iterable[Sequence[Stamp]]) -> Iterator[Violation]:
    for stretch in stretches:
        for one in {(it.act.remedy, it.act.target): None for it in stretch}:
            runs = [it for it in stretch if (it.act.remedy, it.act.target) == one]
            for earlier, later in pairwise(runs):
                cooldown = later.policy.limits[later.act.remedy].cooldown
                if later.at - earlier.at < cooldown - _ROUNDING:
                    gap = f"{later.act.remedy} {later.at - earlier.at:.1f} s after itself"
                    yield Violation("I4", later.at, f"{gap}; cooldown {cooldown:.0f} s")


def _budgets(stretches: Iterable[Sequence[Stamp]]) -> Iterator[Violation]:
    for stretch in stretches:
        for number, one in enumerate(stretch):
            before = stretch[: number + 1]
            limits = one.policy.limits[one.act.remedy]
            sharing = limits.counts_with or frozenset({one.act.remedy})
            budgets = ((sharing, limits.budget), (frozenset(Remedy), one.policy.total))
            for remedies, budget in budgets:
                count = sum(
                    it.act.remedy in remedies and one.at - it.at < budget.window for it in before
                )
                if count > budget.count:
                    what = f"{one.act.remedy}: run {count} within {budget.window:.0f} s"
                    yield Violation("I4", one.at, what)


def one_at_a_time(history: History) -> Broken:
    """I7: never two acts on one layer, nor two disruptive ones, whatever life began them."""
    policy = history.moments[0].policy if history.moments else Policy(run="")
    for number, later in enumerate(history.deeds):
        for earlier in history.deeds[:number]:
            if _overlap(earlier, later) and _exclude(earlier.act, later.act, policy):
                what = f"{later.act.remedy} while {earlier.act.remedy} went on"
                yield Violation("I7", later.began, what)


def _exclude(one: Act, other: Act, policy: Policy) -> bool:
    disruptive = all(policy.limits[act.remedy].disruptive for act in (one, other))
    return one.layer is other.layer or disruptive


def _overlap(earlier: Deed, later: Deed) -> bool:
    return earlier.ended is None or later.began < earlier.ended - _ROUNDING


def one_event_one_act(history: History) -> Broken:
    """I11: what happened once is answered once; what the outside refused was no answer."""
    done = {
        deed.act.id: deed
        for deed in history.deeds
        if deed.act.event and deed.outcome is not Outcome.FAILED
    }
    counted = Counter(deed.act.event for deed in done.values())
    for deed in done.values():
        if counted[deed.act.event] > 1:
            yield Violation("I11", deed.began, f"{deed.act.remedy} again for {deed.act.event}")
