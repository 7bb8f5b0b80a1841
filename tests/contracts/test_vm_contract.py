"""Colima is seen as promised, by the real adapter and by the simulation alike."""

import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from healer.adapters.colima_eyes import ColimaEyes
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually
from healer.simulation.vm_ports import SimulatedVm
from tests.contracts.vm_contract import CHECKS, Check
from tests.lab.virtual.versions import MATRIX, Versions
from tests.unit.adapters.colima_mac import BEFORE, Mac
from tests.unit.adapters.test_colima_eyes import hostagent_socket, reply

_READY = '{"time":"2023-11-14T22:00:00Z","status":{"running":true,"sshLocalPort":41419}}\n'

_TOLD = '{"level":"info","msg":"Received SIGINT, shutting down the host agent"}\n'
RECORDED = Path(__file__).parents[1] / "recordings" / "colima"


@dataclass(slots=True)
class MacWorld:
    """True files, processes and sockets; only `colima list` is a script."""

    mac: Mac
    stack: AsyncExitStack
    versions: Versions

    @property
    def believes_old_pid_files(self) -> bool:
        """As this Lima does."""
        return self.versions.believes_old_pid_files

    def _lists(self, status: str) -> None:
        told = status == "Running" or self.versions.tells_runtime_of_stopped
        self.mac.lists(status, tells_runtime=told)

    @property
    def eyes(self) -> ColimaEyes:
        """The adapter."""
        return self.mac.eyes()

    async def run(self) -> None:
        """A process that looks like a hostagent, and a listener that speaks for it."""
        self.mac.create()
        self.mac.run_hostagent()
        self.mac.write(self.mac.instance / "ha.stdout.log", _READY)
        serving = hostagent_socket(self.mac.instance / "ha.sock", reply(b'{"sshLocalPort":41419}'))
        await self.stack.enter_async_context(serving)
        self._lists("Running")

    async def stop_cleanly(self) -> None:
        """The hostagent's last words are of this boot."""
        self.mac.create()
        self.mac.write(self.mac.instance / "ha.stderr.log", _TOLD)
        self._lists("Stopped")

    async def lose_the_driver(self) -> None:
        """Recorded words of a real one."""
        await self.stop_cleanly()
        said = (RECORDED / "ha.stderr.crash.log").read_text(encoding="utf-8")
        self.mac.write(self.mac.instance / "ha.stderr.log", said)

    async def crash(self) -> None:
        """A pid that nobody has, and sockets on which nobody listens."""
        await self.stop_cleanly()
        self.mac.write(self.mac.instance / "ha.stderr.log", "")
        self.mac.write(self.mac.instance / "ha.pid", "4194305\n")
        for path in (self.mac.instance / "ha.sock", self.mac.paths.docker_socket):
            with socket.socket(socket.AF_UNIX) as one:
                one.bind(str(path))

    async def reboot_with_reused_pids(self) -> None:
        """Everything is older than the boot but the stranger."""
        self.mac.create()
        self.mac.write(self.mac.instance / "ha.stderr.log", "running\n", BEFORE)
        stranger = self.mac.run_process("/usr/libexec/sirittsd")
        self.mac.write(self.mac.instance / "ha.pid", f"{stranger}\n", BEFORE)
        self._lists("Broken" if self.believes_old_pid_files else "Stopped")

    async def unmake(self) -> None:
        """No folder, and an empty list."""
        shutil.rmtree(self.mac.instance)
        self.mac.lists("missing")


@dataclass(slots=True)
class SimulatedMacWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedVm = field(init=False)
    believes_old_pid_files: bool = True

    def __post_init__(self) -> None:
        """Look at its Colima."""
        self.eyes = SimulatedVm(self.tower)

    async def run(self) -> None:
        """It does."""

    async def stop_cleanly(self) -> None:
        """Somebody's `colima stop`, to its end."""
        HAPPENINGS["vm_stopped_by_human"].befall(self.tower)
        await anyio.sleep(10.0)

    async def lose_the_driver(self) -> None:
        """At once."""
        HAPPENINGS["vm_crashes"].befall(self.tower)

    async def crash(self) -> None:
        """At once."""
        HAPPENINGS["vm_power_cut"].befall(self.tower)

    async def reboot_with_reused_pids(self) -> None:
        """And Broken for ever."""
        HAPPENINGS["vm_broken"].befall(self.tower)

    async def unmake(self) -> None:
        """Somebody deleted it."""
        HAPPENINGS["vm_missing"].befall(self.tower)


def _mac(folder: str) -> Mac:
    return Mac(Path(folder).resolve())


@pytest.fixture(params=MATRIX, ids=str)
async def real(request: pytest.FixtureRequest) -> AsyncIterator[MacWorld]:
    """A Mac in one folder, whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="hv", dir="/tmp") as folder:
        mac = _mac(folder)
        async with AsyncExitStack() as stack:
            stack.callback(mac.end)
            yield MacWorld(mac, stack, request.param)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_it(real: MacWorld, check: Check) -> None:
    """The real adapter, over true files and processes, with each version's words."""
    await check(real)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_simulation_keeps_it(check: Check) -> None:
    """The simulated VM, on virtual time."""
    run_virtually(lambda: check(SimulatedMacWorld()))
