"""The dead-man ping: somebody outside hears that healer lives, and is alarmed when it does not.

No completed cycle within some minutes is itself an alert (facts/incidents.md, R3), and only
somebody outside can raise it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from healer.notices.delivering import Hooks
from healer.ports import Beacon, Clock, PortError

_AGAIN: Final = 10.0
"""Seconds after a ping that failed: one lost packet should alarm nobody."""
_LONGEST: Final = 60.0


@dataclass(frozen=True, slots=True)
class DeadMan:
    """Pings while all is well with healer itself, whatever the tower does."""

    beacon: Beacon
    every: float
    """Seconds between two pings."""
    healthy: Callable[[], str]
    """'' = the engine makes progress; else who stalls, and nothing is sent."""
    clock: Clock
    hooks: Hooks

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            went = not self.healthy() and await self._ping()
            await self.clock.sleep(self.every if went else min(_AGAIN, self.every))

    async def _ping(self) -> bool:
        why = await why_silent(self.beacon)
        self.hooks.outcome(self.beacon.name, "failed" if why else "sent")
        self.hooks.say(f"delivery by {self.beacon.name}", why)
        return not why


async def why_silent(beacon: Beacon) -> str:
    """Ping once; '' = it was heard, else why not, without any secret."""
    try:
        with anyio.fail_after(_LONGEST):
            await beacon.ping()
    except PortError as error:
        return str(error)
    except TimeoutError:
        return f"{beacon.name}: no answer within {_LONGEST:g} s"
    except Exception as error:  # noqa: BLE001  (as in delivering)
        return f"{beacon.name}: broke with {type(error).__name__}; report this"
    return ""
