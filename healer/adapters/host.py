"""The Mac itself: tools, processes, boot, disk, and other owners of the tower."""

import os
import pwd
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.clock import SystemClock
from healer.adapters.process import MIB, ProcessRunner
from healer.adapters.sysctl import read_sysctl
from healer.model.launchd import RIVALS
from healer.model.machine import ProcessInfo
from healer.ports import CannotLook, TargetSilent

LAUNCHD_PATH: Final = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""What healer's own plist gives; launchd by itself gives only the last four
(facts/colima.md §5, facts/peers.md §6.2)."""

PS: Final = ("-axww", "-o", "pid=,ppid=,uid=,etime=,command=")
"""The same words on macOS and Linux; uid, since Linux cuts long user names."""

DEADLINE: Final = 10.0
LIST_LIMIT: Final = 16 * MIB
"""Bytes of a process list; 3,800 leaked usernets (facts/colima.md §1.5) make some 2 MB."""

_PARTED: Final = 0.5
"""Seconds: a clock that was set, or a day of NTP's corrections."""

_LINE: Final = re.compile(r"\s*(\d+)\s+(\d+)\s+(\d+)\s+([\d:-]+)\s+(\S.*)")
_ELAPSED: Final = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)")
_BOOT: Final = re.compile(r"\{\s*sec\s*=\s*(\d+),\s*usec\s*=\s*(\d+)\s*\}")


@dataclass(frozen=True, slots=True)
class _Boot:
    """When it was, and how far the wall clock was from the boot's own clock then (seconds)."""

    at: float
    apart: float


class HostAdapter:
    """Implements HostEyes.

    `path` is where tools are looked for, `state_folder` names the disk that must not fill,
    `rivals` are launchd labels, `platform` is sys.platform's word.
    """

    def __init__(
        self,
        runner: ProcessRunner,
        state_folder: Path,
        *,
        path: str = LAUNCHD_PATH,
        rivals: Sequence[str] = RIVALS,
        platform: str = sys.platform,
        proc_stat: Path = Path("/proc/stat"),
    ) -> None:
        self._runner = runner
        self._state_folder = state_folder
        self._path = path
        self._rivals = rivals
        self._platform = platform
        self._proc_stat = proc_stat
        self._clock = SystemClock()
        self._boot: _Boot | None = None

    def tool(self, name: str) -> Path | None:
        """Where `path` finds the tool, or None."""
        found = shutil.which(name, path=self._path)
        return None if found is None else Path(found)

    async def processes(self) -> Sequence[ProcessInfo]:
        """The process list. Raises CannotLook, also when it is too long to be whole."""
        tool = self.tool("ps")
        if tool is None:
            raise CannotLook("ps", f"not found on PATH {self._path}")
        try:
            done = await self._runner.run(
                [str(tool), *PS], deadline=DEADLINE, limit=LIST_LIMIT, env=self._env()
            )
        except TargetSilent as error:
            raise CannotLook(error.place, error.detail) from error
        if done.code != 0 or done.truncated:
            raise CannotLook("ps", f"exit {done.code}, {len(done.stdout)} characters")
        return parse_processes(done.stdout)

    def boot_time(self) -> float:
        """Epoch seconds of the boot, which move with the wall clock. Raises CannotLook.

        Asked anew only when the two clocks have parted since: on a Mac it costs a process.
        """
        apart = self._clock.wall() - self._clock.now()
        if self._boot is None or abs(apart - self._boot.apart) > _PARTED:
            self._boot = _Boot(self._asked_boot_time(), apart)
        return self._boot.at

    def _asked_boot_time(self) -> float:
        if self._platform == "darwin":
            return parse_boot_time(read_sysctl("kern.boottime", path=self._path))
        try:
            lines = self._proc_stat.read_text(encoding="ascii").splitlines()
            return next(float(line.split()[1]) for line in lines if line.startswith("btime "))
        except (OSError, ValueError, IndexError, StopIteration) as error:
            raise CannotLook(str(self._proc_stat), f"no btime: {error!r}") from error

    def disk_free(self) -> int:
        """Free bytes for us on the disk where the state folder is, or will be."""
        folder = self._state_folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        try:
            return shutil.disk_usage(folder).free
        except OSError as error:
            raise CannotLook(str(folder), f"disk free: {error.strerror}") from error

    async def loaded_rivals(self) -> Sequence[str]:
        """Service targets (`gui/501/com.joel.talon`) that launchd has loaded.

        As launchctl wants them, so that a `bootout` can be advised word for word.
        """
        tool = self.tool("launchctl")
        if tool is None:
            return ()
        user = os.getuid()
        domains = ("system", f"user/{user}", f"gui/{user}")
        targets = [f"{domain}/{label}" for label in self._rivals for domain in domains]
        loaded: set[str] = set()

        async def look(target: str) -> None:
            if await self._is_loaded(tool, target):
                loaded.add(target)

        async with anyio.create_task_group() as group:
            for target in targets:
                group.start_soon(look, target, name=f"launchctl print {target}")
        return tuple(target for target in targets if target in loaded)

    async def _is_loaded(self, tool: Path, target: str) -> bool:
        # Only 0 proves a rival. 113 is "not there" and 125 "no such domain"; what other
        # numbers mean changes with the release, and none of them is worth blocking for.
        try:
            done = await self._runner.run(
                [str(tool), "print", target], deadline=DEADLINE, env=self._env()
            )
        except TargetSilent:
            return False
        return done.code == 0

    def _env(self) -> dict[str, str]:
        return {"PATH": self._path, "LC_ALL": "C"}


def parse_processes(text: str, user_of: Callable[[int], str] | None = None) -> list[ProcessInfo]:
    """Decode `ps` lines; what does not look like one is left out."""
    name = user_of or user_name
    found = []
    for line in text.split("\n"):  # splitlines would cut an argv at its form feed, too
        match = _LINE.fullmatch(line.rstrip())
        age = match and elapsed(match[4])
        if match is None or age is None:
            continue
        user = name(int(match[3]))
        found.append(ProcessInfo(int(match[1]), int(match[2]), user, age, match[5]))
    return found


def elapsed(text: str) -> float | None:
    """Seconds of `[[dd-]hh:]mm:ss`, or None when it is not that."""
    match = _ELAPSED.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def parse_boot_time(text: str) -> float:
    """Decode `{ sec = 1700000000, usec = 250000 } Tue Nov 14 …`. Raises CannotLook."""
    match = _BOOT.search(text)
    if match is None:
        raise CannotLook("sysctl -n kern.boottime", f"not understood: {text[:100]!r}")
    return int(match[1]) + int(match[2]) / 1e6


@cache
def user_name(uid: int) -> str:
    """The user's name, or the number of a user that has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
