"""What became of the VM after an act: `list` decides, not an exit code."""

from typing import Final

from healer.model.machine import VmStatus
from healer.ports import Clock, PortError, VmEyes

PAUSE: Final = 0.5
"""Seconds between two looks; each costs a `limactl list`."""


class Settling:
    """Looks at the VM's status until it is as wanted."""

    def __init__(self, eyes: VmEyes, clock: Clock) -> None:
        self._eyes = eyes
        self._clock = clock

    async def look(self) -> VmStatus | None:
        """The status now, or None when it cannot be told."""
        try:
            return await self._eyes.status()
        except PortError:
            return None

    async def until(self, wanted: VmStatus, seconds: float) -> VmStatus | None:
        """The status as soon as it is the wanted one, else the last one after so long."""
        end = self._clock.now() + seconds
        while True:
            status = await self.look()
            if status is wanted or self._clock.now() >= end:
                return status
            await self._clock.sleep(PAUSE)
