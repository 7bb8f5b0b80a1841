"""Start and stop of the VM, as a careful person would type them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from healer.adapters import colima_files as files
from healer.adapters.colima_commands import ColimaCommands, complaint, plain
from healer.adapters.colima_force import ForceStop
from healer.adapters.colima_settling import Settling
from healer.adapters.colima_stale import remove_stale
from healer.adapters.process import Completed, Watch
from healer.core.facts import Act
from healer.model.machine import VmStatus
from healer.ports import ActFailed, CannotLook, Children, PortError, TargetSilent


@dataclass(frozen=True, slots=True)
class Patience:
    """How long each step may take, in seconds (facts/colima.md §1.5 and §6)."""

    start: float = 780.0
    """10 min of limactl, 2 min of docker, and a little."""
    silence: float = 300.0
    """A start without a new line for so long is stuck."""
    stop: float = 150.0
    force: float = 45.0
    """Colima 0.10.2 and 0.10.3 ask the guest first, even with --force, for ever if it hangs."""
    lima_force: float = 30.0
    settle: float = 10.0
    """For `list` to say Stopped after a stop has ended."""


class ColimaHands:
    """Implements VmHands.

    `logs` is the folder in which a running start or stop writes what it says; `progress`
    is given each of its lines, without the frame, for a person who waits.
    """

    def __init__(
        self,
        commands: ColimaCommands,
        settling: Settling,
        children: Children,
        logs: Path,
        *,
        progress: Callable[[str], None] = lambda _: None,
        patience: Patience = Patience(),
    ) -> None:
        self._commands = commands
        self._settling = settling
        self._children = children
        self._logs = logs
        self._progress = progress
        self._patience = patience

    async def start(self, act: Act) -> str:
        """`colima -p PROFILE start`; exit 1 does not mean that no VM runs, so `list` decides.

        Raises ActFailed: never created, refused, stuck, or ended without a running VM. A
        stuck one is left running (design §10, "One pass").
        """
        paths = self._commands.paths
        place = "colima start"
        try:
            if not files.is_created(paths):
                missing = files.lima_yaml(paths)
                raise ActFailed(place, f"{missing} is not there: the first start is a human's")
            holder = files.disk_holder(paths)
        except CannotLook as error:
            raise ActFailed(place, str(error)) from error
        if holder:
            self._progress(f"the data disk is marked in use by {holder}")
        done = await self._detached(act, "start", self._patience.start)
        status = await self._settling.look()
        if status is VmStatus.RUNNING or (status is None and done.code == 0):
            return _started(done)
        detail = f"exit {done.code}, list says {_said(status)}: {self._why(done)}"
        raise ActFailed(place, detail)

    async def stop(self, act: Act) -> str:
        """`colima -p PROFILE stop`; its 0 proves nothing, so `list` must say Stopped.

        Raises ActFailed; a stop that ran over is left running.
        """
        done = await self._detached(act, "stop", self._patience.stop)
        status = await self._settling.until(VmStatus.STOPPED, self._patience.settle)
        if status is VmStatus.STOPPED:
            return f"colima stop ended after {done.duration:.0f} s, list says Stopped"
        detail = f"exit {done.code}, list says {_said(status)}: {complaint(done.stdout)}"
        raise ActFailed("colima stop", detail)

    async def force_stop(self, act: Act) -> str:
        """`colima stop --force`, else limactl's, else SIGKILL of the identified hostagent.

        Raises ActFailed, at once when a pid file names a stranger, whom it would kill.
        """
        del act
        patience = self._patience
        ladder = ForceStop(self._commands, self._settling, self._progress, settle=patience.settle)
        try:
            return await ladder.run(patience.force, patience.lima_force)
        except (CannotLook, OSError) as error:
            raise ActFailed("colima stop --force", str(error)) from error

    async def remove_stale_files(self) -> str:
        """Remove pid files and sockets that are older than the boot. Raises ActFailed."""
        host = self._commands.host
        try:
            processes = await host.processes()
            removed = remove_stale(self._commands.paths, host.boot_time(), processes)
        except (PortError, OSError) as error:
            raise ActFailed("remove stale files", str(error)) from error
        return f"removed {', '.join(removed)}" if removed else "nothing is proven stale"

    async def _detached(self, act: Act, verb: str, deadline: float) -> Completed:
        watch = Watch(
            deadline=deadline,
            silence=min(deadline, self._patience.silence),
            on_line=lambda line: self._progress(plain(line)),
            on_spawn=lambda pid, started: self._children.spawned(act, pid, started),
        )
        commands = self._commands
        try:
            return await commands.runner.run_detached(
                commands.colima(verb),
                log=self._logs / f"colima-{verb}.log",
                watch=watch,
                env=commands.environment(),
            )
        except (CannotLook, TargetSilent) as error:
            raise ActFailed(f"colima {verb}", error.detail) from error

    def _why(self, done: Completed) -> str:
        # The true reason stands only in the hostagent's own log (facts/colima.md §1.5).
        try:
            inner = files.last_error(self._commands.paths)
        except CannotLook:
            inner = ""
        return "; ".join(part for part in (complaint(done.stdout), inner) if part)


def _started(done: Completed) -> str:
    took = f"after {done.duration:.0f} s"
    if done.code == 0:
        return f"colima start ended well {took}"
    return f"colima start ended {done.code} {took}, yet the VM runs: {complaint(done.stdout)}"


def _said(status: VmStatus | None) -> str:
    return "nothing" if status is None else status.value
