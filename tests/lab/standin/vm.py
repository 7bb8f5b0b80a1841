"""The driver process of the VM: it holds the disk, gives the power and cuts it.

It is no child of what dies with it, so that a frozen VM can be cut, too: the freezer keeps even
a SIGKILL waiting until it thaws (facts/lab.md, Freeze).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.standin.settings import Lab, replace
from tests.lab.standin.title import show_as

if TYPE_CHECKING:
    from collections.abc import Sequence

CGROUPS: Final = Path("/sys/fs/cgroup")
GONE_DEADLINE: Final = 20.0
LOOK: Final = 0.02
_PR_SET_CHILD_SUBREAPER: Final = 36


def main(root: str, argv: Sequence[str]) -> int:
    """`vm TITLE…`: stdin is a pipe whose end means that the hostagent is gone; 1 = disk held."""
    show_as(argv[1:])
    lab = Lab(Path(root))
    os.umask(0o022)
    lock = os.open(lab.disk / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Two VMs on one disk would never come up, and might spoil it.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.stderr.write("the VM's disk is held by another VM\n")
        return 1
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    remove_groups(lab)
    # A descriptor makes TERM an event like the others: cut, then clean up.
    terminated, signalled = os.pipe()
    os.set_blocking(signalled, False)
    signal.set_wakeup_fd(signalled)
    signal.signal(signal.SIGTERM, lambda *_: None)
    power = power_on(lab)
    ended = os.pidfd_open(power.pid)
    watched = [terminated, ended]
    if lab.settings.driver == "vz":
        watched.append(0)
    select.select(watched, [], [])
    cut(lab, power)
    return 0


def power_on(lab: Lab) -> subprocess.Popen[bytes]:
    """Start the VM and write down who it is, as soon as its PID 1 is there."""
    script, init = lab.guest / "power-on.sh", lab.guest / "init"
    console = lab.root / "console.log"
    with console.open("wb") as log:
        power = subprocess.Popen(
            ["/bin/sh", str(script), lab.group, str(init), str(lab.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    children = Path(f"/proc/{power.pid}/task/{power.pid}/children")
    while power.poll() is None:
        # The shell has children of its own before it becomes `unshare`.
        if Path(f"/proc/{power.pid}/comm").read_text("utf-8") == "unshare\n":
            found = children.read_text("utf-8").split()
            if found:
                _tell(lab, power.pid, int(found[0]))
                break
        time.sleep(LOOK)
    return power


def _tell(lab: Lab, unshare: int, init: int) -> None:
    inside = Path(f"/proc/{init}/root/run")
    for link, target in ((lab.engine, inside / "docker.sock"), (lab.flags, inside / "guest")):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    pids = {"driver": os.getpid(), "unshare": unshare, "init": init}
    replace(lab.vm, json.dumps(pids))


def cut(lab: Lab, power: subprocess.Popen[bytes] | None = None) -> None:
    """Take the power away, whatever the VM is doing; nothing of it is left then."""
    pids = lab.vm_pids()
    init = pids.get("init", 0)
    if _is_init(lab, init):
        # A power cut says goodbye to nobody: without this the kernel would end each TCP
        # connection politely, and the mux would notice (facts/lab.md, Freeze).
        subprocess.run(
            [tool("nsenter"), f"--net=/proc/{init}/ns/net", "ip", "link", "set", "lo", "down"],
            check=False,
            capture_output=True,
            timeout=10,
        )
        for pid in (pids["unshare"], init):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        thaw(lab)
    if power is not None:
        power.wait(GONE_DEADLINE)
    _await_gone(lab, init)
    remove_groups(lab)
    lab.vm.unlink(missing_ok=True)


def tool(name: str) -> str:
    """By PATH, since it is not the same folder everywhere."""
    return shutil.which(name) or name


def _is_init(lab: Lab, pid: int) -> bool:
    """Whether that pid still is our VM's PID 1, and nobody else's."""
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return f"/{lab.group}" in groups


def _await_gone(lab: Lab, init: int) -> None:
    until = time.monotonic() + GONE_DEADLINE
    while _is_init(lab, init) and time.monotonic() < until:
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(LOOK)


def freezer(lab: Lab) -> Path:
    """The state file of the VM's freezer."""
    return CGROUPS / "freezer" / lab.group / "freezer.state"


def freeze(lab: Lab) -> None:
    """Stop every process of the VM: to all others it is a hung guest."""
    freezer(lab).write_text("FROZEN", "utf-8")
    while freezer(lab).read_text("utf-8") != "FROZEN\n":
        time.sleep(LOOK)


def thaw(lab: Lab) -> None:
    """Let them go on."""
    with suppress(FileNotFoundError):
        freezer(lab).write_text("THAWED", "utf-8")


def groups(lab: Lab) -> list[Path]:
    """The VM's control groups that are there, deepest first."""
    found = [
        Path(folder)
        for top in CGROUPS.glob(f"*/{lab.group}")
        for folder, _, _ in os.walk(top, topdown=False)
    ]
    return sorted(found, key=lambda path: -len(path.parts))


def remove_groups(lab: Lab) -> None:
    """Remove what a VM that is gone has left there; a moment may pass until they are empty."""
    until = time.monotonic() + GONE_DEADLINE
    while (left := groups(lab)) and time.monotonic() < until:
        for folder in left:
            with suppress(OSError):
                folder.rmdir()
        time.sleep(LOOK)
