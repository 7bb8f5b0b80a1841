"""What state a layer is in, which of two states wins, and the words for it."""

from dataclasses import replace

import pytest

from healer.core.facts import Pause, State
from healer.core.judging import (
    Judgement,
    blocker,
    confirmed,
    hold_on,
    in_start_grace,
    judge,
    paused,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Hold, Ledger
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Verification, View, World
from tests.unit.core.worlds import NOW, POLICY, act_of, seeing, trouble_of, world_of

TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
NOT_READY = Finding(Reason.NODE_NOT_READY, "not ready")
SILENT = Finding(Reason.DOCKER_SILENT, "no answer")
PRESSED = Finding(Reason.NODE_PRESSURE, "memory")
UNTAINT = act_of(Remedy.UNTAINT, Reason.NODE_TAINTED)
UNCORDON = act_of(Remedy.UNCORDON, Reason.CORDONED_BY_HUMAN)
DAEMON = replace(POLICY, one_pass=False)


def state(world: World, layer: Layer = Layer.NODE, policy: Policy = POLICY) -> Judgement:
    """How a layer is judged now."""
    return judge(world, NOW, policy)[layer]


def up(world: World, layer: Layer, uptime: float | None) -> World:
    """The same world in which what a layer runs in is so old."""
    view = world.views[layer]
    return seeing(world, replace(view, observation=replace(view.observation, uptime=uptime)))


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (World(), Judgement(State.UNKNOWN, "not looked at yet")),
        (world_of(), Judgement(State.OK)),
        (world_of(PRESSED), Judgement(State.OK)),
        (world_of(TAINTED), Judgement(State.FAILING, "tainted")),
        (world_of(TAINTED, SILENT), Judgement(State.BLOCKED, "docker is failing")),
        (
            seeing(world_of(), View(Observation(Layer.NODE, unknown="no answer"), NOW)),
            Judgement(State.UNKNOWN, "no answer"),
        ),
    ],
)
def test_a_layer_is_judged_by_its_last_look(world: World, expected: Judgement) -> None:
    """And by what it stands on; advice makes nobody ill."""
    assert expected == state(world)


def test_half_an_answer_may_show_an_illness() -> None:
    """A look that saw a gating trouble and missed the rest is no blind one."""
    world = world_of(TAINTED)
    view = world.views[Layer.NODE]
    half = replace(view, observation=replace(view.observation, unknown="half"))

    assert Judgement(State.FAILING, "tainted") == state(seeing(world, half))


def test_the_lowest_ill_layer_blocks() -> None:
    """I2: through well and unknown layers, but not through one that is being proved."""
    states = dict.fromkeys(Layer, Judgement(State.OK))
    states |= {Layer.SSH: Judgement(State.UNKNOWN), Layer.COLIMA: Judgement(State.VERIFYING)}
    assert None is blocker(Layer.NODE, states)

    states |= {Layer.TALOS: Judgement(State.SUSPECT), Layer.DOCKER: Judgement(State.HELD)}
    assert Layer.DOCKER is blocker(Layer.NODE, states)
    assert None is blocker(Layer.KERNEL, states)


@pytest.mark.parametrize(
    ("samples", "lasted", "sure"), [(2, 5.0, True), (1, 5.0, False), (2, 4.5, False)]
)
def test_two_looks_over_five_seconds_confirm(samples: int, lasted: float, *, sure: bool) -> None:
    """Design §4.1: counted while the layer could be judged."""
    trouble = replace(trouble_of(TAINTED), samples=samples, counted_since=NOW - lasted)

    assert sure is confirmed(world_of(), trouble, NOW, POLICY)


@pytest.mark.parametrize(
    ("finding", "uptime", "sure"),
    [(NOT_READY, 59.0, False), (NOT_READY, 60.0, True), (TAINTED, 1.0, True)],
)
def test_what_a_start_brings_with_it_confirms_nothing(
    finding: Finding, uptime: float, *, sure: bool
) -> None:
    """Design §2, grace: but a taint is its own proof."""
    world = up(world_of(finding), Layer.TALOS, uptime)

    assert sure is confirmed(world, trouble_of(finding), NOW, POLICY)


