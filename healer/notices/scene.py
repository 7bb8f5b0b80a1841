"""Everything that deciding about notices looks at, at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from healer.core.world import World
from healer.model.notice import Kind, Notice

Name = tuple[str, Kind]
"""What a notice is known by: its incident and its kind."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment, on every clock that counts."""

    now: float
    """On the engine's clock, which counts the Mac's sleep."""
    awake: float
    """Seconds on the clock that stands still while the Mac sleeps."""
    wall: float
    """Epoch seconds."""
    day: str
    """The local date, `2026-02-21`."""
    hour: int
    """The local hour."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The world, the moment, and what a human was told already."""

    world: World
    at: Moment
    told: Mapping[Name, Notice]
