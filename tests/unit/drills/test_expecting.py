"""Expectations: each key of a scenario is seen to fail, and to hold."""

from dataclasses import replace

import pytest

from healer.core.facts import Rule
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.drills.expecting import missed
from healer.drills.playing import Played, run
from healer.drills.scenario import Expect, Happens, Scenario

ACTS = (
    frozenset({Remedy.START_CONTAINER}),
    frozenset({Remedy.UNTAINT, Remedy.DELETE_FLANNEL_POD}),
)


@pytest.fixture(scope="module", name="played")
def fixture_played() -> Played:
    """A drill that did something and got well."""
    return run(Scenario("killed", "The container dies.", (Happens(60.0, "docker_kill"),)))


def keys(played: Played, expect: Expect) -> list[str]:
    """The expectations that were missed."""
    other = replace(played, scenario=replace(played.scenario, expect=expect))
    return [one.key for one in missed(other)]


@pytest.mark.parametrize(
    "expect",
    [
        Expect(),
        Expect(acts=ACTS),
        Expect(acts=ACTS[:1], may=frozenset({Remedy.UNTAINT, Remedy.DELETE_FLANNEL_POD})),
        Expect(never=frozenset({Remedy.START_VM})),
        Expect(untouched=frozenset({Layer.COLIMA})),
        Expect(notices=()),
        Expect(well_within=60.0),
        Expect(refused=frozenset({Rule.NOT_RIPE})),
        Expect(reports=frozenset({Reason.TALOS_STOPPED})),
        Expect(ill=None, gives_up=None),
    ],
)
def test_what_came_as_expected_is_not_missed(played: Played, expect: Expect) -> None:
    """An expectation that is met says nothing."""
    assert [] == keys(played, expect)


@pytest.mark.parametrize(
    ("key", "expect"),
    [
        ("acts", Expect(acts=())),
        ("acts", Expect(acts=ACTS[:1])),
        ("acts", Expect(acts=ACTS[::-1])),
        ("acts", Expect(acts=(*ACTS, frozenset({Remedy.UNTAINT})))),
        ("never", Expect(never=frozenset({Remedy.UNTAINT}))),
        ("untouched", Expect(untouched=frozenset({Layer.NODE}))),
        ("incidents", Expect(incidents=7)),
        ("notices", Expect(notices=("opened",))),
        ("reports", Expect(reports=frozenset({Reason.DISK_FULL}))),
        ("refused", Expect(refused=frozenset({Rule.PAUSED}))),
        ("gives_up", Expect(gives_up=frozenset({Layer.COLIMA}))),
        ("well_within", Expect(well_within=1.0)),
        ("ill", Expect(ill=True)),
    ],
)
def test_what_did_not_come_is_missed(played: Played, key: str, expect: Expect) -> None:
    """Each key fails alone, by its own name."""
    assert [key] == keys(played, expect)


def test_giving_up_unexpectedly_is_missed() -> None:
    """A layer that is held needs a human, so nobody may overlook it."""
    played = run(Scenario("locked", "x", (Happens(60.0, "disk_lock"),), Expect(ill=True)))

    assert ["gives_up"] == keys(played, Expect(ill=True))
