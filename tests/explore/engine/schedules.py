"""Schedules for the whole engine: what befalls a simulated tower, when, and when healer dies."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from healer.drills.lives import Crash
from healer.drills.ourselves import OURSELVES
from healer.drills.scenario import Happens, Scenario
from healer.simulation.happenings import HAPPENINGS, Choice, Kind, Number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healer.simulation.happenings import Parameter, Value

OF_KIND: Final = {
    kind: tuple(name for name, one in HAPPENINGS.items() if one.kind is kind) for kind in Kind
}
_LONGEST: Final = 900.0
"""Seconds for which anything lasts here: a night's sleep teaches no more."""
_FURTHEST_BACK: Final = 300.0
"""Seconds by which a clock may jump back: the cluster tells by its own clock how long a pod has
been ending, so what is set back by a day is waited for that long, as the kubelet itself does."""
_TURNS: Final = 12_000
"""How often all tasks come to an await in a run of common length."""
_TO_OURSELVES: Final = tuple(one for one in OURSELVES if one != "healer_crashes")


@dataclass(frozen=True, slots=True)
class Schedule:
    """One run to be."""

    seed: int
    happens: tuple[Happens, ...]
    crashes: tuple[Crash, ...]

    @property
    def scenario(self) -> Scenario:
        """As the drills play it."""
        return Scenario(f"seed {self.seed}", "", self.happens)

    @property
    def befell(self) -> tuple[str, ...]:
        """The names of what befalls."""
        return tuple(one.what for one in self.happens)

    def without(self, number: int) -> Schedule:
        """The same without one happening, or without one crash when the number is past them."""
        if number < len(self.happens):
            kept = self.happens[:number] + self.happens[number + 1 :]
            return replace(self, happens=kept)
        number -= len(self.happens)
        return replace(self, crashes=self.crashes[:number] + self.crashes[number + 1 :])


def schedule_of(seed: int) -> Schedule:
    """One or two faults as a rule, now and then a human, noise, a sleep, a pause or a crash."""
    chance = random.Random(seed)
    happens = [_happens(chance, Kind.FAULT) for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3)))]
    others = [one for one in (Kind.HUMAN, Kind.TIME, Kind.NOISE) if chance.random() < 0.2]
    happens += [_happens(chance, kind) for kind in others]
    if chance.random() < 0.2:
        name = chance.choice(_TO_OURSELVES)
        happens.append(Happens(_time(chance), name, _given(chance, OURSELVES[name].parameters)))
    happens.sort(key=lambda one: one.at)
    crashes = [_crash(chance) for _ in range(chance.choice((0, 0, 1, 1, 2)))]
    return Schedule(seed, tuple(happens), tuple(crashes))


def _happens(chance: random.Random, kind: Kind) -> Happens:
    name = chance.choice(OF_KIND[kind])
    return Happens(_time(chance), name, _given(chance, HAPPENINGS[name].parameters))


def _time(chance: random.Random) -> float:
    """Close to each other, or at the boundaries of what follows from the first."""
    return round(chance.choice((10.0, chance.uniform(5, 20), chance.uniform(5, 150))), 2)


def _given(chance: random.Random, parameters: Mapping[str, Parameter]) -> Mapping[str, Value]:
    return {name: _value(chance, one) for name, one in parameters.items()}


def _value(chance: random.Random, one: Parameter) -> Value:
    match one:
        case Choice():
            return chance.choice(one.values)
        case Number():
            least = max(one.least, -_FURTHEST_BACK)
            most = min(one.most, max(_LONGEST, least))
            return round(chance.uniform(least, most), 1)


def _crash(chance: random.Random) -> Crash:
    """At any await, or at any time."""
    down = round(chance.uniform(0.5, 40.0), 1)
    if chance.random() < 0.7:
        return Crash(turn=chance.randrange(100, _TURNS), down=down)
    return Crash(at=_time(chance), down=down)