@pytest.mark.parametrize(
    ("layer", "of", "uptime", "until"),
    [
        (Layer.NODE, Layer.TALOS, 0.0, NOW + 60.0),
        (Layer.NODE, Layer.TALOS, 59.0, NOW + 1.0),
        (Layer.NODE, Layer.TALOS, 60.0, None),
        (Layer.NODE, Layer.SSH, 1.0, None),
        (Layer.DOCKER, Layer.SSH, 1.0, NOW + 59.0),
        (Layer.APISERVER, Layer.TALOS, 1.0, NOW + 119.0),
        (Layer.PODS, Layer.TALOS, 1.0, None),
    ],
)
def test_the_grace_after_a_start_ends_at_its_time(
    layer: Layer, of: Layer, uptime: float, until: float | None
) -> None:
    """Each layer has its own, after the start of what it runs in."""
    assert until == in_start_grace(up(world_of(), of, uptime), layer, NOW, POLICY)


@pytest.mark.parametrize(
    ("colima", "until"), [(0.0, NOW + 60.0), (59.0, NOW + 1.0), (60.0, None), (None, None)]
)
def test_while_the_vm_tells_no_uptime_its_hostagent_does(
    colima: float | None, until: float | None
) -> None:
    """docker.silent is seen exactly while ssh is silent, too."""
    silent = View(Observation(Layer.SSH, unknown="no answer"), NOW)
    world = up(world_of(), Layer.COLIMA, colima)
    world = replace(world, views={**world.views, Layer.SSH: silent})

    assert until == in_start_grace(world, Layer.DOCKER, NOW, POLICY)


def test_a_layer_in_the_grace_of_a_start_says_so() -> None:
    """Only while all that is wrong with it is expected."""
    world = up(world_of(NOT_READY), Layer.TALOS, 1.0)
    assert Judgement(State.GRACE, "not ready; expected so soon after a start") == state(world)

    both = up(world_of(NOT_READY, TAINTED), Layer.TALOS, 1.0)
    assert Judgement(State.FAILING, "not ready") == state(both)


@pytest.mark.parametrize(
    ("until", "policy", "expected"),
    [
        (NOW + 1.0, DAEMON, State.GRACE),
        (NOW, DAEMON, State.FAILING),
        (NOW + 1.0, POLICY, State.FAILING),
    ],
)
def test_everything_is_expected_after_a_wake(until: float, policy: Policy, expected: State) -> None:
    """Until its end, and not in a pass by hand (design §10)."""
    world = replace(world_of(TAINTED), grace_until=until)

    assert expected is state(world, policy=policy).state


def test_a_doubt_is_told_by_its_evidence() -> None:
    """One look is none."""
    world = world_of(TAINTED)
    first = replace(trouble_of(TAINTED), samples=1)
    view = replace(world.views[Layer.NODE], troubles={first.key: first})

    assert Judgement(State.SUSPECT, "tainted") == state(seeing(world, view))


def test_one_sure_trouble_of_two_is_enough() -> None:
    """And the first in order lends its words."""
    world = world_of(NOT_READY, TAINTED)
    view = world.views[Layer.NODE]
    doubt = replace(trouble_of(NOT_READY), samples=1)
    troubles = {doubt.key: doubt, trouble_of(TAINTED).key: trouble_of(TAINTED)}

    assert Judgement(State.FAILING, "not ready") == state(
        seeing(world, replace(view, troubles=troubles))
    )


def hold(until: float | None, layer: Layer = Layer.NODE, detail: str = "spent") -> Hold:
    """A hold on a layer."""
    return Hold(layer, Reason.NODE_TAINTED, until, detail)


@pytest.mark.parametrize(
    ("holds", "expected"),
    [
        ((), None),
        ((hold(NOW),), None),
        ((hold(NOW + 1.0),), hold(NOW + 1.0)),
        ((hold(NOW + 1.0, Layer.TALOS),), None),
        ((hold(NOW + 1.0), hold(None)), hold(None)),
        ((hold(None, Layer.TALOS), hold(NOW - 1.0), hold(NOW + 2.0)), hold(NOW + 2.0)),
        ((hold(NOW + 2.0), hold(NOW + 9.0)), hold(NOW + 2.0)),
    ],
)
def test_a_hold_is_of_its_layer_and_time(holds: tuple[Hold, ...], expected: Hold | None) -> None:
    """The lasting one first."""
    world = World(ledger=Ledger(holds=holds))

    assert expected == hold_on(world, Layer.NODE, NOW)


