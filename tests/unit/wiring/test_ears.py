"""Everybody who listens to the daemon hears all of it, whoever else breaks."""

from healer.core.facts import Ticked
from healer.core.world import World
from healer.engine.telling import Told, nothing_awaited
from healer.wiring.daemon import Ears

TOLD = Told(1.0, Ticked(), (), World(), nothing_awaited, dry_run=False)


class Breaks:
    """A face with a fault."""

    def told(self, told: Told) -> None:
        """Break."""
        raise ValueError(f"no words for {told.at}")


class Hears:
    """A face without one."""

    def __init__(self) -> None:
        self.times = 0

    def told(self, told: Told) -> None:
        """Count."""
        del told
        self.times += 1


def test_a_face_that_breaks_is_told_no_more_and_named() -> None:
    """Its siblings hear on, and status says what is missing."""
    ears, hears = Ears(), Hears()
    ears.listeners += [Breaks(), hears]
    ears.told(TOLD)
    ears.told(TOLD)

    assert 2 == hears.times
    assert {"Breaks": "ValueError: no words for 1.0"} == ears.broken


def test_news_that_breaks_is_shown_until_it_is_heard() -> None:
    """It is listened to again, so unlike a face it may come back."""
    ears = Ears()
    ears.heard_break("docker events", ValueError("no words"))
    shown = dict(ears.broken)
    ears.heard_break("docker events", None)

    assert {"docker events": "ValueError: no words"} == shown
    assert {} == ears.broken
