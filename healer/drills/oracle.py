"""What only the outside knows of a tower."""

from collections.abc import Mapping
from typing import Any

from healer.core.tower import Layer
from healer.simulation.physics import Tower


class Oracle:
    """Asks a tower for the truth."""

    def __init__(self, tower: Tower) -> None:
        self._tower: Any = tower

    def now(self) -> float:
        """Seconds on the clock of `now`."""
        return float(self._tower.now())

    def truth(self, now: float) -> Mapping[Layer, float]:
        """Since when each layer has truly been well; one that is ill is absent."""
        known: Mapping[Layer, float] = self._tower.truth(now) if self._knows("truth") else {}
        return known

    @property
    def well(self) -> bool:
        """Whether every layer is truly well."""
        if self._knows("well"):
            return bool(self._tower.well)
        cluster = self._tower.cluster
        pods = all(one.ready or not one.desired for one in cluster.workloads)
        return bool(cluster.api and cluster.ready and not cluster.tainted and pods)

    @property
    def boots(self) -> float:
        """Changes with each boot of the Mac."""
        return float(self._tower.mac.boots if self._knows("mac") else self._tower.mac_booted_at)

    @property
    def wishes(self) -> frozenset[str]:
        """What a human set."""
        return frozenset(self._tower.human.wishes) if self._knows("human") else frozenset()

    def undone(self) -> tuple[str, ...]:
        """What of it was undone."""
        return tuple(self._tower.undone()) if self._knows("undone") else ()

    def _knows(self, what: str) -> bool:
        return hasattr(self._tower, what)
