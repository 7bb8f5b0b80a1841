"""The event loop's own pulse: late beats are its lag, missing ones a loop that is blocked."""

from collections.abc import Callable
from typing import Final

from healer.ports import Clock, Pulse

_EVERY: Final = 2.0
_WITHIN: Final = 30.0
"""Seconds of silence after which the loop counts as blocked; nothing here may compute so long."""


async def keep_beating(pulse: Pulse, clock: Clock, lagged: Callable[[float], None]) -> None:
    """Beat for ever; `lagged` is told by how many seconds each beat came late."""
    while True:
        pulse.beat("event loop", _WITHIN)
        began = clock.awake()
        await clock.sleep(_EVERY)
        lagged(max(0.0, clock.awake() - began - _EVERY))
