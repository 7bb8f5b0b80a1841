"""Pairs of settings that cancel each other out (facts/peers.md §1.2, idea 15)."""

from collections.abc import Iterator

from healer.core.ladders import LIMITS, Limits
from healer.settings.policy import limits_of
from healer.settings.tree import Settings


def bad_pairs(settings: Settings, source: str) -> list[str]:
    """Every pair that would make one of the two useless, with its place and its mend."""
    return [f"{source}: {words}" for words in (*_of_once(settings), *_of_limits(settings))]


def _of_once(settings: Settings) -> Iterator[str]:
    once = settings.once
    if once.look_deadline > once.deadline:
        yield "once.look_deadline: longer than once.deadline, so a pass could end before one look"
    if once.look_every <= 0:
        yield "once.look_every: 0 would never rest; write at least 0.1s"


def _of_limits(settings: Settings) -> Iterator[str]:
    for remedy in settings.limits:
        place = f"limits.{remedy}"
        limits = limits_of(settings, remedy)
        yield from (f"{place}: {words}" for words in _of_one(limits))
        if limits.disruptive and limits.budget.count > 10 * LIMITS[remedy].budget.count:
            yield f"{place}.count: {limits.budget.count} runs of a disruptive remedy is no limit"


def _of_one(limits: Limits) -> Iterator[str]:
    budget = limits.budget
    if budget.count < 1:
        yield "count: must be at least 1; `healer pause` is the way to stop a remedy"
    if limits.cooldown * (budget.count - 1) > budget.window:
        yield (
            f"cooldown: {limits.cooldown:.0f} s between runs never lets {budget.count} runs "
            f"happen within {budget.window:.0f} s; lower one of them"
        )
    if limits.backoff is None:
        return
    if limits.backoff.first > limits.backoff.cap:
        yield "backoff_first: greater than backoff_cap"
    if limits.backoff.cap > budget.window:
        yield (
            f"backoff_cap: {limits.backoff.cap:.0f} s is longer than the budget's window of "
            f"{budget.window:.0f} s, so the budget could never be spent; lower it"
        )
