"""What befalls healer itself in a scenario: its end, and the words of a human to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from healer.core.facts import Pause, Paused, Resumed, WasReset
from healer.core.tower import Layer
from healer.drills.lives import LAUNCHD_WAITS, Lives
from healer.drills.scenario import Value

Given = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Ourselves:
    """One thing that befalls healer."""

    about: str
    befall: Callable[[Lives, Given], Awaitable[None]]
    parameters: Mapping[str, Value]
    """What may be given, with its default."""


async def _crash(lives: Lives, given: Given) -> None:
    lives.crash(float(given.get("down", LAUNCHD_WAITS)))


async def _pause(lives: Lives, given: Given) -> None:
    """Written first and told then, as `healer pause` does it."""
    seconds = float(given.get("seconds", 0.0))
    until = lives.now() + seconds if seconds else None
    pause = Pause(_layer(given), until, "a human", str(given.get("reason", "maintenance")))
    lives.recorder.journal.pause(pause)
    await lives.tell(Paused(pause))


async def _resume(lives: Lives, given: Given) -> None:
    lives.recorder.journal.resume(_layer(given))
    await lives.tell(Resumed(_layer(given)))


async def _reset(lives: Lives, given: Given) -> None:
    lives.recorder.journal.reset(_layer(given))
    await lives.tell(WasReset(_layer(given)))


def _layer(given: Given) -> Layer | None:
    named = given.get("layer", "")
    return Layer(str(named)) if named else None


OURSELVES: Final[Mapping[str, Ourselves]] = {
    "healer_crashes": Ourselves(
        "healer is killed without a farewell; launchd starts it anew.",
        _crash,
        {"down": LAUNCHD_WAITS},
    ),
    "healer_paused": Ourselves(
        "Somebody runs `healer pause`.",
        _pause,
        {"seconds": 0.0, "layer": "", "reason": "maintenance"},
    ),
    "healer_resumed": Ourselves("Somebody runs `healer resume`.", _resume, {"layer": ""}),
    "healer_reset": Ourselves("Somebody runs `healer reset`.", _reset, {"layer": ""}),
}
"""By name, as a scenario calls it."""
