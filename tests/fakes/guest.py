"""The inside of a VM."""

from dataclasses import replace

from healer.model.machine import FileSystem, GuestFacts, Unit
from healer.ports import TargetIll
from tests.fakes.faulty import Faulty

ACTIVE = Unit("active", "success", socket="active")
ASLEEP = Unit("inactive", "success", 30.0, socket="active")
"""As `systemctl stop docker.service` leaves it."""
ROOT_DISK = FileSystem("/dev/vda1", 0.05, ("/",))
DATA_DISK = FileSystem("/dev/vdb1", 0.41, ("/var/lib/docker", "/var/lib/containerd"))
WELL = GuestFacts(
    uptime=7200.0,
    clock=1_700_000_000.3,
    asked_at=1_700_000_000.0,
    bridge_netfilter=True,
    vxlan=True,
    persisted=True,
    disks=(ROOT_DISK, DATA_DISK),
    engine_answers=True,
    docker=ACTIVE,
    has_data_disk=True,
    container_status="running",
    api_answers=True,
)


class FakeGuest(Faulty):
    """Implements GuestEyes and GuestHands."""

    def __init__(self, inside: GuestFacts = WELL) -> None:
        super().__init__()
        self.inside = inside

    def die(self) -> None:
        """The port accepts and nobody speaks: a hung guest behind usernet."""
        self.faults["banner"] = TargetIll("ssh port 54321", "no banner within 5 s")
        self.faults["facts"] = TargetIll("ssh", "Connection timed out during banner exchange")

    async def banner(self) -> str:
        """Sshd's first line."""
        await self.meet("banner")
        return "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13"

    async def facts(self) -> GuestFacts:
        """Everything."""
        await self.meet("facts")
        return self.inside

    async def load_modules(self) -> str:
        """Loads and keeps both."""
        await self.meet("load_modules", act="load_modules")
        self.inside = replace(self.inside, bridge_netfilter=True, vxlan=True, persisted=True)
        return "loaded br_netfilter and vxlan"

    async def restart_engine(self) -> str:
        """Brings dockerd back."""
        await self.meet("restart_engine", act="restart_engine")
        self.inside = replace(self.inside, engine_answers=True, docker=ACTIVE)
        return "restarted docker"

    async def start_engine(self) -> str:
        """Brings dockerd back."""
        await self.meet("start_engine", act="start_engine")
        self.inside = replace(self.inside, engine_answers=True, docker=ACTIVE)
        return "started docker"
