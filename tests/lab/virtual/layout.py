"""Where the lab keeps its things, its settings, and the record of who called what."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, NoReturn

from tests.lab.virtual.versions import Versions

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MARK: Final = "HEALER_LAB"
"""Names the lab's root in the environment of each of its processes, so that all are found."""
BY: Final = "HEALER_LAB_BY"
"""Set to ``human`` by the lab itself, so that a call of healer's is told from it."""


@dataclass(slots=True)
class Settings:
    """What the stand-ins pretend; times are seconds, and real ones are ten times longer."""

    python: str = ""
    docker: str = ""
    repository: str = ""
    vm_type: str = "vz"
    """With vz the hostagent is the VM's process, too; qemu's is one of its own."""
    arch: str = "aarch64"
    cpus: int = 4
    memory: int = 8 << 30
    disk: int = 100 << 30
    mount_type: str = "virtiofs"
    driver_text: str = "macOS Virtualization.Framework"
    colima_version: str = "0.10.3"
    """0.10.1 never asks the guest in `stop --force`, 0.10.2 and 0.10.3 hang with it, main waits."""
    lima_version: str = "2.2.0"
    main_patience: float = 1.0
    """How long Colima's `main` waits for the guest in a stop; 5 s in truth."""
    never_ssh: bool = False
    ssh_delay: float = 0.0
    engine_gap: float = 0.0
    """For so long the engine is gone while Colima provisions; 0 = it is not restarted."""
    degraded: bool = False
    hostagent_patience: float = 5.0
    start_patience: float = 60.0
    """After which `limactl start` gives up; 600 s in truth."""
    poweroff_patience: float = 15.0
    restart_pause: float = 0.2
    port_poll: float = 0.2

    @property
    def versions(self) -> Versions:
        """What these versions do."""
        return Versions(self.colima_version, self.lima_version)


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one lab; everything lies under its root."""

    root: Path

    @property
    def home(self) -> Path:
        """The home of the Mac's user."""
        return self.root / "home"

    @property
    def binaries(self) -> Path:
        """Executables of the Mac, first in its PATH."""
        return self.root / "bin"

    @property
    def libexec(self) -> Path:
        """Programs that get a command line of Lima's."""
        return self.root / "libexec"

    @property
    def guest_binaries(self) -> Path:
        """Executables that come first in the guest's PATH."""
        return self.root / "guestbin"

    @property
    def disk(self) -> Path:
        """What the VM keeps when its power is cut."""
        return self.root / "disk"

    @property
    def guest_pid(self) -> Path:
        """The pid of the guest's init, as the machine counts."""
        return self.root / "guest.pid"

    @property
    def guest_engine(self) -> Path:
        """A link to the engine's socket in the guest of this boot."""
        return self.root / "guest.sock"

    @property
    def guest_flags(self) -> Path:
        """A link to /run/guest in the guest of this boot."""
        return self.root / "guest.flags"

    @property
    def colima(self) -> Path:
        """Colima's root."""
        return self.home / ".colima"

    @property
    def profile(self) -> Path:
        """The facts call it PROF."""
        return self.colima / "default"

    @property
    def lima(self) -> Path:
        """Lima's root."""
        return self.colima / "_lima"

    @property
    def instance(self) -> Path:
        """The facts call it INST."""
        return self.lima / "colima"

    @property
    def driver_pid(self) -> Path:
        """The pid of the process that is the VM."""
        return self.instance / f"{self.settings().vm_type}.pid"

    @property
    def networks(self) -> Path:
        """The folder that a start with nothing Running deletes."""
        return self.lima / "_networks"

    @property
    def usernet_pid(self) -> Path:
        """Where Lima notes the process of its user-v2 network."""
        return self.networks / "user-v2" / "usernet_user-v2.pid"

    @property
    def in_use_by(self) -> Path:
        """The data disk's lock, a symlink without liveness."""
        return self.lima / "_disks" / "colima" / "in_use_by"

    @property
    def key(self) -> Path:
        """Lima's ssh key."""
        return self.lima / "_config" / "user"

    @property
    def ssh_config(self) -> Path:
        """How ssh reaches the guest."""
        return self.instance / "ssh.config"

    @property
    def cgroup(self) -> str:
        """The name of the VM's cgroups, which says whose they are."""
        return f"healer-{self.root.name}"

    def environment(self) -> dict[str, str]:
        """The Mac user's environment, without the lab's own executables."""
        return {
            "HOME": str(self.home),
            "PATH": SYSTEM_PATH,
            "LC_ALL": "C.UTF-8",
            MARK: str(self.root),
        }

    def settings(self) -> Settings:
        """What is pretended just now."""
        values = json.loads((self.root / "settings.json").read_text(encoding="utf-8"))
        known = {one.name for one in fields(Settings)}
        return Settings(**{name: value for name, value in values.items() if name in known})

    def write_settings(self, settings: Settings) -> None:
        """Pretend this from the next look on."""
        write(self.root / "settings.json", json.dumps(asdict(settings), indent=1))

    def record(self, tool: str, arguments: list[str]) -> None:
        """Note a call of a stand-in."""
        line = json.dumps(
            {
                "tool": tool,
                "argv": arguments,
                "by": os.environ.get(BY, ""),
                "pid": os.getpid(),
                "at": time.time(),
            }
        )
        descriptor = os.open(
            self.root / "calls.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644
        )
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)

    @property
    def forbidden(self) -> Path:
        """What was called that nobody may call."""
        return self.root / "forbidden"

    def forbid(self, what: str) -> NoReturn:
        """Leave a trace that fails the test, and end with Colima's code of failure."""
        with self.forbidden.open("a", encoding="utf-8") as trace:
            trace.write(f"{what}\n")
        sys.exit(1)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    beside.chmod(mode)
    beside.replace(path)


def link(path: Path, target: str) -> None:
    """Let a symlink point there instead."""
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def alive(pid: int) -> bool:
    """Whether there is a process of that number that has not ended; whose does not matter."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def read_pid(path: Path) -> int:
    """The pid in a file, 0 if there is none."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
