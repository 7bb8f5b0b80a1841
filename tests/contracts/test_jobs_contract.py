"""The simulated launchd and the adapter over the stand-in keep the same promises."""

from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.job_ports import SimulatedJobHands, SimulatedJobs
from healer.simulation.jobs import KILLED
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually
from tests.contracts.jobs_contract import CADDY, CHECKS, GATEWAY, Check
from tests.unit.adapters.jobs_mac import JobsMac


@dataclass(slots=True)
class SimulatedWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedJobs = field(init=False)
    hands: SimulatedJobHands = field(init=False)

    def __post_init__(self) -> None:
        """Look at it."""
        self.eyes, self.hands = SimulatedJobs(self.tower), SimulatedJobHands(self.tower)

    def die(self, label: str) -> None:
        """Killed."""
        HAPPENINGS["job_dies"].befall(self.tower, job=label)

    def boot_out(self, label: str) -> None:
        """By a human."""
        HAPPENINGS["job_booted_out"].befall(self.tower, job=label)

    def disable(self, label: str) -> None:
        """By a human."""
        HAPPENINGS["job_disabled"].befall(self.tower, job=label)


class StandinWorld:
    """The adapter over a launchctl that keeps state, each call a process."""

    def __init__(self, root: Path) -> None:
        self._mac = mac = JobsMac(root)
        mac.load(CADDY, "gui", pid=700, runs=1)
        mac.load(GATEWAY, "system", pid=701, runs=1)
        self.eyes = self.hands = mac.jobs()

    def die(self, label: str) -> None:
        """Killed."""
        self._mac.change(label, pid=None, last_signal=KILLED)

    def boot_out(self, label: str) -> None:
        """By a human."""
        self._mac.unload(label)

    def disable(self, label: str) -> None:
        """By a human."""
        self._mac.change(label, pid=None)
        self._mac.disable(label)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_simulated_launchd_keeps_its_promises(check: Check) -> None:
    """On virtual time."""
    run_virtually(lambda: check(SimulatedWorld()))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_its_promises(check: Check, tmp_path: Path) -> None:
    """Over the stand-in."""
    await check(StandinWorld(tmp_path))
