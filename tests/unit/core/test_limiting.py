"""Each limit at its edge: how often, how soon again, and which rung is next."""

import hashlib
from dataclasses import replace
from types import MappingProxyType

import pytest

from healer.core.facts import Outcome, Rule
from healer.core.ladders import Backoff, Budget, Ladder, Limits, Remedy, Rung
from healer.core.ledger import Attempt, Hold, Ledger
from healer.core.limiting import (
    Limit,
    failures_in_run,
    limit_on,
    rungs_left,
    wait_after,
)
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.unit.core.worlds import NOW, POLICY, act_of, tried

UNTAINT = act_of(Remedy.UNTAINT, Reason.NODE_TAINTED)
UNCORDON = act_of(Remedy.UNCORDON, Reason.NODE_CORDONED)
GENTLE = Rung(Remedy.UNTAINT, 2)
STRONG = Rung(Remedy.UNCORDON, 1)
LADDER = Ladder(rungs=(GENTLE, STRONG))


def policy_of(limits: Limits, **changes: object) -> Policy:
    """A policy with these limits for the untaint."""
    table = MappingProxyType({**POLICY.limits, Remedy.UNTAINT: limits})
    return replace(POLICY, limits=table, **changes)  # type: ignore[arg-type]


def failed(at: float, number: int = 1) -> Attempt:
    """An untaint that did not help."""
    return tried(replace(UNTAINT, id=f"old-{number}"), at, verified=False)


def limit(ledger: Ledger, policy: Policy = POLICY, target: str = "") -> Limit | None:
    """The limit on an untaint now."""
    return limit_on(ledger, Remedy.UNTAINT, target, NOW, policy)


@pytest.mark.parametrize(
    ("failures", "rungs"),
    [(0, (GENTLE, STRONG)), (1, (GENTLE, STRONG)), (2, (STRONG,)), (3, ()), (4, ())],
)
def test_a_rung_is_left_when_its_tries_are_over(failures: int, rungs: tuple[Rung, ...]) -> None:
    """The gentle one twice, the strong one once, and then nothing."""
    ledger = Ledger(attempts=tuple(failed(100.0 * n, n) for n in range(1, failures + 1)))

    assert rungs == rungs_left(ledger, Reason.NODE_TAINTED, "", LADDER)


def test_the_failures_of_each_rung_count_for_the_next() -> None:
    """Two tries each: after three failures the second rung has one left."""
    ladder = Ladder(rungs=(GENTLE, replace(STRONG, tries=2)))
    ledger = Ledger(attempts=tuple(failed(100.0 * n, n) for n in range(1, 4)))

    assert ladder.rungs[1:] == rungs_left(ledger, Reason.NODE_TAINTED, "", ladder)


@pytest.mark.parametrize(
    "other",
    [
        tried(replace(UNTAINT, target="x"), 100.0, verified=False),
        tried(replace(UNTAINT, reason=Reason.NODE_CORDONED), 100.0, verified=False),
        tried(UNTAINT, 100.0, Outcome.NOT_NEEDED, verified=False),
        tried(UNTAINT, 100.0, verified=None),
    ],
)
def test_only_failures_of_this_very_trouble_count(other: Attempt) -> None:
    """Neither another target's nor another reason's, nor what nobody judged."""
    mine = failed(200.0, 2)
    ledger = Ledger(attempts=(replace(other, act=replace(other.act, id="else")), mine))

    assert (mine,) == failures_in_run(ledger, Reason.NODE_TAINTED, "")


def test_a_success_begins_the_ladder_anew() -> None:
    """What failed before it is forgiven, what failed after it is not."""
    healed = tried(replace(UNTAINT, id="old-2"), 200.0, verified=True)
    ledger = Ledger(attempts=(failed(100.0, 1), healed, failed(300.0, 3), failed(400.0, 4)))

    assert (failed(300.0, 3), failed(400.0, 4)) == failures_in_run(ledger, Reason.NODE_TAINTED, "")


@pytest.mark.parametrize(
    ("ledger", "since"),
    [
        (Ledger(holds=(Hold(Layer.NODE, Reason.NODE_TAINTED, 100.0, ""),)), 100.0),
        (Ledger(holds=(Hold(Layer.NODE, Reason.NODE_CORDONED, 100.0, ""),)), 100.0),
        (Ledger(holds=(Hold(Layer.TALOS, Reason.TALOS_STOPPED, 100.0, ""),)), None),
        (Ledger(holds=(Hold(Layer.NODE, Reason.NODE_TAINTED, None, ""),)), None),
        (Ledger(rearmed=((Layer.NODE, 100.0),)), 100.0),
        (Ledger(rearmed=((Layer.NODE, 150.0), (Layer.NODE, 50.0))), 150.0),
        (Ledger(rearmed=((Layer.TALOS, 100.0),)), None),
    ],
)
def test_a_hold_and_a_lasting_recovery_begin_the_ladder_anew(
    ledger: Ledger, since: float | None
) -> None:
    """From their moment on, and on their own layer."""
    at = (100.0, 150.0, 150.5)
    attempts = tuple(failed(one, number) for number, one in enumerate(at))
    kept = tuple(one for one in attempts if since is None or one.at > since)

    assert kept == failures_in_run(replace(ledger, attempts=attempts), Reason.NODE_TAINTED, "")


