"""What befalls healer itself in a scenario: its end, and the words of a human to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from healer.core.facts import Pause, Paused, Resumed, WasReset
from healer.core.tower import Layer
from healer.drills.lives import LAUNCHD_WAITS, Lives
from healer.simulation.happenings import Choice, Number, Parameter, Value

Given = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Ourselves:
    """One thing that befalls healer."""

    about: str
    befall: Callable[[Lives, Given], Awaitable[None]]
    parameters: Mapping[str, Parameter]


async def _crash(lives: Lives, given: Given) -> None:
    lives.crash(float(given.get("down", LAUNCHD_WAITS)))


async def _pause(lives: Lives, given: Given) -> None:
    """Written first and told then, as `healer pause` does it."""
    seconds = float(given.get("seconds", 0.0))
    until = lives.now() + seconds if seconds else None
    pause = Pause(_layer(given), until, "a human", "maintenance")
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


CRASH: Final = "healer_crashes"
_LAYER: Final = Choice("of which layer; of all when it is left out", "", ("", *Layer))
_WAIT: Final = Number("seconds until launchd starts it anew", LAUNCHD_WAITS, 0.0, 86_400.0)
_LENGTH: Final = Number("for how many seconds; until resumed when 0", 0.0, 0.0, 30 * 86_400.0)

OURSELVES: Final[Mapping[str, Ourselves]] = MappingProxyType(
    {
        CRASH: Ourselves(
            "healer is killed without a farewell; launchd starts it anew.",
            _crash,
            {"down": _WAIT},
        ),
        "healer_paused": Ourselves(
            "Somebody runs `healer pause`.", _pause, {"seconds": _LENGTH, "layer": _LAYER}
        ),
        "healer_resumed": Ourselves("Somebody runs `healer resume`.", _resume, {"layer": _LAYER}),
        "healer_reset": Ourselves("Somebody runs `healer reset`.", _reset, {"layer": _LAYER}),
    }
)
"""By name, as a scenario calls it."""
