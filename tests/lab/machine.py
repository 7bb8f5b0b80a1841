"""What the virtual Mac needs of the machine it runs on, and its processes there."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.standin.instance import state
from tests.lab.standin.settings import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NEEDED: Final = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "containerd": "containerd",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "iptables": "iptables",
    "busybox": "busybox-static",
    "ps": "procps",
}
"""Program and the Debian package that has it."""
GONE_DEADLINE: Final = 20.0
LOOK: Final = 0.02


class LabError(Exception):
    """The lab itself did not do what it promises; the message says what."""


def missing_parts() -> str:
    """Why no virtual Mac can run here; empty when one can."""
    if sys.platform != "linux":
        return "the virtual Mac needs Linux"
    if os.geteuid() != 0:
        return "the virtual Mac needs root"
    lacking = {package for name, package in NEEDED.items() if not find(name)}
    if lacking:
        return f"the virtual Mac needs: apt-get install {' '.join(sorted(lacking))}"
    if not Path("/sys/fs/cgroup/freezer").is_dir():
        return "the virtual Mac needs the controllers of cgroup v1"
    return ""


def find(name: str) -> str | None:
    """A program of this machine, whatever PATH the tests were started with."""
    return shutil.which(name, path=SYSTEM_PATH)


def tool(name: str) -> str:
    """The same; LabError names its package."""
    found = find(name)
    if found is None:
        raise LabError(f"{name} is missing: apt-get install {NEEDED.get(name, name)}")
    return found


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a virtual Mac, as `ps` shows it."""

    pid: int
    command: str

    @property
    def is_alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        return state(self.pid) not in {"", "Z", "X"}


def processes(root: Path, group: str) -> list[Process]:
    """Every process that belongs to the Mac of that root: by mark, command line or cgroup."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            process = _process(folder, root, group)
            if process is not None and process.is_alive:
                found.append(process)
    return sorted(found, key=lambda one: one.pid)


def _process(folder: Path, root: Path, group: str) -> Process | None:
    try:
        words = (folder / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        command = words.decode("utf-8", "replace")
        ours = (
            f"{root}/" in command
            or f"{MARK}={root}\0".encode() in (folder / "environ").read_bytes() + b"\0"
            or f"/{group}" in (folder / "cgroup").read_text("utf-8")
        )
    except OSError:
        return None
    return Process(int(folder.name), command) if ours else None


def send(pids: Iterable[int], number: int) -> None:
    """A signal to each that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill(pids: Iterable[int]) -> None:
    """SIGKILL, and wait until they are gone."""
    gone = list(pids)
    send(gone, signal.SIGKILL)
    eventually(f"processes {gone} are gone", lambda: not any(map(_runs, gone)))


def _runs(pid: int) -> bool:
    # A child of this very process stays a zombie until it is waited for.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return state(pid) not in {"", "Z", "X"}


def eventually(what: str, look: Callable[[], object], deadline: float = GONE_DEADLINE) -> None:
    """Wait until a look finds something true; LabError names what never came."""
    until = time.monotonic() + deadline
    while not look():
        if time.monotonic() > until:
            raise LabError(f"not in {deadline:g} s: {what}")
        time.sleep(LOOK)