FREE = Limits(Budget(99, 1.0))


@pytest.mark.parametrize(
    ("verified", "disabled"),
    [
        ([False] * 5, True),
        ([False] * 4, False),
        ([True, False, False, False, False, False], True),
        ([False, True, False, False, False, False], False),
        ([False, False, False, False, None, False], True),
        ([False, False, False, None, False], False),
    ],
)
def test_five_failures_in_a_row_disable_a_remedy(
    verified: list[bool | None], *, disabled: bool
) -> None:
    """R46: what nobody judged counts neither way, and time alone does not lift it."""
    attempts = tuple(
        tried(replace(UNTAINT, id=f"old-{n}"), 10.0 * n, verified=one)
        for n, one in enumerate(verified)
    )
    said = Limit(Rule.DISABLED, "its last 5 runs did not help", None)

    assert (said if disabled else None) == limit(Ledger(attempts=attempts), policy_of(FREE))


@pytest.mark.parametrize(
    ("others", "disabled"),
    [
        (tried(replace(UNTAINT, target="x", id="x"), 5.0, verified=False), True),
        (tried(replace(UNCORDON, id="x"), 5.0, verified=False), False),
        (tried(replace(UNTAINT, id="x"), 5.0, Outcome.NOT_NEEDED, verified=False), False),
    ],
)
def test_a_remedy_is_disabled_wherever_it_failed(others: Attempt, *, disabled: bool) -> None:
    """On whatever target; but no other remedy's failures count, nor free runs."""
    attempts = (others, *(failed(10.0 * n, n) for n in range(1, 5)))
    said = Limit(Rule.DISABLED, "its last 5 runs did not help", None)

    assert (said if disabled else None) == limit(Ledger(attempts=attempts), policy_of(FREE))


@pytest.mark.parametrize(("rearmed", "disabled"), [(10.0, False), (9.0, True)])
def test_a_lasting_recovery_enables_a_remedy(rearmed: float, *, disabled: bool) -> None:
    """What failed before it, or at that moment, is forgiven."""
    attempts = tuple(failed(10.0 * n, n) for n in range(1, 6))
    ledger = Ledger(attempts=attempts, rearmed=((Layer.NODE, rearmed),))
    said = Limit(Rule.DISABLED, "its last 5 runs did not help", None)

    assert (said if disabled else None) == limit(ledger, policy_of(FREE))


THRICE = Limits(Budget(3, 600.0))


def ran(*at: float) -> tuple[Attempt, ...]:
    """Runs that helped."""
    return tuple(
        tried(replace(UNTAINT, id=f"old-{n}"), one, verified=True) for n, one in enumerate(at)
    )


@pytest.mark.parametrize(
    ("attempts", "until"),
    [
        (ran(NOW - 500.0, NOW - 300.0), None),
        (ran(NOW - 500.0, NOW - 300.0, NOW - 100.0), NOW + 100.0),
        (ran(NOW - 600.0, NOW - 300.0, NOW - 100.0), None),
        (ran(NOW - 599.0, NOW - 300.0, NOW - 100.0), NOW + 1.0),
        (ran(NOW - 100.0, NOW - 500.0, NOW - 300.0), NOW + 100.0),
        (ran(NOW - 200.0, NOW - 100.0, NOW + 9000.0), NOW + 400.0),
        (ran(NOW + 7.0, NOW + 8.0, NOW + 9.0), NOW + 600.0),
    ],
)
def test_a_budget_opens_when_its_oldest_run_leaves_the_window(
    attempts: tuple[Attempt, ...], until: float | None
) -> None:
    """I4: a stamp from the future counts as now, so it can only delay."""
    said = None if until is None else Limit(Rule.BUDGET, "3 runs within 600 s; 3 allowed", until)

    assert said == limit(Ledger(attempts=attempts), policy_of(THRICE))


