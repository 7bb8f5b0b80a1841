"""healer and two naive policies on the same schedules: downtime, and what it cost to end it."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import asdict, dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

import anyio

from healer.core.ladders import LIMITS
from healer.drills.ourselves import OURSELVES
from healer.drills.playing import Manner, Nobody, run
from healer.drills.scenario import Scenario
from healer.promises.recovery import CORDON
from healer.simulation.happenings import HAPPENINGS, Kind, healthy_tower
from healer.simulation.virtual_time import run_virtually
from healer.wiring.simulated import simulated_outside
from tests.explore.engine.schedules import schedule_of
from tests.explore.liveness.policies import Checklist, Hammer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from healer.drills.scenario import Happens
    from healer.simulation.physics import Tower

HOUR: Final = 3600.0
EVERY: Final = 5.0
"""Seconds between two samples of the truth."""


@dataclass
class Lived:
    """What a policy made of its schedules."""

    down: float = 0.0
    """Seconds for which some layer was truly ill, over all schedules."""
    ill_at_end: int = 0
    """Schedules at whose end the tower was still ill."""
    ill_under_cordon: int = 0
    """Those of them in which a human's cordon stood: pods that were replaced meanwhile (a restart
    of Talos replaces them all) find no node, and lifting it is for that human (I15, I12)."""
    disruptions: int = 0
    """How often something that may have been serving was taken down."""
    acts: int = 0
    harm: int = 0
    """What was done that should never be done, or undone of what a human had set."""
    by: Counter[str] = field(default_factory=Counter)

    def record(self) -> dict[str, Any]:
        """As JSON may hold it."""
        return {**asdict(self), "by": dict(self.by.most_common())}


@dataclass
class Sampler:
    """Looks at the truth again and again, whatever lives on the tower."""

    tower: Tower
    lasts: float
    down: float = 0.0

    def start(self) -> None:
        """From now on."""
        asyncio.get_running_loop().call_later(EVERY, self._sample)

    def _sample(self) -> None:
        if self.tower.now() > self.lasts:
            return
        if not self.tower.well:
            self.down += EVERY
        asyncio.get_running_loop().call_later(EVERY, self._sample)


class Sampling(Nobody):
    """Samples the tower of a drill."""

    def __init__(self) -> None:
        self._samplers: list[Sampler] = []

    def began(self, tower: Tower) -> None:
        """From the first second on."""
        self._samplers.append(Sampler(tower, HOUR))
        self._samplers[-1].start()

    @property
    def down(self) -> float:
        """Seconds for which it was ill."""
        return sum(one.down for one in self._samplers)

    @property
    def tower(self) -> Tower:
        """The last one."""
        return self._samplers[-1].tower


def _cordoned(tower: Tower) -> bool:
    return CORDON in tower.human.wishes and CORDON not in tower.undone()


def happens_of(seed: int) -> tuple[Happens, ...]:
    """What befalls the tower in a schedule, without what befalls healer alone."""
    happens = schedule_of(seed).happens
    return tuple(
        one for one in happens if one.what not in OURSELVES and not HAPPENINGS[one.what].ends_healer
    )


def lived_with_healer(happens: Sequence[Happens], seed: int, lived: Lived) -> None:
    """The real daemon over an hour."""
    watcher = Sampling()
    scenario = Scenario("liveness", "", tuple(happens), lasts=HOUR)
    played = run(scenario, seed=seed, manner=Manner(notices=False, watcher=watcher))
    remedies = [one.act.remedy for one in played.history.deeds]
    lived.down += watcher.down
    lived.ill_at_end += not played.history.well_at_end
    lived.ill_under_cordon += not played.history.well_at_end and _cordoned(watcher.tower)
    lived.disruptions += sum(LIMITS[one].disruptive for one in remedies)
    lived.acts += len(remedies)
    lived.harm += len(played.harm) + len(played.history.undone)
    lived.by.update(one.value for one in remedies)


def lived_with(kind: type[Checklist | Hammer], seed: int, lived: Lived) -> None:
    """A naive policy over an hour."""

    async def hour() -> None:
        tower = healthy_tower(anyio.current_time, Random(seed))
        policy, sampler = kind(simulated_outside(tower)), Sampler(tower, HOUR)
        sampler.start()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_befall, tower, happens_of(seed))
            tasks.start_soon(policy.run)
            await anyio.sleep(HOUR)
            tasks.cancel_scope.cancel()
        lived.down += sampler.down
        lived.ill_at_end += not tower.well
        lived.ill_under_cordon += not tower.well and _cordoned(tower)
        lived.disruptions += policy.disruptions
        lived.acts += sum(policy.done.values())
        lived.harm += len(tower.harm) + len(tower.undone())
        lived.by.update(policy.done)

    run_virtually(hour)


async def _befall(tower: Tower, happens: Sequence[Happens]) -> None:
    for one in sorted(happens, key=lambda it: it.at):
        await anyio.sleep(max(0.0, one.at - tower.now()))
        HAPPENINGS[one.what].befall(tower, **one.parameters)


def covered_seeds(first: int) -> Iterator[int]:
    """Schedules in which something befalls the tower, and a ladder of healer's answers all of it.

    Where none does, nothing that heals can shorten the time, and only the harm would differ.
    """
    for seed in itertools.count(first):
        happens = [HAPPENINGS[one.what] for one in happens_of(seed)]
        if any(one.kind is Kind.FAULT for one in happens) and all(one.covered for one in happens):
            yield seed


def compared(seeds: Iterable[int]) -> dict[str, Lived]:
    """All three on the same seeds."""
    lived = {"healer": Lived(), "checklist, 180 s": Lived(), "restart the VM": Lived()}
    for seed in seeds:
        lived_with_healer(happens_of(seed), seed, lived["healer"])
        lived_with(Checklist, seed, lived["checklist, 180 s"])
        lived_with(Hammer, seed, lived["restart the VM"])
    return lived


def record(lived: Mapping[str, Lived], schedules: int) -> dict[str, Any]:
    """As JSON may hold it."""
    policies = {name: one.record() for name, one in lived.items()}
    return {"schedules": schedules, "policies": policies}


def table(lived: dict[str, Lived], schedules: int) -> str:
    """Side by side, an hour of the tower a schedule."""
    lines = [
        f"{schedules} schedules of one hour each",
        f"{'':<18}{'down, h':>9}{'ill at end':>12}{'disruptions':>13}{'acts':>7}{'harm':>6}",
    ]
    lines += [
        f"{name:<18}{one.down / HOUR:>9.2f}{one.ill_at_end:>12}{one.disruptions:>13}"
        f"{one.acts:>7}{one.harm:>6}"
        for name, one in lived.items()
    ]
    return "\n".join(lines)
