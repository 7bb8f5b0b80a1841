"""A VM that is started, stopped and broken as Colima does it (facts/colima.md §1.5-§1.7)."""

from dataclasses import replace

from healer.core.facts import Act
from healer.model.machine import Forwarder, Hostagent, VmStatus
from healer.ports import ActFailed
from tests.fakes.faulty import Faulty

WALL = 1_700_000_000.0
RUNNING = Hostagent(
    created=True,
    pid=500,
    pid_alive=True,
    pid_is_ours=True,
    answers=True,
    ssh_port=54321,
    ready=True,
    logged_at=WALL - 1.0,
)
STOPPED = Hostagent(created=True, driver_alive=False, logged_at=WALL - 120.0)
"""As `FakeClock` and `FakeHost` tell the time: in this boot, two minutes ago."""
BROKEN = replace(
    RUNNING, answers=False, ssh_port=None, driver_alive=True, leftovers=("ha.pid", "ha.sock")
)
AFTER_REBOOT = Hostagent(
    created=True,
    pid=500,
    pid_alive=True,
    pid_is_ours=False,
    pid_file_stale=True,
    driver_alive=False,
    leftovers=("ha.pid", "ha.sock", "docker.sock"),
    logged_at=WALL - 2_000_000.0,
    disk_locked_by="/Users/joel/.colima/_lima/colima",
)
"""A Mac that crashed and came up again, with the old pid given to a stranger."""


class FakeVm(Faulty):
    """Implements VmEyes and VmHands; a hung hand changes nothing, as if it was killed early."""

    def __init__(self, agent: Hostagent = RUNNING, state: VmStatus = VmStatus.RUNNING) -> None:
        super().__init__()
        self.agent = agent
        self.state = state
        self.profile_forwarder = Forwarder.SSH
        self.stop_works = True

    async def hostagent(self) -> Hostagent:
        """What the folder says."""
        await self.meet("hostagent")
        return self.agent

    async def status(self) -> VmStatus:
        """What `colima list` says."""
        await self.meet("status")
        return self.state

    async def usernet(self) -> None:
        """It answers on its own socket."""
        await self.meet("usernet")

    def forwarder(self) -> Forwarder:
        """What colima.yaml says."""
        self.meet_now("forwarder")
        return self.profile_forwarder

    async def start(self, act: Act) -> str:
        """Ignored when it runs, refused when it is Broken."""
        del act
        await self.meet("start", act="start")
        if self.state is VmStatus.RUNNING:
            return "already running, ignoring"
        if self.state is not VmStatus.STOPPED:
            raise ActFailed("colima start", "errors inspecting instance")
        self.state, self.agent = VmStatus.RUNNING, RUNNING
        return "done"

    async def stop(self, act: Act) -> str:
        """Does nothing to what does not run, and says 0 all the same."""
        del act
        await self.meet("stop", act="stop")
        if self.state is VmStatus.RUNNING and self.stop_works:
            self.state, self.agent = VmStatus.STOPPED, replace(STOPPED, logged_at=WALL)
        return "done"

    async def force_stop(self, act: Act) -> str:
        """Cuts the power, whatever lives in it."""
        del act
        await self.meet("force_stop", act="force_stop")
        if self.stop_works:
            self.state = VmStatus.STOPPED
            self.agent = replace(STOPPED, logged_at=WALL, leftovers=("docker.sock",))
        return "SIGKILL"

    async def remove_stale_files(self) -> str:
        """Removes them, if they are stale."""
        await self.meet("remove_stale_files", act="remove_stale_files")
        if self.agent.pid_file_stale:
            self.state, self.agent = VmStatus.STOPPED, Hostagent(created=True)
        return "removed ha.pid"
