"""Bells: news from outside ends a probe's rest early."""

import anyio

from healer.ports import Clock


class Bell:
    """Rests that anybody can end; a ring during a look is kept for the next rest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = anyio.Event()

    def ring(self) -> None:
        """End the rest under way, or the next one."""
        self._rung.set()

    async def rest(self, seconds: float, least: float) -> None:
        """Rest so long, or until it rings; but never less than `least`, whatever rings."""
        await self._clock.sleep(min(least, seconds))
        with anyio.move_on_after(max(0.0, seconds - least)):
            await self._rung.wait()
        self._rung = anyio.Event()
