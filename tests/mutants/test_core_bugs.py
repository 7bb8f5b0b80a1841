"""Every promise is seen to fail: the explorer catches a bug against each, and passes without.

A check that has never failed proves nothing. Each bug of `core_bugs` is played on the same few
seeds with and without itself, over the pure core and the tower of few bits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healer.promises.table import PROMISES, broken
from tests.explore.small.faults import Schedule, schedule_of
from tests.explore.small.run import play, policy_of_life
from tests.mutants.core_bugs import BUGS, Bug

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healer.core.policy import Policy
    from healer.promises.history import History

SEEDS = range(8)
"""What else befalls the tower meanwhile; few enough for CI, more than a bug needs."""


def played(bug: Bug) -> Iterator[History]:
    """What comes of the bug's own events, alone and amid those of each seed."""
    changes: dict[str, Any] = dict(bug.policy)

    def policy_of(life: int) -> Policy:
        return replace(policy_of_life(life), **changes)

    for schedule in (Schedule(0, (), lost=0.0, flaky=0.0), *map(schedule_of, SEEDS)):
        events = sorted((*schedule.events, *bug.events), key=lambda one: one.at)
        yield play(replace(schedule, events=tuple(events)), policy_of)


def test_there_is_a_bug_for_each_promise() -> None:
    """A new promise cannot come in without a bug that it catches."""
    assert set(PROMISES) == {bug.promise for bug in BUGS}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.promise}: {bug.what}")
def test_a_bug_breaks_its_promise(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    """The predicate of the promise sees it, and says where."""
    for name, instead in bug.patches.items():
        monkeypatch.setattr(name, instead)
    promise = PROMISES[bug.promise]
    found = next((one for history in played(bug) for one in promise.check(history)), None)

    assert found is not None
    assert bug.promise == found.promise


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.promise}: {bug.what}")
def test_without_the_bug_every_promise_is_kept(bug: Bug) -> None:
    """On the same schedules."""
    assert [] == [one for history in played(bug) for one in broken(history)]
