"""The Mac: its boot, its disk, its tools, other owners of the tower, and who is at work on it."""

from dataclasses import dataclass, field

from healer.simulation.clockwork import Clockwork
from healer.simulation.front import Front
from healer.simulation.papers import Papers

ROOMY = 200 * 2**30
"""Bytes that are free on a Mac of which nobody complains."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Somebody's command that works on the tower: one line of the process list."""

    pid: int
    began: float
    command: str


@dataclass(slots=True)
class Mac:
    """What healer can know of the Mac itself."""

    clock: Clockwork
    booted_at: float = -86_400.0
    boots: int = 1
    """Counts its boots: a healer of an earlier one is dead."""
    disk_free: int = ROOMY
    missing: set[str] = field(default_factory=set)
    """Tools that PATH does not find."""
    rivals: tuple[str, ...] = ()
    """launchd's names of other owners that are loaded."""
    operations: list[Operation] = field(default_factory=list)
    papers: Papers = field(default_factory=Papers)
    front: Front = field(default_factory=Front)
    usernets: int = 1
    """`limactl usernet` processes; a forced stop leaves one behind (facts/colima.md §8)."""
    _pids: int = 20_000

    def begin(self, command: str) -> Operation:
        """A process begins."""
        self._pids += 11
        operation = Operation(self._pids, self.clock.at, command)
        self.operations.append(operation)
        return operation

    def end(self, operation: Operation) -> None:
        """It is over, unless the Mac's end was its own."""
        if operation in self.operations:
            self.operations.remove(operation)

    def end_all(self, command: str) -> None:
        """What it waited for has gone: every process of that command ends."""
        self.operations = [one for one in self.operations if one.command != command]

    def boot(self) -> None:
        """All its processes are gone."""
        self.boots += 1
        self.booted_at = self.clock.at
        self.operations.clear()
        self.usernets = 0
