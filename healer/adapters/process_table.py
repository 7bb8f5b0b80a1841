"""Processes as psutil reads them, without `ps` and `lsof`.

A process may end between any two questions about it, which is no error. What macOS and Linux
hide of other users' processes is left out.
"""

import resource
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

import anyio
import psutil

from healer.adapters.clock import SystemClock
from healer.adapters.colima_files import resolve_paths
from healer.core.tower import Layer
from healer.model.machine import ProcessInfo
from healer.model.operations import operation_layer
from healer.ports import CannotLook, Clock


class ProcessTable:
    """The processes of this machine, with ages that a wall clock that is set does not change."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._last: tuple[float, Mapping[psutil.Process, float]] | None = None

    async def read(self) -> tuple[ProcessInfo, ...]:
        """All of them. Raises CannotLook.

        In a thread: thousands of leaked processes take a while.
        """
        return await anyio.to_thread.run_sync(self._read)

    def _read(self) -> tuple[ProcessInfo, ...]:
        now, wall = self._clock.now(), self._clock.wall()
        looked, known = self._last or (0.0, {})
        starts: dict[psutil.Process, float] = {}
        found = []
        for pid in _all_pids():
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    # The kernel notes starts on the wall clock: what was not there at the last
                    # look has started since, whatever that clock was set to meanwhile.
                    seen = max(looked, min(now, now - (wall - process.create_time())))
                    start = starts[process] = known.get(process, seen)
                    found.append(_described(process, now - start))
            except (psutil.Error, OSError):
                continue
        if not found:
            raise CannotLook("process table", "shows no process, not even our own")
        self._last = now, starts
        return tuple(found)


def _all_pids() -> list[int]:
    try:
        return psutil.pids()
    except (psutil.Error, OSError) as error:
        raise CannotLook("process table", str(error)) from error


def _described(process: psutil.Process, age: float) -> ProcessInfo:
    uid = process.uids().effective
    command = _command(process)
    works_on_vm = operation_layer(command) is Layer.COLIMA
    lima_home, profile = _whereabouts(process, command) if works_on_vm else (None, "")
    return ProcessInfo(process.pid, process.ppid(), uid, age, command, lima_home, profile)


def _command(process: psutil.Process) -> str:
    """Zombies, kernel threads and, on macOS, other users' processes show a name alone."""
    try:
        words = process.cmdline()
    except (psutil.AccessDenied, psutil.ZombieProcess):
        words = []
    # An ssh master that gives itself a title leaves empty words behind it.
    text = " ".join(words).rstrip().replace("\n", " ") or f"[{process.name()}]"
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _whereabouts(process: psutil.Process, command: str) -> tuple[Path | None, str]:
    """Lima's root and Colima's profile, by the environment, of which nothing else is kept."""
    try:
        environment = process.environ()
    except psutil.AccessDenied:
        return None, ""
    home = environment.get("HOME")
    if not home:
        return None, ""
    if "limactl" in {PurePath(word).name for word in command.split()[:2]}:
        lima_home = Path(environment.get("LIMA_HOME") or f"{home}/.lima")
    else:
        lima_home = resolve_paths(environment, Path(home)).lima_home
    return lima_home.resolve(), environment.get("COLIMA_PROFILE", "")


async def listening_ports(pids: Collection[int]) -> frozenset[int]:
    """TCP ports on which any of these processes listens. Raises CannotLook."""

    def look() -> frozenset[int]:
        return frozenset(port for pid in pids for port in _ports_of(pid))

    return await anyio.to_thread.run_sync(look)


def _ports_of(pid: int) -> set[int]:
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return set()
    except (psutil.Error, OSError) as error:
        raise CannotLook(f"listeners of pid {pid}", str(error)) from error
    return {one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN}


def limit_of(pid: int) -> int | None:
    """The soft limit of open files of a process; None where the system shows none (macOS)."""
    rlimit = getattr(psutil.Process, "rlimit", None)
    if rlimit is None:
        return None
    try:
        soft, _ = rlimit(psutil.Process(pid), resource.RLIMIT_NOFILE)
    except (psutil.Error, OSError):
        return None
    return int(soft)


def boot_time() -> float:
    """Epoch seconds of the boot, which move when the wall clock is set. Raises CannotLook."""
    try:
        return psutil.boot_time()
    except (psutil.Error, OSError, RuntimeError, ValueError) as error:
        raise CannotLook("boot time", str(error)) from error


@dataclass(frozen=True, slots=True)
class OwnCost:
    """Seconds, bytes, counts."""

    cpu: float
    """User and system time of this process."""
    children_cpu: float
    """The same of children that have ended; psutil does not know it on macOS."""
    rss: int
    """Resident bytes."""
    descriptors: int


def own_cost() -> OwnCost:
    """Of this process, now."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ourselves = psutil.Process()
    return OwnCost(
        own.ru_utime + own.ru_stime,
        children.ru_utime + children.ru_stime,
        ourselves.memory_info().rss,
        ourselves.num_fds(),
    )
