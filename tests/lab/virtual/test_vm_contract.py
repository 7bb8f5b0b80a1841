"""The stand-ins keep the contract of Colima's files and list, at every version of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from healer.adapters.colima_commands import ColimaCommands
from healer.adapters.colima_eyes import ColimaEyes
from healer.adapters.host import HostAdapter
from healer.adapters.process import ProcessRunner
from healer.model.machine import ColimaPaths
from tests.contracts.vm_contract import CHECKS, Check
from tests.lab.virtual.versions import MATRIX, Versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.virtual.mac import Mac

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


@dataclass(slots=True)
class LabWorld:
    """A VM that boots, behind stand-ins that pretend to be of that version."""

    mac: Mac
    versions: Versions

    @property
    def eyes(self) -> ColimaEyes:
        """The adapter."""
        environment = self.mac.environment
        runner, paths = ProcessRunner(), ColimaPaths(self.mac.layout.colima)
        host = HostAdapter(runner, self.mac.home, path=environment["PATH"])
        return ColimaEyes(ColimaCommands(runner, paths, host, environment))

    @property
    def believes_old_pid_files(self) -> bool:
        """As this Lima does."""
        return self.versions.believes_old_pid_files

    async def run(self) -> None:
        """It does."""

    async def stop_cleanly(self) -> None:
        """`colima stop`."""
        self.mac.stop_vm()

    async def crash(self) -> None:
        """All at once."""
        self.mac.cut_power()

    async def lose_the_driver(self) -> None:
        """The hostagent sees to the rest."""
        self.mac.crash()

    async def reboot_with_reused_pids(self) -> None:
        """With a process that has the hostagent's old number."""
        self.mac.reboot()
        self.mac.reuse_pid(self.mac.begin("sleep", "1000000").pid)

    async def unmake(self) -> None:
        """Its folder is gone; it comes back afterwards."""
        self.mac.stop_vm()
        self.mac.layout.instance.rename(self.mac.root / "instance.away")

    def back(self) -> None:
        """As the next test wants to find it."""
        away = self.mac.root / "instance.away"
        if away.exists():
            away.rename(self.mac.layout.instance)


@pytest.fixture(params=MATRIX, ids=str)
def world(mac: Mac, request: pytest.FixtureRequest) -> Iterator[LabWorld]:
    """Of each version."""
    versions: Versions = request.param
    mac.pretend(colima_version=versions.colima, lima_version=versions.lima)
    one = LabWorld(mac, versions)
    yield one
    one.back()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_stand_ins_keep_it(world: LabWorld, check: Check) -> None:
    """Through the same adapter as on a Mac."""
    await check(world)


def test_autostart_makes_a_job_of_launchd_s(mac: Mac) -> None:
    """At login an agent, at boot a daemon, by labels that name the instance."""
    library = mac.home / "Library"
    for condition, folder, kind in (
        ("login", "LaunchAgents", "autostart"),
        ("boot", "LaunchDaemons", "daemon"),
    ):
        plist = library / folder / f"io.lima-vm.{kind}.colima.plist"
        words = ("colima", f"--condition={condition}")
        assert 0 == mac.run("limactl", "autostart", "enable", *words).returncode
        assert plist.exists()
        mac.run("limactl", "autostart", "disable", *words)
        assert not plist.exists()
