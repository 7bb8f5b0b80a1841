"""The inside of a VM."""

from dataclasses import replace

from healer.model.machine import GuestFacts, Unit
from healer.ports import TargetIll
from tests.fakes.faulty import Faulty

ACTIVE = Unit("active", "success")
WELL = GuestFacts(
    uptime=7200.0,
    clock=1_700_000_000.3,
    asked_at=1_700_000_000.0,
    bridge_netfilter=True,
    vxlan=True,
    persisted=True,
    disk_used=0.41,
    engine_answers=True,
    docker=ACTIVE,
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
