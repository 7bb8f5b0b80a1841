"""What only the outside knows: when layers truly fell ill, and where healer was cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healer.core.tower import LAYERS, Layer, below
from healer.drills.playing import Nobody
from tests.explore.engine.awaits import standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healer.drills.lives import Crash
    from healer.simulation.physics import Tower

SEEN_EVERY: Final = 61
"""Turns between two looks at where all tasks stand: such a look costs as much as a turn."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A layer truly fell ill while nothing that it stands on was."""

    layer: Layer
    at: float
    until: float
    """When it was well again, or infinity."""


class Watch(Nobody):
    """A watcher of a drill; it changes nothing, so a seed shows the same with it."""

    def __init__(self, crashes: Sequence[Crash]) -> None:
        self.ill: list[tuple[float, frozenset[Layer]]] = [(0.0, frozenset())]
        """Which layers were truly ill from when on."""
        self.crashed: list[frozenset[str]] = []
        """For each crash at an await: the awaits at which healer's tasks were cut off."""
        self.stood: set[str] = set()
        """Awaits at which tasks were seen to stand, looked at now and then."""
        self._at = {one.turn for one in crashes}
        self._turn = 0
        self._tower: Tower | None = None
        self._known: Mapping[Layer, float] | None = None

    def began(self, tower: Tower) -> None:
        """Hear of each change of the tower."""
        self._tower = tower
        changed = tower.clock.changed

        def heard() -> None:
            changed()
            self._look(tower, tower.clock.at)

        tower.clock.changed = heard

    def turned(self, waited: float) -> None:
        """All tasks wait: the truth may have changed, and here a crash would cut them off."""
        del waited
        self._turn += 1
        if self._tower is not None:
            clock = self._tower.clock
            self._look(self._tower, clock.awake() + clock.slept)
        if self._turn in self._at:
            points = standing()
            if points:
                self.crashed.append(points)
                self.stood |= points
        elif self._turn % SEEN_EVERY == 0:
            self.stood |= standing()

    def _look(self, tower: Tower, now: float) -> None:
        well = tower.truth(now)
        if well is self._known:
            return
        self._known = well
        ill = frozenset(one for one in LAYERS if one not in well)
        if ill != self.ill[-1][1]:
            self.ill.append((now, ill))

    def falls(self) -> list[Fall]:
        """Every fall of a layer with nothing ill below it."""
        found: list[Fall] = []
        for place, (at, ill) in enumerate(self.ill[1:], 1):
            for layer in roots(ill) - self.ill[place - 1][1]:
                rest = self.ill[place + 1 :]
                until = next((then for then, now in rest if layer not in now), float("inf"))
                found.append(Fall(layer, at, until))
        return found

    def roots_within(self, began: float, ended: float) -> frozenset[Layer]:
        """The layers that were ill at some time between, with nothing ill below them."""
        found: set[Layer] = set()
        for place, (at, ill) in enumerate(self.ill):
            over = self.ill[place + 1][0] if place + 1 < len(self.ill) else float("inf")
            if at <= ended and over >= began:
                found |= roots(ill)
        return frozenset(found)


def roots(ill: frozenset[Layer]) -> frozenset[Layer]:
    """Those of the ill layers that stand on none of the others."""
    return frozenset(one for one in ill if not ill.intersection(below(one)))
