"""Bells: news from outside ends a probe's rest early."""

import asyncio

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
        began = self._clock.now()
        # It rings by itself in the end: a deadline would cancel, which costs three times as much,
        # and resting is most of what a calm daemon does.
        alarm = asyncio.get_running_loop().call_later(seconds, self._rung.set)
        try:
            await self._rung.wait()
        finally:
            alarm.cancel()
        early = min(least, seconds) - (self._clock.now() - began)
        if early > 0.0:
            await self._clock.sleep(early)
        self._rung = anyio.Event()
