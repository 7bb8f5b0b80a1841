"""Why a layer is as it is, and what follows."""

from dataclasses import replace

from healer.core.ledger import Hold
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from healer.telemetry.explaining import next_of_a_look, told_by_a_daemon
from tests.unit.telemetry.decisions import ACT, REFUSED
from tests.unit.telemetry.nights import BEGAN, POLICY, acting, healthy, stopped_by_hand

NOW = BEGAN + 20.0


def told(world: World, layer: Layer = Layer.TALOS, now: float = NOW) -> list[str]:
    """What a daemon tells of it."""
    return list(told_by_a_daemon(layer, world, now, POLICY))


def test_a_layer_that_a_human_stopped() -> None:
    """Its state, its neighbours, what was seen, which rule refuses what, and until when."""
    assert [
        "talos is failing: exited (0) 12 s ago",
        "it stands on: host ok, colima ok, docker ok",
        "on it stand: apiserver ok, node ok, flannel ok, pods ok, livekit ok, services ok",
        "seen: stopped (makes it ill): exited (0) 12 s ago",
        "it has been so for 2.0 s",
        (
            "refused so far: start the Talos container: human_stopped (stopped on purpose; started "
            "after a while, at the earliest in 48 s)"
        ),
    ] == told(stopped_by_hand())


def test_an_act_under_way() -> None:
    """With its cause."""
    said = told(acting())

    assert "under way: start the Talos container (because: exited (137) 40 s ago)" == said[-1]


def test_a_layer_that_is_well() -> None:
    """Nothing follows."""
    assert "next: nothing" == told(healthy())[-1]


def test_a_hold_and_how_to_end_it() -> None:
    """For a while, and for good."""
    for until, words in ((NOW + 60.0, "held for 1 min more: "), (None, "held for good: ")):
        hold = Hold(Layer.TALOS, Reason.TALOS_STOPPED, until, "3 runs did not help")
        world = replace(healthy(), ledger=replace(healthy().ledger, holds=(hold,)))

        assert any(
            line == f"{words}3 runs did not help (`healer reset talos` lets it be tried again)"
            for line in told(world)
        )


def test_what_a_look_of_ones_own_would_lead_to() -> None:
    """What was refused, what would be done, or nothing."""
    assert [
        "refused: delete the pod joelclaw/redis-0: cooldown (too soon, at the earliest in 1 min)",
        "next: `healer --once` would delete the pod joelclaw/redis-0",
    ] == list(next_of_a_look([ACT], [REFUSED], 100.0))
    assert ["next: nothing"] == list(next_of_a_look([], [], 100.0))
