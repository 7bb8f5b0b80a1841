"""How often: cooldowns, backoff, budgets and the position on a ladder, all from the ledger."""

import hashlib
from dataclasses import dataclass

from healer.core.facts import Rule
from healer.core.ladders import Backoff, Ladder, Limits, Remedy, Rung
from healer.core.ledger import Attempt, Ledger
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that forbids a run, and until when (None: time alone will not lift it)."""

    rule: Rule
    detail: str
    until: float | None


def rungs_left(ledger: Ledger, reason: Reason, target: str, ladder: Ladder) -> tuple[Rung, ...]:
    """The rungs that have tries left, gentlest first; () when the ladder is spent."""
    failures = len(failures_in_run(ledger, reason, target))
    for index, rung in enumerate(ladder.rungs):
        if failures < rung.tries:
            return ladder.rungs[index:]
        failures -= rung.tries
    return ()


def failures_in_run(ledger: Ledger, reason: Reason, target: str) -> tuple[Attempt, ...]:
    """Runs for this trouble without recovery since the ladder was last begun."""
    begun = _begun(ledger, reason.layer, target)
    tried = [
        one
        for one in ledger.attempts
        if one.act.reason is reason and one.act.target == target and one.counts and one.at > begun
    ]
    failed: list[Attempt] = []
    for one in tried:
        failed = [] if one.verified else [*failed, one]
    return tuple(one for one in failed if one.verified is False)


def _begun(ledger: Ledger, layer: Layer, target: str) -> float:
    """A ladder begins anew when a hold on its target ends, or its layer's recovery has lasted."""
    ends = [
        hold.until
        for hold in ledger.holds
        if hold.layer is layer and hold.covers(target) and hold.until is not None
    ]
    return max(*ends, ledger.rearmed_at(layer), float("-inf"))


def limit_on(
    ledger: Ledger, remedy: Remedy, target: str, now: float, policy: Policy
) -> Limit | None:
    """The first limit that forbids a run now, or None."""
    return (
        spent_limit(ledger, remedy, now, policy)
        or _spent_in_all(ledger, now, policy)
        or _spacing(ledger.of(remedy, target), policy.limits[remedy], now, policy)
    )


def spent_limit(ledger: Ledger, remedy: Remedy, now: float, policy: Policy) -> Limit | None:
    """The limit that makes a remedy no next rung: it never helps, or its budget is spent."""
    return _disabled(ledger, remedy, policy) or _spent(ledger, remedy, policy.limits[remedy], now)


def _disabled(ledger: Ledger, remedy: Remedy, policy: Policy) -> Limit | None:
    """A remedy that never helps is not tried again (R46)."""
    judged = [
        one
        for one in ledger.attempts
        if one.act.remedy is remedy and one.counts and one.verified is not None
        if one.at > ledger.rearmed_at(one.act.layer)
    ]
    last = judged[-policy.disable_after :]
    if len(last) < policy.disable_after or any(one.verified for one in last):
        return None
    return Limit(Rule.DISABLED, f"its last {len(last)} runs did not help", None)


def _spent(ledger: Ledger, remedy: Remedy, limits: Limits, now: float) -> Limit | None:
    sharing = limits.counts_with or frozenset({remedy})
    return _over(
        [one for one in ledger.attempts if one.act.remedy in sharing and one.counts],
        limits.budget.count,
        limits.budget.window,
        now,
        Rule.BUDGET,
    )


def _spent_in_all(ledger: Ledger, now: float, policy: Policy) -> Limit | None:
    counted = [one for one in ledger.attempts if one.counts]
    return _over(counted, policy.total.count, policy.total.window, now, Rule.TOTAL_BUDGET)


def _over(
    attempts: list[Attempt], count: int, window: float, now: float, rule: Rule
) -> Limit | None:
    """A stamp from the future (a clock set back) counts as now, so it can only delay."""
    recent = sorted(min(one.at, now) for one in attempts if one.at > now - window)
    if len(recent) < count:
        return None
    return Limit(
        rule, f"{len(recent)} runs within {window:.0f} s; {count} allowed", recent[-count] + window
    )


def _spacing(runs: tuple[Attempt, ...], limits: Limits, now: float, policy: Policy) -> Limit | None:
    """What has to lie between two runs on one target."""
    return _cooling(runs, limits, now) or _backing_off(runs, limits.backoff, now, policy)


def _cooling(runs: tuple[Attempt, ...], limits: Limits, now: float) -> Limit | None:
    """Measured from the stamp, which was written before the act (R43)."""
    if not runs or limits.cooldown <= 0:
        return None
    until = min(runs[-1].at, now) + limits.cooldown
    if until <= now:
        return None
    return Limit(Rule.COOLDOWN, f"{limits.cooldown:.0f} s lie between two runs", until)


def _backing_off(
    runs: tuple[Attempt, ...], backoff: Backoff | None, now: float, policy: Policy
) -> Limit | None:
    failures = _in_a_row(runs, policy)
    if backoff is None or not failures:
        return None
    last = runs[-1]
    ended = min(last.at if last.ended is None else last.ended, now)
    until = ended + wait_after(failures, backoff, last.act.id, policy.seed)
    if until <= now:
        return None
    return Limit(Rule.BACKOFF, f"backing off after {failures} runs", until)


def wait_after(failures: int, backoff: Backoff, act_id: str, seed: int) -> float:
    """Exponential backoff with full jitter: uniform in [0, min(cap, first * 2**(n-1))].

    The fraction is a hash of the seed and the last act's id, so it is data: the same journal
    gives the same wait (I17).
    """
    ceiling = min(backoff.cap, backoff.first * 2.0 ** min(failures - 1, 32))
    digest = hashlib.blake2b(f"{seed}/{act_id}".encode(), digest_size=8).digest()
    return ceiling * int.from_bytes(digest, "big") / 2.0**64


def _in_a_row(runs: tuple[Attempt, ...], policy: Policy) -> int:
    """Ended runs in a row without a stable window after one of them."""
    row = 0
    for index, one in enumerate(runs):
        if one.outcome is None:
            continue
        after = runs[index + 1].at if index + 1 < len(runs) else None
        ended = one.at if one.ended is None else one.ended
        lasted = after is None or after - ended > policy.stable
        row = 0 if one.verified and lasted and after is not None else row + 1
    return row
