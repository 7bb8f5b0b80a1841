"""A Mac of values."""

from collections.abc import Sequence
from pathlib import Path

from healer.model.machine import ProcessInfo
from tests.fakes.faulty import Faulty

ALL_TOOLS = ("colima", "limactl", "docker", "ssh", "kubectl", "talosctl")


def process(pid: int, command: str, *, age: float = 100.0, ppid: int = 1) -> ProcessInfo:
    """One line of the process list."""
    return ProcessInfo(pid, ppid, "joel", age, command)


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
