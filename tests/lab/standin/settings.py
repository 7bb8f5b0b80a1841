"""Where a virtual Mac keeps its things, and how it behaves: what every stand-in reads first."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MARK: Final = "HEALER_LAB_MAC"
"""Environment variable that all processes of a virtual Mac carry: the Mac's root folder."""
INNER: Final = "HEALER_LAB_INNER"
"""Set for the children of stand-ins, so that the journal of calls can tell them apart."""


@dataclass(frozen=True, slots=True)
class LabSettings:
    """How the stand-ins behave. Times are seconds; a real Mac's figure stands behind each."""

    colima_version: str = "0.10.3"
    """`main` answers a hung guest differently (facts/colima.md §1.6, Version trap)."""
    lima_version: str = "2.2.0"
    """Before 2.1.1 a stale in_use_by locks the disk (facts/colima.md §5)."""
    driver: str = "vz"
    """`vz`: the hostagent is the VM's process. `qemu`: the VM has one of its own."""
    cpus: int = 4
    memory: int = 8 << 30
    disk: int = 100 << 30
    """Bytes."""
    driver_delay: float = 0.1
    """From ha.pid to the driver's pid file; 1 to 4 s. `list` says Broken meanwhile."""
    ssh_delay: float = 0.0
    """From power-on until the ssh port may open; 10 to 60 s."""
    ready_delay: float = 0.0
    """From the first docker answer to READY; about 10 s."""
    engine_gap: float = 0.0
    """How long the engine is gone while Colima provisions, about 50 s (facts/colima.md §8);
    0 leaves the engine alone, which saves the seconds of its restart."""
    start_timeout: float = 20.0
    """How long `limactl start` waits for READY; 600 s."""
    poweroff_timeout: float = 20.0
    """How long a guest may take to power off before its power is cut; 30 s."""
    responsive_timeout: float = 1.0
    """How long colima's `main` waits for a hung guest in `stop`; 5 s."""
    restart_pause: float = 0.1
    """Between stop and start of `colima restart`; 3 s."""
    info_timeout: float = 3.0
    """How long Lima waits for /v1/info before it says Broken; 3 s."""
    port_poll: float = 0.2
    """Between two looks of the guest agent at listening sockets; 3 s."""
    start_fault: str = ""
    """`stuck_driver`: ha.pid, but no VM. `stuck_ssh`: a VM whose ssh port stays closed. Both hold
    the boot until the setting changes. `degraded`: the boot scripts fail, the VM stays up."""


@dataclass(frozen=True)
class Lab:
    """One virtual Mac's folders. The root must be short: sockets live below it."""

    root: Path

    @property
    def home(self) -> Path:
        """HOME of the Mac's user."""
        return self.root / "home"

    @property
    def bin(self) -> Path:
        """The stand-in commands."""
        return self.root / "bin"

    @property
    def guest(self) -> Path:
        """What the VM starts: its init and its stand-in commands."""
        return self.root / "guest"

    @property
    def disk(self) -> Path:
        """The VM's disk: what outlives a power cut."""
        return self.root / "disk"

    @property
    def calls(self) -> Path:
        """The journal of calls: JSON lines."""
        return self.root / "calls.jsonl"

    @property
    def vm(self) -> Path:
        """Facts of the VM that runs: pids as the Mac sees them."""
        return self.root / "vm.json"

    @property
    def engine(self) -> Path:
        """A link to the guest's own docker.sock, which no mux can break."""
        return self.root / "engine.sock"

    @property
    def flags(self) -> Path:
        """A link to the guest's /run/guest: one empty file per loaded kernel module."""
        return self.root / "flags"

    @property
    def group(self) -> str:
        """The name of the VM's control groups."""
        return f"healer-lab-{self.root.name}"

    @property
    def real_docker(self) -> Path:
        """A link to the docker client of this machine."""
        return self.root / "real" / "docker"

    @cached_property
    def settings(self) -> LabSettings:
        """As they were when first asked for."""
        return LabSettings(**json.loads((self.root / "settings.json").read_text("utf-8")))

    def write(self, settings: LabSettings) -> None:
        """Let every command that starts from now on behave so."""
        replace(self.root / "settings.json", json.dumps(asdict(settings)))

    def vm_pids(self) -> dict[str, int]:
        """`driver`, `unshare` and `init`, or nothing when no VM was started."""
        try:
            found: dict[str, int] = json.loads(self.vm.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    unfinished.write_text(text, "utf-8")
    unfinished.rename(path)


def version(text: str) -> tuple[int, ...]:
    """For comparing; `main` is newer than all."""
    if text == "main":
        return (1 << 30,)
    return tuple(int(part) for part in text.lstrip("v").split("."))