def test_an_overdrawn_budget_waits_until_it_is_no_longer_so() -> None:
    """Five runs where three are allowed: two must leave the window and one more."""
    attempts = ran(*(NOW - 100.0 * n for n in range(5, 0, -1)))

    assert Limit(Rule.BUDGET, "5 runs within 600 s; 3 allowed", NOW + 300.0) == limit(
        Ledger(attempts=attempts), policy_of(THRICE)
    )


@pytest.mark.parametrize(
    ("third", "counted"),
    [
        (tried(replace(UNTAINT, id="x", target="other"), NOW - 1.0), True),
        (tried(replace(UNCORDON, id="x"), NOW - 1.0), False),
        (tried(replace(UNTAINT, id="x"), NOW - 1.0, Outcome.NOT_NEEDED), False),
    ],
)
def test_a_budget_is_the_remedys_on_all_targets(third: Attempt, *, counted: bool) -> None:
    """But no other remedy uses it up."""
    ledger = Ledger(attempts=(*ran(NOW - 3.0, NOW - 2.0), third))
    found = limit(ledger, policy_of(THRICE), target="mine")

    assert (Rule.BUDGET if counted else None) == (None if found is None else found.rule)


def test_remedies_that_share_a_budget_use_it_up_together() -> None:
    """Design §10: all starts of the VM count as starts."""
    shared = replace(THRICE, counts_with=frozenset({Remedy.UNTAINT, Remedy.UNCORDON}))
    ledger = Ledger(
        attempts=(*ran(NOW - 3.0, NOW - 2.0), tried(replace(UNCORDON, id="x"), NOW - 1.0))
    )
    found = limit(ledger, policy_of(shared))

    assert found is not None
    assert Rule.BUDGET is found.rule


@pytest.mark.parametrize(("count", "limited"), [(2, True), (3, False)])
def test_all_remedies_together_have_a_budget(count: int, *, limited: bool) -> None:
    """Design §4.3: whatever was done, on whatever layer; free runs are free."""
    policy = policy_of(FREE, total=Budget(count, 60.0))
    attempts = (
        tried(UNCORDON, NOW - 20.0),
        tried(replace(UNCORDON, id="x"), NOW - 10.0),
        tried(replace(UNCORDON, id="y"), NOW - 1.0, Outcome.NOT_NEEDED),
    )
    said = Limit(Rule.TOTAL_BUDGET, "2 runs within 60 s; 2 allowed", NOW + 40.0)

    assert (said if limited else None) == limit(Ledger(attempts=attempts), policy)


@pytest.mark.parametrize(
    ("at", "target", "until"),
    [
        ((NOW - 99.0,), "", NOW + 1.0),
        ((NOW - 100.0,), "", None),
        ((NOW - 900.0, NOW - 99.0), "", NOW + 1.0),
        ((NOW - 99.0,), "other", None),
        ((NOW + 50.0,), "", NOW + 100.0),
        ((), "", None),
    ],
)
def test_a_cooldown_lies_between_two_runs_on_a_target(
    at: tuple[float, ...], target: str, until: float | None
) -> None:
    """R43: from the stamp of the last one; a stamp from the future counts as now."""
    policy = policy_of(replace(FREE, cooldown=100.0))
    said = None if until is None else Limit(Rule.COOLDOWN, "100 s lie between two runs", until)

    assert said == limit(Ledger(attempts=ran(*at)), policy, target)


def test_a_cooldown_of_a_second_is_one() -> None:
    """Only none at all is none."""
    policy = policy_of(replace(FREE, cooldown=1.0))

    assert Limit(Rule.COOLDOWN, "1 s lie between two runs", NOW + 0.5) == limit(
        Ledger(attempts=ran(NOW - 0.5)), policy
    )
    assert None is limit(Ledger(attempts=ran(NOW + 9.0)), policy_of(FREE))


BACKOFF = Backoff(30.0, 600.0)
SLOW = policy_of(replace(FREE, backoff=BACKOFF))


