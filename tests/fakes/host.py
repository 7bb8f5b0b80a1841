"""A Mac of values."""

from collections.abc import Sequence
from pathlib import Path

from healer.core.observation import ForeignOperation
from healer.model.identity import Ours
from healer.model.machine import ColimaPaths, ProcessInfo
from healer.model.operations import foreign_operations
from tests.fakes.faulty import Faulty

ALL_TOOLS = ("colima", "limactl", "docker", "ssh", "kubectl", "talosctl")


LIMA = Path("/Users/joel/.colima/_lima")
UID = 501
OURS = Ours(UID, ColimaPaths(LIMA.parent), frozenset({LIMA}))
HOSTAGENT = f"/opt/bin/limactl hostagent --pidfile {LIMA}/colima/ha.pid --socket x colima"
USERNET = f"/opt/bin/limactl usernet -p {LIMA}/_networks/user-v2/usernet_user-v2.pid -e x"
MUX = f"ssh: {LIMA}/colima/ssh.sock [mux]"


def process(
    pid: int, command: str, *, age: float = 100.0, ppid: int = 1, uid: int = UID
) -> ProcessInfo:
    """One process, joel's unless told otherwise."""
    return ProcessInfo(pid, ppid, uid, age, command)


def foreign(processes: Sequence[ProcessInfo]) -> tuple[ForeignOperation, ...]:
    """Work that is not healer's, which is process 10."""
    return foreign_operations(processes, {10}, OURS, {"joelclaw-controlplane-1"})


class FakeHost(Faulty):
    """Implements HostEyes."""

    def __init__(self) -> None:
        super().__init__()
        self.tools = set(ALL_TOOLS)
        self.table: list[ProcessInfo] = []
        self.free = 50 * 1024**3
        self.rivals: list[str] = []

    def tool(self, name: str) -> Path | None:
        """Where it is, if it is there."""
        return Path("/opt/homebrew/bin") / name if name in self.tools else None

    async def processes(self) -> Sequence[ProcessInfo]:
        """The table."""
        await self.meet("processes")
        return tuple(self.table)

    def boot_time(self) -> float:
        """Long ago."""
        self.meet_now("boot_time")
        return 1_699_000_000.0

    def disk_free(self) -> int:
        """Bytes."""
        self.meet_now("disk_free")
        return self.free

    async def loaded_rivals(self) -> Sequence[str]:
        """The rivals."""
        await self.meet("loaded_rivals")
        return tuple(self.rivals)
