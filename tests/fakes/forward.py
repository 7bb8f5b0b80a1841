"""Lima's ssh master, and what it carries to the Mac (facts/colima.md §3, "Observed")."""

from collections.abc import Sequence
from typing import Final

from healer.model.machine import Mux, MuxState
from healer.ports import ActFailed, TargetIll, TargetSilent
from tests.fakes.engine import FakeEngine
from tests.fakes.faulty import Faulty

REFUSED: Final = TargetIll("docker.sock /_ping", "Connection refused")
SILENT: Final = TargetSilent("docker.sock /_ping", "accepted, no answer within 5 s")
RESET: Final = TargetIll("docker.sock /_ping", "Connection reset by peer")


class FakeForward(Faulty):
    """Implements ForwardEyes and ForwardHands, and carries the engine's socket and the ports."""

    def __init__(self, engine: FakeEngine | None = None) -> None:
        super().__init__()
        self.engine = engine or FakeEngine()
        self.master = Mux(MuxState.LIVE, 1224)
        self.ports: set[int] = set()

    def die(self) -> None:
        """The master was killed: every socket stays and refuses."""
        self.master = Mux(MuxState.DEAD)
        self.engine.faults["ping"] = self.engine.faults["container"] = REFUSED
        self.ports.clear()

    def wedge(self) -> None:
        """The master lives, accepts and passes nothing on."""
        self.master = Mux(MuxState.WEDGED, 1224)
        self.engine.faults["ping"] = self.engine.faults["container"] = SILENT

    async def mux(self) -> Mux:
        """The master."""
        await self.meet("mux")
        return self.master

    async def reforward(self, ports: Sequence[tuple[str, int]]) -> str:
        """Fails behind a wedged master, makes a new one when there is none."""
        await self.meet("reforward", act=f"reforward {list(ports)}")
        if self.master.state is MuxState.WEDGED:
            raise ActFailed("ssh -O forward", "no answer within 10 s")
        self.master = Mux(MuxState.LIVE, self.master.pid or 1300)
        self.engine.faults.pop("ping", None)
        self.engine.faults.pop("container", None)
        self.ports |= {port for _, port in ports}
        return f"forwarded docker.sock and {len(ports)} ports"

    async def term_mux(self) -> str:
        """Ends the master; its socket files stay and refuse."""
        await self.meet("term_mux", act="term_mux")
        self.die()
        return "ended ssh master"
