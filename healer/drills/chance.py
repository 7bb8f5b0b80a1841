"""A scenario drawn by chance: the same seed draws the same one."""

from collections.abc import Mapping
from random import Random
from typing import Final

from healer.drills.ourselves import CRASH
from healer.drills.scenario import Expect, Happens, Scenario
from healer.simulation.happenings import HAPPENINGS, Number, Parameter, Value

_MOST: Final = 4
_WITHIN: Final = 900.0
"""Seconds within which all of it happens: what comes close together is what surprises."""
_CRASHES: Final = 0.3
"""Share of scenarios in which healer itself is killed once."""
_ASKS_NOTHING: Final = Expect(gives_up=None, ill=None)


def drawn(seed: int) -> Scenario:
    """Up to four things at times of their own; of it only the promises are asked."""
    chance = Random(f"scenario {seed}")  # noqa: S311  (a seeded draw, not a secret)
    picked = chance.sample(sorted(HAPPENINGS), chance.randint(1, _MOST))
    happens = [
        Happens(_time(chance), what, _given(HAPPENINGS[what].parameters, chance)) for what in picked
    ]
    if chance.random() < _CRASHES:
        happens.append(Happens(_time(chance), CRASH))
    happens.sort(key=lambda one: one.at)
    about = f"Drawn by chance: {', '.join(one.what for one in happens)}."
    return Scenario(f"random-{seed}", about, tuple(happens), _ASKS_NOTHING)


def _time(chance: Random) -> float:
    return round(chance.uniform(0.0, _WITHIN), 1)


def _given(parameters: Mapping[str, Parameter], chance: Random) -> dict[str, Value]:
    """Half of the time what is usual, else anything that is allowed."""
    return {
        name: one.default if chance.random() < 0.5 else _any(one, chance)  # noqa: PLR2004  (a half)
        for name, one in parameters.items()
    }


def _any(parameter: Parameter, chance: Random) -> Value:
    if isinstance(parameter, Number):
        return round(chance.uniform(parameter.least, parameter.most), 1)
    return chance.choice(parameter.values)