def fraction(seed: int, act_id: str) -> float:
    """The jitter of design §4.4, reckoned once more."""
    digest = hashlib.blake2b(f"{seed}/{act_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


@pytest.mark.parametrize(
    ("failures", "ceiling"), [(1, 30.0), (2, 60.0), (3, 120.0), (5, 480.0), (6, 600.0), (99, 600.0)]
)
def test_the_wait_doubles_up_to_its_cap(failures: int, ceiling: float) -> None:
    """Full jitter: a fraction of the ceiling, by the seed and the act (I17)."""
    assert ceiling * fraction(7, "old-3") == wait_after(failures, BACKOFF, "old-3", 7)


def test_the_wait_never_overflows() -> None:
    """After a thousand failures it still is a number; and doubles up to the thirty-third."""
    endless = Backoff(1.0, float("inf"))

    assert 2.0**32 * fraction(0, "x") == wait_after(33, endless, "x", 0)
    assert 2.0**32 * fraction(0, "x") == wait_after(5000, endless, "x", 0)


def failing(*ends: float | None) -> tuple[Attempt, ...]:
    """Runs that did not help, begun a second before they ended; without an end: now."""
    return tuple(
        tried(replace(UNTAINT, id=f"old-{n}"), (NOW if end is None else end) - 1.0, ended=end)
        for n, end in enumerate(ends)
    )


@pytest.mark.parametrize(
    ("attempts", "row"),
    [
        (failing(NOW - 0.125), 1),
        (failing(NOW - 9000.0, NOW - 0.125), 2),
        (failing(NOW - 9000.0, NOW - 8000.0, NOW - 0.125), 3),
        ((*ran(NOW - 9000.0), *failing(NOW - 9000.0, NOW - 0.125)[1:]), 1),
        ((*ran(NOW - 600.0), *failing(NOW - 9000.0, NOW + 1.0)[1:]), 2),
        ((*ran(NOW - 601.0), *failing(NOW - 9000.0, NOW + 1.0)[1:]), 1),
        ((*ran(NOW - 9000.0, NOW - 0.125),), 1),
        ((*failing(NOW - 9000.0), *ran(NOW - 8000.0), *failing(NOW, NOW, NOW)[2:]), 1),
    ],
)
def test_backoff_counts_runs_in_a_row(attempts: tuple[Attempt, ...], row: int) -> None:
    """Only a recovery that lasted longer than the stable window begins it anew."""
    last = attempts[-1]
    ended = min(last.ended or NOW, NOW)
    until = ended + wait_after(row, BACKOFF, last.act.id, SLOW.seed)
    said = Limit(Rule.BACKOFF, f"backing off after {row} runs", until)

    assert said == limit(Ledger(attempts=attempts), SLOW)


def test_backoff_is_measured_from_the_end_of_the_last_run() -> None:
    """To the moment; a run without an end counts from its stamp."""
    wait = wait_after(1, BACKOFF, "old-1", 0)
    over = tried(UNTAINT, NOW - 900.0, ended=NOW - wait)
    nearly = tried(UNTAINT, NOW - 900.0, ended=NOW - wait + 0.25)
    endless = replace(nearly, at=NOW - wait + 0.25, ended=None)
    said = Limit(Rule.BACKOFF, "backing off after 1 runs", NOW - wait + 0.25 + wait)

    assert None is limit(Ledger(attempts=(over,)), SLOW)
    assert said == limit(Ledger(attempts=(nearly,)), SLOW)
    assert said == limit(Ledger(attempts=(endless,)), SLOW)


def test_a_run_that_still_goes_on_is_no_failure() -> None:
    """It has no outcome yet."""
    assert None is limit(Ledger(attempts=(tried(UNTAINT, NOW - 1.0, None),)), SLOW)


def test_a_run_without_an_outcome_ends_no_row() -> None:
    """What stands behind it is counted too."""
    first, second = failing(NOW - 9000.0, NOW - 0.125)
    going_on = tried(replace(UNTAINT, id="old-x"), NOW - 5000.0, None)
    found = limit(Ledger(attempts=(first, going_on, second)), SLOW)

    assert found is not None
    assert "backing off after 2 runs" == found.detail


def test_a_recovery_lasts_from_the_end_of_its_run() -> None:
    """A start of ten minutes that held for seven was not stable."""
    long_one = tried(UNTAINT, NOW - 1100.0, ended=NOW - 500.0, verified=True)
    again = tried(replace(UNTAINT, id="old-2"), NOW - 80.0, ended=NOW - 0.125)
    found = limit(Ledger(attempts=(long_one, again)), SLOW)

    assert found is not None
    assert "backing off after 2 runs" == found.detail


@pytest.mark.parametrize(("target", "row"), [("x", 1), ("y", 0), ("", 0)])
def test_backoff_counts_by_target(target: str, row: int) -> None:
    """A failure on one target delays no other."""
    (run,) = failing(NOW - 0.125)
    ledger = Ledger(attempts=(replace(run, act=replace(run.act, target="x")),))
    found = limit(ledger, SLOW, target)

    assert [f"backing off after {row} runs"] * row == [one.detail for one in [found] if one]


def test_backoff_uses_the_seed_of_its_run() -> None:
    """Two towers with two seeds do not start in step."""
    seeded = replace(SLOW, seed=7)
    attempts = failing(NOW - 0.125)
    until = NOW - 0.125 + wait_after(1, BACKOFF, "old-0", 7)

    assert Limit(Rule.BACKOFF, "backing off after 1 runs", until) == limit(
        Ledger(attempts=attempts), seeded
    )
