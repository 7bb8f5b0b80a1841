"""What each fact does to the world, and what a run begins with."""

from dataclasses import replace

import pytest

from healer.core.facts import (
    NotVerified,
    Observed,
    Outcome,
    Pause,
    Paused,
    Remembered,
    Resumed,
    Ticked,
    VmBooted,
    WasReset,
    Woke,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Hold, Incident, Ledger
from healer.core.machine import begin, step
from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Verification, World
from tests.unit.core.worlds import NOW, POLICY, act_of, tried

ALL = Pause(None, None, "joel", "moving house")
NODE = Pause(Layer.NODE, NOW + 60.0, "joel", "work")
UNTAINT = act_of(Remedy.UNTAINT, Reason.NODE_TAINTED)
START = act_of(Remedy.START_VM, Reason.COLIMA_STOPPED, 2)
SETTLE = POLICY.limits[Remedy.UNTAINT].settle


def test_pauses_add_up() -> None:
    """Each is kept with its scope."""
    world = World(ledger=Ledger(pauses=(NODE,)))

    assert (NODE, ALL) == step(world, Paused(ALL), NOW, POLICY).world.ledger.pauses


@pytest.mark.parametrize(
    ("scope", "left"), [(None, ()), (Layer.NODE, (ALL,)), (Layer.TALOS, (ALL, NODE))]
)
def test_resume_takes_back_the_pauses_of_its_scope(
    scope: Layer | None, left: tuple[Pause, ...]
) -> None:
    """Without a scope all of them."""
    world = World(ledger=Ledger(pauses=(ALL, NODE)))

    assert left == step(world, Resumed(scope), NOW, POLICY).world.ledger.pauses


ATTEMPTS = (tried(UNTAINT, 1.0, verified=False), tried(START, 2.0, verified=False))
HOLDS = (
    Hold(Layer.NODE, Reason.NODE_TAINTED, None, "spent"),
    Hold(Layer.COLIMA, Reason.COLIMA_STOPPED, None, "spent"),
)


@pytest.mark.parametrize(
    ("layer", "kept"), [(None, ()), (Layer.NODE, (1,)), (Layer.COLIMA, (0,)), (Layer.PODS, (0, 1))]
)
def test_a_reset_forgets_what_holds_its_layer_back(
    layer: Layer | None, kept: tuple[int, ...]
) -> None:
    """Its attempts and its holds, and nobody else's."""
    world = World(ledger=Ledger(attempts=ATTEMPTS, holds=HOLDS, pauses=(ALL,)))
    ledger = step(world, WasReset(layer), NOW, POLICY).world.ledger

    assert tuple(ATTEMPTS[number] for number in kept) == ledger.attempts
    assert tuple(HOLDS[number] for number in kept) == ledger.holds
    assert (ALL,) == ledger.pauses


@pytest.mark.parametrize(("before", "after"), [(0.0, NOW + 75.0), (NOW + 90.0, NOW + 90.0)])
def test_a_wake_never_shortens_a_grace(before: float, after: float) -> None:
    """The later end counts."""
    assert after == step(World(grace_until=before), Woke(75.0), NOW, POLICY).world.grace_until


def test_a_boot_of_the_vm_is_told_once() -> None:
    """When its uptime first shows it, before all that follows."""
    heard = Observed(Observation(Layer.SSH, uptime=60.0))
    first = step(World(ledger=Ledger(vm_boots=(NOW - 500.0,))), heard, NOW, POLICY)

    assert VmBooted(NOW - 60.0) == first.decisions[0]
    again = step(first.world, heard, NOW + 1.0, POLICY)
    assert [] == [one for one in again.decisions if isinstance(one, VmBooted)]


def test_what_is_remembered_takes_the_place_of_what_was_known() -> None:
    """The journal is the truth."""
    ledger = Ledger(pauses=(ALL,))

    assert ledger == step(World(), Remembered(ledger), NOW, POLICY).world.ledger


def test_time_alone_decides_what_is_due() -> None:
    """A tick brings no news of the tower; a recovery that nobody saw ends by it."""
    lost = Verification(UNTAINT, NOW - 500.0, NOW - 300.0)
    taken = step(World(verifying=(lost,)), Ticked(), NOW, POLICY)

    assert [UNTAINT] == [one.act for one in taken.decisions if isinstance(one, NotVerified)]
    assert {} == taken.world.views


def test_a_run_begins_with_what_earlier_ones_left() -> None:
    """I10: unfinished acts are verified, living ones go on, ended ones go on being proved."""
    ended = tried(replace(UNTAINT, id="old-7"), NOW - 9.0, ended=NOW - 5.0)
    cut_off = tried(UNTAINT, NOW - 3.0, None)
    living = tried(START, NOW - 2.0, None)
    incident = Incident("old-i1", NOW - 60.0, frozenset({Layer.NODE}))
    ledger = Ledger(attempts=(ended, living, cut_off), incidents=(incident,))
    world = begin(ledger, NOW, POLICY, frozenset({START.id}))

    assert (START,) == world.acting
    assert (
        Verification(ended.act, NOW - 5.0, NOW - 5.0 + SETTLE),
        Verification(UNTAINT, NOW, NOW + SETTLE),
    ) == world.verifying
    interrupted = replace(
        cut_off, outcome=Outcome.INTERRUPTED, ended=NOW, detail="healer ended in the middle of it"
    )
    assert (ended, living, interrupted) == world.ledger.attempts
    assert (incident,) == world.incidents
    assert NOW == world.last_progress


def test_a_run_that_follows_none_begins_with_nothing() -> None:
    """But its time."""
    assert World(last_progress=NOW) == begin(Ledger(), NOW, POLICY)
