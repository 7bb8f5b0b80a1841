"""Linux's process list without `ps`, which costs three times as much as what it reads."""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.host import HostAdapter, user_name
from healer.model.machine import ProcessInfo
from healer.ports import CannotLook

_PROC: Final = Path("/proc")
_LARGEST: Final = 1 << 17
"""Bytes of one file; the kernel takes no argument longer than that."""
_START: Final = 19
"""Where the start stands among the fields behind the name (proc(5), `stat` 22)."""
_UID: Final = re.compile(rb"^Uid:\t\d+\t(\d+)", re.MULTILINE)
_BLANKS: Final = bytes.maketrans(b"\0\n", b"  ")


class ProcHost(HostAdapter):
    """HostEyes of a Linux machine."""

    async def processes(self) -> Sequence[ProcessInfo]:
        """The process list. Raises CannotLook."""
        return await proc_list()


async def proc_list(proc: Path = _PROC) -> tuple[ProcessInfo, ...]:
    """As `ps -axww -o pid,ppid,uid,etime,command` tells it. Raises CannotLook.

    In a thread, since thousands of leaked usernets (facts/colima.md §1.5) take a while.
    """
    return await anyio.to_thread.run_sync(_listed, proc)


def _listed(proc: Path) -> tuple[ProcessInfo, ...]:
    now, ticks = time.clock_gettime(time.CLOCK_BOOTTIME), os.sysconf("SC_CLK_TCK")
    try:
        pids = [one for one in os.listdir(proc) if one.isdecimal()]  # noqa: PTH208  (a third of iterdir's price)
    except OSError as error:
        raise CannotLook(str(proc), error.strerror or str(error)) from error
    found = [_process(f"{proc}/{pid}", int(pid), now, ticks) for pid in pids]
    if not any(found):
        raise CannotLook(str(proc), "shows no process, not even our own")
    return tuple(one for one in found if one is not None)


def _process(folder: str, pid: int, now: float, ticks: int) -> ProcessInfo | None:
    """None of one that ended meanwhile."""
    try:
        stat, argv = _read(f"{folder}/stat"), _read(f"{folder}/cmdline")
        # The folder's owner is root for every process that may not be dumped, such as sshd.
        uid = _UID.search(_read(f"{folder}/status"))
    except OSError:
        return None
    name, _, rest = stat.partition(b"(")[2].rpartition(b") ")
    fields = rest.split()
    if uid is None or len(fields) <= _START:
        return None
    # Without an argv it is a kernel's thread or a zombie, which ps shows like this.
    command = argv.rstrip(b"\0").translate(_BLANKS) or b"[%s]" % name
    return ProcessInfo(
        pid,
        int(fields[1]),
        user_name(int(uid[1])),
        max(0.0, now - int(fields[_START]) / ticks),
        command.decode("utf-8", "replace"),
    )


def _read(path: str) -> bytes:
    """Bare calls: a file object costs as much again, three times for each process."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _LARGEST)
    finally:
        os.close(descriptor)
