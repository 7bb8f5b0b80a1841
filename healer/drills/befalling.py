"""Letting the happenings of a scenario happen, each in its time."""

from collections.abc import Callable, Sequence

import anyio

from healer.drills.lives import Lives
from healer.drills.ourselves import CRASH, OURSELVES
from healer.drills.scenario import Happens
from healer.simulation.happenings import HAPPENINGS, Kind
from healer.simulation.physics import Tower
from healer.simulation.troubles import Troubles

_HARMLESS = frozenset({Kind.TIME, Kind.NOISE})
_BOOT_TAKES = 25.0
"""Seconds from the Mac's reboot until launchd has started healer (inferred)."""


def _ill_until(troubles: Troubles) -> float:
    """When a fault that lasts for a while is over."""
    return max(troubles.api_silent_until, troubles.api_errors_until)


def _noisy_until(troubles: Troubles) -> float:
    """When all else that lasts for a while is over."""
    return max(
        troubles.slow_until,
        troubles.starved_until,
        troubles.noise_until,
        troubles.deaf_until,
        troubles.stale_until,
    )


class Befalling:
    """What befalls the tower; asked when it was over, and whether a ladder answers it."""

    def __init__(
        self,
        tower: Tower,
        happens: Sequence[Happens],
        lives: Lives,
        befalls: Callable[[Happens], None],
    ) -> None:
        self._tower = tower
        self._befalls = befalls
        self._coming = sorted(happens, key=lambda one: one.at)
        self._lives = lives
        of_the_tower = [HAPPENINGS[one.what] for one in happens if one.what not in OURSELVES]
        self.covered = all(one.covered for one in of_the_tower)
        """Whether a ladder answers all of it."""
        self.harmless = all(one.kind in _HARMLESS and not one.ends_healer for one in of_the_tower)
        """Whether nothing of it does harm: noise and time at most."""
        self.struck = 0.0
        """When the last of it befell the tower, or had passed, on the clock of `now`."""
        self.over: float | None = None
        """When all noise was over too, and healer back; None while more is to come."""

    async def first(self) -> None:
        """What was there before the first healer began."""
        await self._until(0.0)

    async def rest(self) -> None:
        """Everything else, in its time; a sleep brings what was due in it at once."""
        while self._coming:
            await anyio.sleep(max(0.0, self._coming[0].at - self._tower.now()))
            await self._until(self._tower.now())

    async def _until(self, now: float) -> None:
        while self._coming and self._coming[0].at <= now:
            await self._befall(self._coming.pop(0))
        if not self._coming:
            troubles = self._tower.troubles
            self.struck = max(self.struck, _ill_until(troubles))
            self.over = max(
                self._tower.now(), self.struck, _noisy_until(troubles), self._lives.back_at
            )

    async def _befall(self, one: Happens) -> None:
        self._befalls(one)
        if one.what != CRASH:
            self.struck = self._tower.now()
        if one.what in OURSELVES:
            await OURSELVES[one.what].befall(self._lives, one.parameters)
            return
        happening = HAPPENINGS[one.what]
        happening.befall(self._tower, **one.parameters)
        if happening.ends_healer:
            self._lives.crash(_BOOT_TAKES)
