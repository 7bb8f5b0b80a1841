"""When the daemon looks often, and when calmly."""

import pytest

from healer.core.facts import Refused, Rule, State
from healer.core.ladders import Remedy
from healer.core.pacing import stirring
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Verification, World
from tests.unit.engine.tower import act_of

NOW = 10_000.0
START = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)


def shown(state: State, since: float = 0.0) -> World:
    """One layer in that state for so many seconds."""
    return World(states={Layer.TALOS: state}, since={Layer.TALOS: NOW - since})


@pytest.mark.parametrize("state", [State.SUSPECT, State.GRACE, State.HEALING, State.VERIFYING])
def test_what_moves_is_watched(state: State) -> None:
    """However long it takes."""
    assert stirring(shown(state, 3600.0), NOW)


@pytest.mark.parametrize(
    "state",
    [State.OK, State.UNKNOWN, State.BLOCKED, State.HELD, State.GAVE_UP, State.PAUSED],
)
def test_what_rests_is_left_to_calm_looks(state: State) -> None:
    """A bare machine and a given-up tower cost as little as a healthy one."""
    assert not stirring(shown(state), NOW)


def test_a_failure_without_a_remedy_is_news_for_a_while_only() -> None:
    """Three minutes; slow looks go on."""
    assert stirring(shown(State.FAILING, 179.5), NOW)
    assert not stirring(shown(State.FAILING, 180.0), NOW)


def test_an_act_and_its_proof_are_watched() -> None:
    """Until both are over."""
    assert stirring(World(acting=(START,)), NOW)
    assert stirring(World(verifying=(Verification(START, NOW, NOW + 60.0),)), NOW)


@pytest.mark.parametrize(
    ("in_seconds", "often"), [(60.0, True), (60.5, False), (3600.0, False), (None, False)]
)
def test_a_refusal_that_ends_soon_is_waited_for(in_seconds: float | None, *, often: bool) -> None:
    """One that lasts for hours is not."""
    until = None if in_seconds is None else NOW + in_seconds
    refused = Refused(
        Layer.TALOS, START.remedy, START.reason, "", Rule.HUMAN_STOPPED, "stopped", until
    )
    world = World(refusals={(Layer.TALOS, START.remedy.value, ""): refused})

    assert often is stirring(world, NOW)
