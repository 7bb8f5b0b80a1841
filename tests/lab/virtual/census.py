"""Which processes of this machine belong to a virtual Mac."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from tests.lab.virtual import lima
from tests.lab.virtual.layout import MARK, alive

if TYPE_CHECKING:
    import signal
    from pathlib import Path

    from tests.lab.virtual.layout import Layout


def processes(layout: Layout) -> dict[int, str]:
    """Every living one with its command line, told by its environment or by the lab's root."""
    found = {}
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline()).strip()
            marked = process.environ().get(MARK) == str(layout.root)
        except (psutil.Error, OSError):
            continue
        belongs = marked or f"{layout.root}/" in command
        if belongs and process.pid != os.getpid() and alive(process.pid):
            found[process.pid] = command
    return found


def beginning(layout: Layout, words: str) -> list[int]:
    """Pids of those whose command line begins so."""
    return [pid for pid, command in processes(layout).items() if command.startswith(words)]


def inside_vm(layout: Layout) -> list[int]:
    """Pids of everything in the guest, as the machine counts."""
    group = lima.CGROUPS / "freezer" / layout.cgroup
    files = group.rglob("cgroup.procs") if group.exists() else ()
    return [int(pid) for file in files for pid in _read(file).split()]


def send(pid: int, number: signal.Signals) -> None:
    """Signal it if it is still there."""
    if pid > 1:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""
