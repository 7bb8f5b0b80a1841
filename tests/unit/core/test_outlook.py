"""What a pass still waits for, until when, and what it would exit with."""

from dataclasses import replace

import pytest

from healer.core.facts import Refused, Rule, State
from healer.core.judging import judge
from healer.core.ladders import Remedy
from healer.core.ledger import Hold, Incident
from healer.core.observation import Finding, Observation
from healer.core.outlook import Awaited, awaited, awaited_by_rehearsal, exit_code, unseen
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Verification, View, World
from tests.unit.core.worlds import (
    NOW,
    POLICY,
    act_of,
    remembering,
    seeing,
    tried,
    trouble_of,
    world_of,
)

TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
SILENT = Finding(Reason.DOCKER_SILENT, "no answer")
UNTAINT = act_of(Remedy.UNTAINT, Reason.NODE_TAINTED)
LIMITS = POLICY.limits[Remedy.UNTAINT]
START = act_of(Remedy.START_VM, Reason.COLIMA_STOPPED, 2)


def wait_of(world: World, now: float = NOW) -> list[Awaited]:
    """What a pass waits for."""
    return list(awaited(world, now, POLICY))


def held(world: World, layer: Layer, until: float | None) -> World:
    """The same world with a layer held."""
    hold = Hold(layer, Reason.NODE_TAINTED, until, "3 runs did not help")
    return replace(world, ledger=replace(world.ledger, holds=(*world.ledger.holds, hold)))


def blind(world: World, layer: Layer) -> World:
    """The same world with a layer that could not be looked at."""
    return seeing(world, View(Observation(layer, unknown="no answer"), NOW))


def test_a_healthy_tower_awaits_nothing() -> None:
    """One look and it ends."""
    assert [] == wait_of(world_of())
    assert 0 == exit_code(world_of(), NOW, POLICY)


def test_what_was_never_looked_at_is_awaited_first() -> None:
    """In the order of the layers."""
    views = {Layer.NODE: View(Observation(Layer.NODE), NOW)}
    expected = [Awaited(layer, "a first look", None) for layer in Layer if layer is not Layer.NODE]

    assert expected == list(unseen(World(views=views)))
    assert expected == wait_of(World(views=views, last_progress=-9e9))


def test_an_act_is_awaited_until_its_cap() -> None:
    """Counted from its intent; without one, from now."""
    world = remembering(world_of(), tried(START, NOW - 7.0), tried(UNTAINT, NOW - 5.0, None))
    world = replace(world, acting=(UNTAINT,), last_progress=-9e9)

    assert Awaited(Layer.NODE, "untaint to end", NOW - 5.0 + LIMITS.cap) == wait_of(world)[0]
    forgotten = replace(world, ledger=replace(world.ledger, attempts=()))
    assert Awaited(Layer.NODE, "untaint to end", NOW + LIMITS.cap) == wait_of(forgotten)[0]


@pytest.mark.parametrize(("good_since", "until"), [(None, NOW + 60.0), (NOW - 20.0, NOW + 70.0)])
def test_a_proof_is_awaited_until_its_window_or_its_deadline(
    good_since: float | None, until: float
) -> None:
    """Good looks must span the VM's 90 s; without any, the deadline decides."""
    proving = Verification(START, NOW - 60.0, NOW + 60.0, good_since, 1)
    world = replace(world_of(), verifying=(proving,))

    assert Awaited(Layer.COLIMA, "proof that start_vm helped", until) == wait_of(world)[0]


@pytest.mark.parametrize(
    ("rule", "until", "waits"),
    [
        (Rule.COOLDOWN, NOW + 9.0, True),
        (Rule.COOLDOWN, None, False),
        (Rule.YIELDING, None, True),
        (Rule.HELD, NOW + 9.0, False),
        (Rule.GAVE_UP, NOW + 9.0, False),
        (Rule.GAVE_UP, None, False),
    ],
)
def test_a_refusal_is_awaited_when_time_ends_it(
    rule: Rule, until: float | None, *, waits: bool
) -> None:
    """A hold is not waited for: it lasts longer than a pass."""
    refused = Refused(Layer.NODE, Remedy.UNTAINT, Reason.NODE_TAINTED, "", rule, "not yet", until)
    world = replace(world_of(), refusals={(Layer.NODE, "untaint", ""): refused})

    assert ([Awaited(Layer.NODE, "not yet", until)] if waits else []) == wait_of(world)


SUSPECTED = replace(
    world_of(),
    views={
        **world_of().views,
        Layer.NODE: View(
            Observation(Layer.NODE, (TAINTED,)),
            NOW,
            {(TAINTED.reason, ""): replace(trouble_of(TAINTED, since=NOW), samples=1)},
        ),
    },
)
"""The node has been seen tainted once."""


def test_a_doubt_is_awaited_however_long_it_lasts() -> None:
    """By a pass and by its rehearsal."""
    expected = [Awaited(Layer.NODE, "tainted", None)]

    assert expected == [one for one in wait_of(SUSPECTED) if one.layer is Layer.NODE]
    assert expected == list(awaited_by_rehearsal(SUSPECTED, NOW, POLICY))


def test_a_rehearsal_awaits_first_looks_and_doubts_only() -> None:
    """Nothing of what follows from acts."""
    waiting = Verification(START, NOW, NOW + 60.0)
    world = replace(world_of(SILENT), verifying=(waiting,), last_progress=NOW)
    views: dict[Layer, View] = dict(world.views)
    del views[Layer.LIVEKIT]
    world = replace(world, views=views)

    assert [Awaited(Layer.LIVEKIT, "a first look", None)] == list(
        awaited_by_rehearsal(world, NOW, POLICY)
    )


