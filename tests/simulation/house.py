"""A daemon over one simulated tower on virtual time, through as many lives as one likes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import anyio

from healer.adapters.journal import SqliteJournal
from healer.core.facts import Decision
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.tower import Layer
from healer.engine.daemon import Daemon, Paces, Senses, Surroundings
from healer.engine.parts import Parts
from healer.engine.quiet import Snapshot
from healer.engine.recording import EvidenceRecorder
from healer.engine.telling import Told
from healer.ports import Journal, Remedial
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.simulation.happenings import healthy_tower
from healer.simulation.mac_ports import OURS
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually
from healer.wiring.parts import Looks, OurChildren, parts_of
from healer.wiring.simulated import simulated_outside
from tests.simulation.night import Counted

CALM = dict.fromkeys(Layer, 15.0) | {Layer.PODS: 60.0, Layer.HOST: 60.0}


class Steady:
    """A pulse that nobody listens to."""

    def beat(self, name: str, within: float) -> None:
        """Unheard."""

    def ended(self, name: str) -> None:
        """Unheard."""


@dataclass
class SimulatedHouse:
    """A tower, what was really done to it, and everything that was decided."""

    tower: Tower
    journal: Journal = field(default_factory=lambda: Snapshot(Ledger()))
    done: list[Remedy] = field(default_factory=list)
    decided: list[Decision] = field(default_factory=list)
    lives: int = 0
    broke: list[Exception] = field(default_factory=list)
    """Why evidence could not be kept."""

    def told(self, told: Told) -> None:
        """Remember."""
        self.decided += told.decisions

    def daemon(self) -> Daemon:
        """Another life."""
        self.lives += 1
        settings, outside = Settings(), simulated_outside(self.tower)
        looks = Looks.over(outside, resident=True)
        children = OurChildren(self.journal, OURS)
        parts = parts_of(outside, settings, self.journal, self, children, looks)
        counted: dict[Remedy, Remedial] = {
            name: Counted(real, self.done) for name, real in parts.remedies.items()
        }
        policy = policy_of(settings, run=f"life{self.lives}", one_pass=False)
        parts = self._recorded(replace(parts, remedies=counted))
        senses = Senses(parts, policy, Paces(CALM))
        return Daemon(senses, Surroundings(Steady(), lambda: 0.5))

    def _recorded(self, parts: Parts) -> Parts:
        """A journal on a file keeps evidence too."""

        def broke(name: str, error: Exception | None) -> None:
            assert "evidence" == name
            self.broke += [] if error is None else [error]

        if not isinstance(self.journal, SqliteJournal):
            return parts
        recorder = EvidenceRecorder(self.journal, broke, "simulated")
        return replace(parts, began=recorder.began, stepped=recorder.stepped)

    async def live(self, seconds: float) -> Daemon:
        """One life of so many seconds, ended in good order."""
        daemon = self.daemon()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon.run)
            await anyio.sleep(seconds)
            daemon.stop()
        return daemon


def live(
    befall: Callable[[Tower], None], then: Callable[[SimulatedHouse], Awaitable[None]]
) -> SimulatedHouse:
    """Let something befall a healthy tower, and what follows happen."""

    async def main() -> SimulatedHouse:
        house = SimulatedHouse(healthy_tower(anyio.current_time))
        befall(house.tower)
        await then(house)
        return house

    return run_virtually(main)
