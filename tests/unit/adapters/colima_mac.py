"""A Mac's worth of Colima in one folder: true files and processes, scripted tools."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from healer.adapters.colima_commands import ColimaCommands
from healer.adapters.colima_eyes import ColimaEyes
from healer.adapters.colima_hands import ColimaHands, Patience
from healer.adapters.colima_settling import Settling
from healer.adapters.host import HostAdapter
from healer.adapters.process import ProcessRunner
from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.machine import ColimaPaths, ProcessInfo
from tests.unit.adapters.helpers import write_tool

BOOT = 1_700_000_000.0
"""When this Mac booted."""
BEFORE = BOOT - 3600
AFTER = BOOT + 600
NOW = BOOT + 3600

ACT = Act("a1", Remedy.START_VM, Layer.COLIMA, Reason.COLIMA_STOPPED, "list says Stopped")

QUICK = Patience(start=20.0, silence=10.0, stop=20.0, force=10.0, lima_force=10.0, settle=10.0)


class VirtualClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds slept."""
        return sum(self.slept)

    def wall(self) -> float:
        """Epoch seconds."""
        return NOW + self.now()

    def awake(self) -> float:
        """The same: this Mac never sleeps."""
        return self.now()

    def boot_id(self) -> str:
        """The one boot."""
        return "boot"

    async def sleep(self, seconds: float) -> None:
        """Take it down and go on."""
        self.slept.append(seconds)


@dataclass
class Spawned:
    """Children that were told of."""

    seen: list[tuple[Act, int, float]] = field(default_factory=list)

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Take it down."""
        self.seen.append((act, pid, started))


class OneMac(HostAdapter):
    """This machine with the processes of one Mac alone: others may play Colima beside it."""

    def __init__(self, runner: ProcessRunner, home: Path, path: str) -> None:
        super().__init__(runner, home, path=path)
        self.asked = 0
        self.pids: set[int] = set()
        self.table: list[ProcessInfo] | None = None
        """Shown in place of what runs."""
        self.fault: Exception | None = None

    async def processes(self) -> Sequence[ProcessInfo]:
        """Those that this Mac has started."""
        self.asked += 1
        if self.fault:
            raise self.fault
        if self.table is not None:
            return self.table
        return [one for one in await super().processes() if one.pid in self.pids]

    def boot_time(self) -> float:
        """When this Mac booted."""
        if self.fault:
            raise self.fault
        return BOOT


class Mac:
    """Files under `home`, scripts under `bin`; `script` says what a command does."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.paths = ColimaPaths(home / ".colima")
        self.instance.mkdir(parents=True)
        self.paths.profile_folder.mkdir()
        self.usernet_pid.parent.mkdir(parents=True)
        self.logs = home / "state"
        self.calls_file = home / "calls"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.progress: list[str] = []
        self.children = Spawned()
        self.clock = VirtualClock()
        self.path = f"{home}/bin:/usr/bin:/bin"
        self.runner = ProcessRunner(term_grace=0.1)
        self.host = OneMac(self.runner, home, self.path)
        for tool in ("colima", "limactl"):
            write_tool(
                home / "bin",
                tool,
                f'echo "{tool} $*" >> {self.calls_file}\n'
                '[ "$1" = -p ] && shift 2\n'
                f'. {home}/{tool}-"$1"',
            )

    @property
    def instance(self) -> Path:
        """INST of the facts."""
        return self.paths.instance

    @property
    def usernet_pid(self) -> Path:
        """The pid file of user-v2."""
        return self.paths.lima_home / "_networks" / "user-v2" / "usernet_user-v2.pid"

    def script(self, command: str, text: str) -> None:
        """What `colima-list`, `limactl-stop`, … do from now on."""
        (self.home / command).write_text(text + "\n", encoding="utf-8")

    def lists(self, *statuses: str, tells_runtime: bool = True) -> None:
        """`colima list` says these one after the other, and the last one ever after."""
        answers = self.home / "answers"
        answers.mkdir(exist_ok=True)
        for number, status in enumerate(statuses):
            row = {"name": "default", "status": status}
            row |= {"runtime": "docker"} if tells_runtime else {}
            text = json.dumps(row) if status != "missing" else ""
            (answers / str(number)).write_text(text + "\n", encoding="utf-8")
        self.script(
            "colima-list",
            f'cd {answers}; set -- *; cat "$1"; [ $# -gt 1 ] && rm "$1"; exit 0',
        )

    def calls(self) -> list[str]:
        """What was run, but for looks."""
        if not self.calls_file.exists():
            return []
        lines = self.calls_file.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if " list " not in line]

    def write(self, path: Path, text: str = "", modified: float = AFTER) -> Path:
        """Make a file of that time."""
        path.write_text(text, encoding="utf-8")
        os.utime(path, (modified, modified))
        return path

    def create(self) -> None:
        """The VM was made once."""
        self.write(self.instance / "lima.yaml")

    def run_process(self, argv0: str) -> int:
        """Start a process with that command line; return its pid."""
        process = subprocess.Popen([argv0, "600"], executable="/bin/sleep")
        self.processes.append(process)
        self.host.pids.add(process.pid)
        return process.pid

    def run_hostagent(self, name: str = "colima", modified: float = AFTER) -> int:
        """Start what looks like the hostagent, with its pid file."""
        file = self.instance / "ha.pid"
        pid = self.run_process(f"/opt/bin/limactl hostagent --pidfile {file} {name}")
        self.write(file, f"{pid}\n", modified)
        return pid

    def end(self) -> None:
        """End what was started."""
        for process in self.processes:
            process.kill()
            process.wait()

    def commands(self) -> ColimaCommands:
        """The adapters' way to the tools."""
        env = {"PATH": self.path, "HOME": str(self.home), "COLIMA_PROFILE": "other"}
        return ColimaCommands(self.runner, self.paths, self.host, env)

    def eyes(self, *, info_deadline: float = 5.0, list_deadline: float = 10.0) -> ColimaEyes:
        """The eyes, with deadlines that a busy machine can meet."""
        return ColimaEyes(self.commands(), info_deadline=info_deadline, list_deadline=list_deadline)

    def hands(self, patience: Patience = QUICK) -> ColimaHands:
        """The hands."""
        return ColimaHands(
            self.commands(),
            Settling(self.eyes(), self.clock),
            self.children,
            self.logs,
            progress=self.progress.append,
            patience=patience,
        )
