"""A pass that a running daemon does for somebody: when it is over, and why."""

from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.core.world import View, World
from healer.engine.guests import Guest
from healer.engine.telling import Told, nothing_awaited
from tests.unit.engine.tower import Ears


def seen(at: float) -> World:
    """Every layer was looked at then."""
    return World(views={layer: View(Observation(layer), at) for layer in Layer})


def told(at: float, world: World) -> Told:
    """One step that leaves nothing to wait for."""
    return Told(at, None, (), world, nothing_awaited, dry_run=False)


def test_whoever_leaves_has_interrupted_the_pass() -> None:
    """What comes later is told to nobody, and changes no reason."""
    ears = Ears()
    guest = Guest(ears, 10.0, 60.0)
    guest.leave()
    guest.told(told(70.0, seen(69.0)))

    assert (True, "interrupted", []) == (guest.over.is_set(), guest.why, ears.told_all)


def test_only_looks_that_followed_the_question_settle_it() -> None:
    """What was known before says nothing of now."""
    guest = Guest(Ears(), 10.0, 60.0)
    guest.told(told(11.0, seen(10.0)))
    assert not guest.over.is_set()

    guest.told(told(12.0, seen(10.1)))
    assert (True, "settled") == (guest.over.is_set(), guest.why)
