"""Who listens on the Mac's ports: one look at all of them, since each look is dear."""

import sys
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from os import listdir, readlink
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.process import ProcessRunner
from healer.ports import CannotLook, HostEyes

LSOF: Final = ("lsof", "-nP", "-iTCP", "-sTCP:LISTEN", "-Fpn")
SECONDS: Final = 3.0
TOGETHER: Final = 0.5
"""Seconds within which questions share one look: a round asks of seven ports at once, and each
look reads every descriptor of every process."""
_LISTENS: Final = "0A"

Holders = Mapping[int, Collection[int]]
"""Pids by port."""


@dataclass(frozen=True, slots=True)
class _Seen:
    began: float
    commands: Mapping[int, Sequence[str]]


class Listeners:
    """The commands of those who listen, by port."""

    def __init__(
        self, runner: ProcessRunner, host: HostEyes, environment: Mapping[str, str]
    ) -> None:
        self._runner = runner
        self._host = host
        self._environment = environment
        self._asking = anyio.Lock()
        self._seen: _Seen | None = None

    async def commands(self, port: int) -> Sequence[str]:
        """One for each process that listens there; '' of one that nobody knows.

        Raises CannotLook, TargetSilent.
        """
        asked = anyio.current_time()
        async with self._asking:
            if self._seen is None or asked - self._seen.began > TOGETHER:
                self._seen = await self._look()
            return self._seen.commands.get(port, ())

    async def _look(self) -> _Seen:
        began = anyio.current_time()
        if sys.platform == "darwin":
            holders = await self._by_lsof()
        else:
            holders = await anyio.to_thread.run_sync(_by_proc)
        known = {one.pid: one.command for one in await self._host.processes()}
        commands = {port: [known.get(pid, "") for pid in pids] for port, pids in holders.items()}
        return _Seen(began, commands)

    async def _by_lsof(self) -> Holders:
        done = await self._runner.run(LSOF, deadline=SECONDS, env=self._environment)
        return parse_lsof(done.stdout)


def parse_lsof(text: str) -> Holders:
    """`p` is a process, and each `n` after it an address of its; -F always adds `f` lines."""
    holders: dict[int, set[int]] = defaultdict(set)
    pid = 0
    for line in text.splitlines():
        kind, rest = line[:1], line[1:]
        port = rest.rpartition(":")[2]
        if kind == "p" and rest.isdecimal():
            pid = int(rest)
        elif kind == "n" and port.isdecimal():
            holders[int(port)].add(pid)
    return holders


def _by_proc() -> Holders:
    """The listening sockets' inodes, and who holds them; in a thread, since it takes long."""
    ports = _ports_by_inode()
    holders: dict[int, set[int]] = defaultdict(set)
    for pid in listdir("/proc"):  # noqa: PTH208  (as below, for all the descriptors there are)
        if pid.isdecimal():
            for inode in ports.keys() & _open_files(f"/proc/{pid}/fd"):
                holders[ports[inode]].add(int(pid))
    return holders


def _ports_by_inode() -> dict[str, int]:
    found: dict[str, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError as error:
            raise CannotLook(table, str(error)) from error
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTENS:
                found[f"socket:[{fields[9]}]"] = int(fields[1].rpartition(":")[2], 16)
    return found


def _open_files(folder: str) -> set[str]:
    """Those that can be read: a busy process closes some of them meanwhile."""
    names: set[str] = set()
    with suppress(OSError):
        for one in listdir(folder):  # noqa: PTH208  (a Path for each costs five times as much)
            with suppress(OSError):
                names.add(readlink(f"{folder}/{one}"))  # noqa: PTH115  (as above)
    return names
