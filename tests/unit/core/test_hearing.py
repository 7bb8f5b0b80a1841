"""How a look becomes part of the world: troubles, signs, rivals and boots."""

from dataclasses import replace

import pytest

from healer.core.facts import State
from healer.core.hearing import after_hearing
from healer.core.ledger import Ledger
from healer.core.observation import (
    Component,
    Finding,
    ForeignOperation,
    Observation,
    Sign,
)
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Foreign, SeenSign, Trouble, View, World
from tests.unit.core.worlds import NOW, POLICY

TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
KEY = (Reason.NODE_TAINTED, "")
LATER = NOW + 5.0
FOLLOWED = Trouble(TAINTED, NOW - 9.0, NOW - 4.0, NOW, 3)
BEFORE = World(views={Layer.NODE: View(Observation(Layer.NODE, (TAINTED,)), NOW, {KEY: FOLLOWED})})


def hear(world: World, heard: Observation, now: float = LATER) -> World:
    """The world after one look."""
    return after_hearing(world, heard, now, POLICY)


def test_a_first_bad_look_begins_a_trouble() -> None:
    """Seen once, since now."""
    heard = Observation(Layer.NODE, (TAINTED,))

    assert (
        View(heard, LATER, {KEY: Trouble(TAINTED, LATER, LATER, LATER, 1)})
        == (hear(World(), heard).views[Layer.NODE])
    )


def test_a_second_bad_look_follows_it() -> None:
    """Its beginning stays; its newest words, its last look and its count go on."""
    worse = replace(TAINTED, evidence="still tainted")
    heard = Observation(Layer.NODE, (worse,))

    assert {KEY: Trouble(worse, NOW - 9.0, NOW - 4.0, LATER, 4)} == (
        hear(BEFORE, heard).views[Layer.NODE].troubles
    )


@pytest.mark.parametrize(
    ("state", "samples", "counted_since"),
    [
        (State.BLOCKED, 0, LATER),
        (State.SUSPECT, 0, NOW - 3.0),
        (State.SUSPECT, 3, NOW - 4.0),
        (State.BLOCKED, 3, NOW - 4.0),
        (None, 0, LATER),
    ],
)
def test_what_was_doubted_counts_since_its_layer_could_be_judged(
    state: State | None, samples: int, counted_since: float
) -> None:
    """I2: looks while it was blocked are no evidence; what is counted already goes on."""
    doubted = replace(FOLLOWED, samples=samples)
    view = replace(BEFORE.views[Layer.NODE], troubles={KEY: doubted})
    shown = {} if state is None else {Layer.NODE: state}
    since = {} if state is None else {Layer.NODE: NOW - 3.0}
    world = World(views={Layer.NODE: view}, states=shown, since=since)
    after = hear(world, Observation(Layer.NODE, (TAINTED,)))

    assert {KEY: Trouble(TAINTED, NOW - 9.0, counted_since, LATER, samples + 1)} == (
        after.views[Layer.NODE].troubles
    )


def test_troubles_stand_in_the_order_in_which_they_are_answered() -> None:
    """Whatever the order in which they were seen."""
    cordoned = Finding(Reason.NODE_CORDONED, "cordoned")
    after = hear(World(), Observation(Layer.NODE, (TAINTED, cordoned)))

    assert [cordoned, TAINTED] == [one.finding for one in after.views[Layer.NODE].ordered]


def test_a_new_fingerprint_is_a_new_trouble() -> None:
    """Its confirmation begins anew."""
    anew = replace(TAINTED, fingerprint="2")
    heard = Observation(Layer.NODE, (anew,))

    assert {KEY: Trouble(anew, LATER, LATER, LATER, 1)} == (
        hear(BEFORE, heard).views[Layer.NODE].troubles
    )


def test_another_target_is_another_trouble() -> None:
    """Each is followed by itself."""
    other = replace(TAINTED, target="other")
    troubles = hear(BEFORE, Observation(Layer.NODE, (TAINTED, other))).views[Layer.NODE].troubles

    assert [4, 1] == [one.samples for one in troubles.values()]


@pytest.mark.parametrize(
    ("heard", "followed"),
    [
        (Observation(Layer.NODE), False),
        (Observation(Layer.NODE, unknown="no answer"), False),
        (Observation(Layer.NODE, (TAINTED,), unknown="half an answer"), True),
    ],
)
def test_what_is_not_seen_is_not_followed(heard: Observation, *, followed: bool) -> None:
    """I1: a look that saw nothing confirms nothing; a look that saw half counts for what it saw."""
    view = hear(BEFORE, heard).views[Layer.NODE]

    assert (heard, LATER) == (view.observation, view.at)
    assert followed is (KEY in view.troubles)


def test_the_views_of_other_layers_stay() -> None:
    """A look tells of its own layer only."""
    after = hear(BEFORE, Observation(Layer.TALOS))

    assert BEFORE.views[Layer.NODE] == after.views[Layer.NODE]
    assert {Layer.NODE, Layer.TALOS} == set(after.views)


DEAD = Sign("port 6443", frozenset({Component.API_SERVER}), alive=False)


