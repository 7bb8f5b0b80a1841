"""What a happening is: something that befalls a tower, from outside of healer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from healer.core.tower import Layer
from healer.simulation.physics import Tower

Value = str | float
"""What a parameter may be given."""
Befall = Callable[..., None]


class Kind(StrEnum):
    """Whose doing it is."""

    FAULT = "fault"
    HUMAN = "human"
    TIME = "time"
    """Sleep, wake, reboots and jumps of clocks."""
    NOISE = "noise"
    """Nothing is ill: answers are slow, old or lost, or names have changed."""


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter in seconds, per cent or the like."""

    about: str
    default: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter that is one of a few words or ports."""

    about: str
    default: Value
    values: tuple[Value, ...]


Parameter = Number | Choice


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that can befall a tower."""

    name: str
    about: str
    """One sentence, with its fact."""
    layer: Layer | None
    """Where it strikes first; None when it strikes no layer."""
    kind: Kind
    covered: bool
    """Whether the tower gets wholly well after it: a ladder of healer's answers it, or it passes
    by itself, or it makes no layer ill at all. Else healer can only tell a human."""
    act: Befall
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    ends_healer: bool = False
    """Whether healer's own process cannot outlive it (the Mac's reboot)."""

    def befall(self, tower: Tower, **parameters: Value) -> None:
        """Let it happen now. Raises ValueError for a parameter that it does not have."""
        unknown = parameters.keys() - self.parameters.keys()
        if unknown:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise ValueError(f"{self.name} has no parameter {min(unknown)}; it has: {known}")
        defaults = {name: one.default for name, one in self.parameters.items()}
        tower.now()
        self.act(tower, **{**defaults, **parameters})
        tower.changed()


def seconds(default: float, most: float, about: str = "how long it lasts, in seconds") -> Number:
    """A parameter of time."""
    return Number(about, default, 1.0, most)


def fault(
    name: str,
    layer: Layer,
    act: Befall,
    about: str,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    covered: bool = True,
) -> Happening:
    """A row of a table of faults."""
    return Happening(name, about, layer, Kind.FAULT, covered, act, parameters or {})
