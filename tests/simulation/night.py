"""Passes over one simulated tower on virtual time, with everything that they did to it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from healer.core.facts import Act, Decision
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.engine.passing import Ended, Mode, Pass
from healer.engine.quiet import Snapshot
from healer.engine.telling import Told
from healer.ports import Journal, Remedial
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.simulation.happenings import healthy_tower
from healer.simulation.mac_ports import OURS, SimulatedClock
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually
from healer.wiring.parts import OurChildren, parts_of
from healer.wiring.simulated import simulated_outside


class Counted:
    """A real remedy whose acts are counted."""

    def __init__(
        self, real: Remedial, done: list[Remedy], begun: list[Remedy] | None = None
    ) -> None:
        self.remedy = real.remedy
        self._real = real
        self._done = done
        self._begun = [] if begun is None else begun

    async def needed(self, act: Act) -> str:
        """Ask the real one."""
        return await self._real.needed(act)

    async def act(self, act: Act) -> str:
        """Let the real one do it, and count it when it was done."""
        self._begun.append(self.remedy)
        said = await self._real.act(act)
        self._done.append(self.remedy)
        return said


@dataclass
class SimulatedNight:
    """A tower, the acts that were really done to it, and all that was decided."""

    tower: Tower
    done: list[Remedy] = field(default_factory=list)
    begun: list[Remedy] = field(default_factory=list)
    """With those whose healer died before they ended; the tower goes on with some of them."""
    told_all: list[Told] = field(default_factory=list)
    runs: int = 0

    def told(self, told: Told) -> None:
        """Remember."""
        self.told_all.append(told)

    def decided(self) -> Sequence[Decision]:
        """Every decision of every run."""
        return [one for told in self.told_all for one in told.decisions]

    @property
    def clock(self) -> SimulatedClock:
        """The tower's time."""
        return SimulatedClock(self.tower)

    async def once(
        self, journal: Journal | None = None, *, mode: Mode = Mode.HEAL, deadline: float = 1200.0
    ) -> Ended:
        """One `healer --once`."""
        self.runs += 1
        return await self._pass(journal or Snapshot(Ledger()), mode).run(deadline)

    def _pass(self, journal: Journal, mode: Mode) -> Pass:
        settings = Settings()
        policy = policy_of(settings, run=f"run{self.runs}", one_pass=True)
        outside = simulated_outside(self.tower)
        parts = parts_of(outside, settings, journal, self, OurChildren(journal, OURS))
        counted: dict[Remedy, Remedial] = {
            name: Counted(real, self.done, self.begun) for name, real in parts.remedies.items()
        }
        return Pass(replace(parts, remedies=counted), policy, mode)


def play(
    befall: Callable[[Tower], None], play_on: Callable[[SimulatedNight], Awaitable[None]]
) -> SimulatedNight:
    """Let something befall a healthy tower, and what follows happen on virtual time."""

    async def main() -> SimulatedNight:
        night = SimulatedNight(healthy_tower(anyio.current_time))
        befall(night.tower)
        await play_on(night)
        return night

    return run_virtually(main)