@pytest.mark.parametrize(
    ("before", "since"),
    [
        (None, LATER),
        (SeenSign(DEAD, NOW - 60.0, NOW), NOW - 60.0),
        (SeenSign(replace(DEAD, alive=True), NOW - 60.0, NOW), LATER),
    ],
)
def test_a_sign_lasts_while_it_says_the_same(before: SeenSign | None, since: float) -> None:
    """I5: half a minute of death begins anew with every sign of life."""
    kept = SeenSign(replace(DEAD, what="docker.sock"), NOW, NOW)
    signs = {"docker.sock": kept}
    if before is not None:
        signs["port 6443"] = before
    after = hear(replace(World(), signs=signs), Observation(Layer.APISERVER, signs=(DEAD,)))

    assert {"docker.sock": kept, "port 6443": SeenSign(DEAD, since, LATER)} == after.signs


def operation(pid: int) -> ForeignOperation:
    """Somebody's start."""
    return ForeignOperation(Layer.COLIMA, "colima start", pid, 3.0)


BEGAN = NOW - 60.0


def theirs(pid: int, at: float = NOW) -> Foreign:
    """Somebody's start that began a minute before."""
    return Foreign(operation(pid), at, BEGAN)


def test_operations_come_and_go_with_the_hosts_look() -> None:
    """What is no longer seen has ended; what ended lately is remembered for a while."""
    kept = POLICY.foreign_patience
    world = World(
        foreign=(theirs(1), theirs(2)),
        foreign_ended=(theirs(3, LATER - kept), theirs(4, LATER - kept + 0.5)),
    )
    after = hear(world, Observation(Layer.HOST, foreign=(operation(2), operation(5))))

    assert (theirs(2, LATER), Foreign(operation(5), LATER, LATER - 3.0)) == after.foreign
    assert (theirs(4, LATER - kept + 0.5), theirs(1, LATER)) == after.foreign_ended


def test_the_age_of_an_operation_is_kept_on_our_own_clock() -> None:
    """Its age in a process list is told by the wall clock, which somebody may set."""
    set_ahead = replace(operation(2), age=86_400.0)
    after = hear(World(foreign=(theirs(2),)), Observation(Layer.HOST, foreign=(set_ahead,)))
    another = hear(
        World(foreign=(theirs(2),)),
        Observation(Layer.HOST, foreign=(replace(operation(2), command="colima stop"),)),
    )

    assert [BEGAN] == [one.since for one in after.foreign]
    assert [LATER - 3.0] == [one.since for one in another.foreign]


@pytest.mark.parametrize(("lasted", "reported"), [(899.0, False), (900.0, True)])
def test_an_operation_that_lasts_is_a_finding(lasted: float, *, reported: bool) -> None:
    """A `colima start` that works is over within 13 minutes: a human hears of a longer one."""
    seen = Observation(Layer.HOST, foreign=(operation(2),))
    world = hear(World(foreign=(theirs(2),)), seen, BEGAN + lasted)

    found = [one.finding for one in world.views[Layer.HOST].ordered]
    assert [Reason.OPERATION_LASTS] * reported == [one.reason for one in found]
    evidence = (
        "`colima start` (pid 2) has been running for 15 min; healer does nothing to colima and "
        "what stands on it until it ends"
    )
    advice = "find out what it waits for, or end it: kill 2"
    assert [(evidence, "2", "colima start", advice)] * reported == [
        (one.evidence, one.target, one.fingerprint, one.advice) for one in found
    ]
    assert all(not one.reason.gating for one in found)


@pytest.mark.parametrize(
    "heard",
    [Observation(Layer.HOST, others_unseen="no process list"), Observation(Layer.COLIMA)],
)
def test_only_a_look_at_the_processes_ends_an_operation(heard: Observation) -> None:
    """Who did not look at them cannot say that one has ended."""
    world = World(foreign=(theirs(1),))

    assert world.foreign == hear(world, heard).foreign


def boots(known: tuple[float, ...], uptime: float | None, layer: Layer = Layer.SSH) -> list[float]:
    """The VM's boots that are known after a look."""
    world = World(ledger=Ledger(vm_boots=known))
    return list(hear(world, Observation(layer, uptime=uptime), NOW).ledger.vm_boots)


@pytest.mark.parametrize(
    ("known", "uptime", "expected"),
    [
        ((), 100.0, [NOW - 100.0]),
        ((NOW - 100.0,), 100.0, [NOW - 100.0]),
        ((NOW - 129.0,), 100.0, [NOW - 129.0]),
        ((NOW - 71.0,), 100.0, [NOW - 71.0]),
        ((NOW - 130.0,), 100.0, [NOW - 130.0, NOW - 100.0]),
        ((NOW - 70.0,), 100.0, [NOW - 100.0, NOW - 70.0]),
        ((NOW - 900.0,), 100.0, [NOW - 100.0]),
        ((NOW - 899.0,), 100.0, [NOW - 899.0, NOW - 100.0]),
        ((), None, []),
    ],
)
def test_boots_of_the_vm_are_told_by_its_uptime(
    known: tuple[float, ...], uptime: float | None, expected: list[float]
) -> None:
    """R18: two that lie closer than half a minute are one; old ones are forgotten."""
    assert expected == boots(known, uptime)


def test_a_uptime_of_something_else_is_no_boot() -> None:
    """Only ssh sees the VM's own uptime."""
    assert [] == boots((), 100.0, Layer.TALOS)


def test_the_last_ten_boots_are_kept() -> None:
    """More are of no use to anybody."""
    known = tuple(NOW - 800.0 + 40.0 * number for number in range(10))

    assert [*known[1:], NOW - 1.0] == boots(known, 1.0)