ACTED = tried(replace(UNTAINT, id="t-1"), NOW - 900.0, verified=True)
EARLIER = tried(UNTAINT, NOW - 900.0, verified=True)


def started(world: World, layer: Layer, ago: float) -> World:
    """The same world in which what the layer runs in is so old."""
    return seeing(world, View(Observation(layer, uptime=ago), NOW))


@pytest.mark.parametrize(
    ("world", "patience"),
    [
        (world_of(SILENT), 20.0),
        (remembering(world_of(SILENT), EARLIER), 20.0),
        (remembering(world_of(SILENT), EARLIER, ACTED), 180.0),
        (started(world_of(SILENT), Layer.SSH, 100.0), 180.0),
        (started(world_of(SILENT), Layer.SSH, 500.0), 20.0),
        (started(world_of(SILENT), Layer.KERNEL, 100.0), 20.0),
    ],
)
def test_an_ill_layer_may_get_well_by_itself_for_a_while(world: World, patience: float) -> None:
    """Longer after an act of this run or a start; the last progress counts."""
    world = replace(world, last_progress=NOW - 50.0)
    end = NOW - 50.0 + patience

    assert [Awaited(Layer.DOCKER, "no answer", None)] == wait_of(world, end - 0.5)
    assert [] == wait_of(world, end)


@pytest.mark.parametrize(("layer", "ago"), [(Layer.SSH, 299.0), (Layer.TALOS, 299.0)])
def test_a_start_is_young_for_five_minutes(layer: Layer, ago: float) -> None:
    """Of the VM and of Talos."""
    world = replace(started(world_of(SILENT), layer, ago), last_progress=NOW - 50.0)

    assert [] != wait_of(world)
    assert [] == wait_of(started(world, layer, 300.0))


def test_what_is_awaited_of_an_ill_layer_is_its_story() -> None:
    """Its evidence, or its state where there is none."""
    stopped = Finding(Reason.TALOS_STOPPED, "exited")
    world = replace(world_of(SILENT, stopped), last_progress=NOW)
    told = {one.layer: one for one in wait_of(world)}

    assert Awaited(Layer.DOCKER, "no answer", None) == told[Layer.DOCKER]
    assert Awaited(Layer.TALOS, "docker is failing", None) == told[Layer.TALOS]


def test_what_waits_for_a_human_is_not_waited_for() -> None:
    """With a layer held and none failing the rest hangs on it."""
    stopped = Finding(Reason.TALOS_STOPPED, "exited")
    world = replace(held(world_of(SILENT, stopped), Layer.DOCKER, None), last_progress=NOW)

    assert [] == wait_of(world)


def test_what_is_blocked_by_a_doubt_is_waited_for() -> None:
    """Nobody is held: the rest may get well with it."""
    crashing = Finding(Reason.FLANNEL_CRASHING, "restarts")
    views = {**world_of(crashing).views, Layer.NODE: SUSPECTED.views[Layer.NODE]}
    world = replace(world_of(), views=views, last_progress=NOW)

    assert [Layer.NODE, Layer.FLANNEL] == [one.layer for one in wait_of(world)]


def test_a_failure_beside_a_held_layer_is_waited_for() -> None:
    """It does not hang on the human."""
    unloaded = Finding(Reason.BR_NETFILTER_MISSING, "no such file")
    world = replace(held(world_of(SILENT, unloaded), Layer.DOCKER, None), last_progress=NOW)

    assert Layer.KERNEL in {one.layer for one in wait_of(world)}


@pytest.mark.parametrize(
    ("recovered", "waits"), [(None, False), (NOW - 19.5, True), (NOW - 20.0, False)]
)
def test_a_blind_layer_is_asked_once_more_after_a_recovery(
    recovered: float | None, *, waits: bool
) -> None:
    """Its way there has only just come back."""
    world = replace(blind(world_of(), Layer.PODS), recovered_at=recovered, last_progress=-9e9)
    expected = [] if recovered is None else [Awaited(Layer.PODS, "another look", recovered + 20.0)]

    assert (expected if waits else []) == wait_of(world)


@pytest.mark.parametrize(
    ("world", "code"),
    [
        (world_of(SILENT), 1),
        (SUSPECTED, 1),
        (held(world_of(TAINTED), Layer.NODE, None), 4),
        (held(world_of(TAINTED), Layer.NODE, NOW + 60.0), 4),
        (held(world_of(TAINTED, SILENT), Layer.DOCKER, None), 4),
        (blind(world_of(), Layer.PODS), 3),
        (blind(world_of(SILENT), Layer.HOST), 1),
        (replace(world_of(), acting=(UNTAINT,)), 1),
    ],
)
def test_the_exit_code_is_the_first_that_fits(world: World, code: int) -> None:
    """Held, unhealthy, unknown, healthy (design §10)."""
    assert code == exit_code(world, NOW, POLICY)


def test_every_layer_of_these_worlds_is_judged() -> None:
    """The tests above speak of failing layers: this one keeps them failing."""
    assert State.FAILING is judge(world_of(SILENT), NOW, POLICY)[Layer.DOCKER].state


def test_an_incident_that_is_nearly_over_is_awaited() -> None:
    """Its pass does not end between the last good look and the word that it is over."""
    incident = Incident("old-i1", NOW - 60.0, frozenset({Layer.NODE}))
    world = replace(world_of(), incidents=(incident,), last_progress=-9e9)
    world = replace(
        world,
        since=dict.fromkeys(Layer, NOW - 3.0),
        states=dict.fromkeys(Layer, State.OK),
    )

    assert [Awaited(Layer.NODE, "all to stay well", NOW + 2.0)] == wait_of(world)