@pytest.mark.parametrize(
    ("until", "expected"),
    [(None, Judgement(State.GAVE_UP, "spent")), (NOW + 1.0, Judgement(State.HELD, "spent"))],
)
def test_a_held_layer_that_is_ill_is_shown_held(until: float | None, expected: Judgement) -> None:
    """Before a pause; a layer that is well is well."""
    pause = Pause(None, None, "joel", "work")
    ledger = Ledger(holds=(hold(until),), pauses=(pause,))

    assert expected == state(replace(world_of(TAINTED), ledger=ledger))
    assert State.OK is state(replace(world_of(), ledger=ledger)).state


@pytest.mark.parametrize(
    ("pause", "why"),
    [
        (Pause(None, None, "joel", "work"), "paused by joel: work"),
        (Pause(Layer.NODE, NOW + 1.0, "joel", "work"), "paused by joel: work"),
        (Pause(Layer.NODE, NOW, "joel", "work"), ""),
        (Pause(Layer.TALOS, None, "joel", "work"), ""),
    ],
)
def test_a_pause_is_of_its_scope_and_time(pause: Pause, why: str) -> None:
    """And an ill layer shows it instead of its illness."""
    over = Pause(None, NOW - 1.0, "ann", "lunch")
    world = replace(world_of(TAINTED), ledger=Ledger(pauses=(over, pause)))

    assert why == paused(world, Layer.NODE, NOW)
    assert (State.PAUSED if why else State.FAILING) is state(world).state


def test_a_paused_layer_says_by_whom() -> None:
    """And why."""
    world = replace(world_of(TAINTED), ledger=Ledger(pauses=(Pause(None, None, "joel", "work"),)))

    assert Judgement(State.PAUSED, "paused by joel: work") == state(world)


def test_an_act_under_way_is_healing() -> None:
    """Whatever was seen; advice that is being followed is not."""
    expected = Judgement(State.HEALING, "untaint is under way")

    assert expected == state(replace(world_of(TAINTED), acting=(UNTAINT,)))
    assert expected == state(replace(World(), acting=(UNTAINT,)))
    assert State.OK is state(replace(world_of(), acting=(UNCORDON,))).state
    mixed = replace(world_of(), acting=(UNCORDON,), verifying=(proof(NOW - 9.0),))
    assert State.VERIFYING is state(mixed).state


def proof(began: float) -> Verification:
    """An untaint that ended then."""
    return Verification(UNTAINT, began, NOW + 60.0)


ANEW = Judgement(State.HEALING, "untaint has ended; looking anew")


@pytest.mark.parametrize(
    ("world", "began", "expected"),
    [
        (world_of(TAINTED), NOW, ANEW),
        (world_of(TAINTED), NOW - 0.5, Judgement(State.FAILING, "tainted")),
        (World(), NOW - 0.5, ANEW),
        (world_of(), NOW - 0.5, Judgement(State.VERIFYING, "untaint helped; making sure")),
        (world_of(), NOW, ANEW),
    ],
)
def test_what_was_seen_before_an_act_ended_is_void(
    world: World, began: float, expected: Judgement
) -> None:
    """I14: the next look tells, and a good one begins the proof."""
    assert expected == state(replace(world, verifying=(proof(began),)))


def test_advice_that_is_being_proved_is_no_proof_of_the_layer() -> None:
    """A layer that was well stays well."""
    advice = replace(proof(NOW), act=UNCORDON)

    assert State.OK is state(replace(world_of(), verifying=(advice,))).state


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ("com.joel.caddy", Judgement(State.FAILING, "the gateway has exited")),
        ("", Judgement(State.HELD, "no start helped")),
    ],
)
def test_a_hold_on_one_target_leaves_the_layer_failing(held: str, expected: Judgement) -> None:
    """As long as another target may be acted on, and that one's evidence is told."""
    caddy = Finding(Reason.JOB_NOT_RUNNING, "caddy has exited", "com.joel.caddy")
    gateway = Finding(Reason.JOB_NOT_RUNNING, "the gateway has exited", "com.joel.gateway")
    hold = Hold(Layer.LAUNCHD, Reason.JOB_NOT_RUNNING, NOW + 60.0, "no start helped", held)
    world = replace(world_of(caddy, gateway), ledger=Ledger(holds=(hold,)))

    assert expected == judge(world, NOW, POLICY)[Layer.LAUNCHD]
