"""The power cut, in three rungs, none of which may hit a stranger (facts/colima.md §1.6, §6)."""

import os
import signal
from collections.abc import Callable

from healer.adapters import colima_files as files
from healer.adapters.colima_commands import ColimaCommands, complaint
from healer.adapters.colima_settling import Settling
from healer.model.machine import ProcessInfo, VmStatus
from healer.ports import ActFailed, TargetSilent


class ForceStop:
    """`colima stop --force`, else `limactl stop --force`, else SIGKILL of the hostagent.

    Between them `list` is asked for `settle` seconds whether it says Stopped.
    """

    def __init__(
        self,
        commands: ColimaCommands,
        settling: Settling,
        progress: Callable[[str], None],
        *,
        settle: float,
    ) -> None:
        self._commands = commands
        self._settling = settling
        self._progress = progress
        self._settle = settle

    async def run(self, colima_deadline: float, limactl_deadline: float) -> str:
        """Go down the rungs; say which one did it. Raises ActFailed, CannotLook, OSError."""
        await self._refuse_strangers()
        commands = self._commands
        name = commands.paths.instance_name
        rungs = (
            (commands.colima("stop", "--force"), colima_deadline),
            (commands.limactl("stop", "--force", name), limactl_deadline),
        )
        told = []
        for argv, deadline in rungs:
            told.append(await self._try(argv, deadline))
            if await self._is_stopped():
                return f"{told[-1]}, list says Stopped"
        told.append(await self._kill())
        if await self._is_stopped():
            return f"{told[-1]}, list says Stopped"
        raise ActFailed("colima stop --force", "; ".join(told))

    async def _try(self, argv: list[str], deadline: float) -> str:
        words = " ".join([argv[0].rpartition("/")[2], *argv[1:]])
        self._progress(f"{words} (at most {deadline:.0f} s)")
        try:
            done = await self._commands.run(argv, deadline)
        except TargetSilent:
            return f"{words}: killed after {deadline:.0f} s"
        why = f", {complaint(done.stdout + done.stderr)}" if done.code else ""
        return f"{words}: exit {done.code}{why}"

    async def _is_stopped(self) -> bool:
        status = await self._settling.until(VmStatus.STOPPED, self._settle)
        return status is VmStatus.STOPPED

    async def _refuse_strangers(self) -> None:
        """Lima SIGKILLs whatever owns the numbers in its pid files (facts/colima.md §2)."""
        processes = await self._processes()
        paths = self._commands.paths
        ours = files.ours(paths)
        for file in (*files.pid_files(paths), files.usernet_pid_file(paths)):
            one = processes.get(files.read_pid(file) or 0)
            if one and not (ours.is_hostagent(one) or ours.is_driver(one) or ours.is_usernet(one)):
                detail = f"{file.name} names pid {one.pid}, which is `{one.command[:100]}`"
                raise ActFailed("colima stop --force", f"{detail}: not forced")

    async def _kill(self) -> str:
        paths = self._commands.paths
        pid = files.read_pid(paths.instance / "ha.pid")
        one = (await self._processes()).get(pid or 0)
        if one is None or not files.ours(paths).is_hostagent(one):
            return f"ha.pid names no hostagent (pid {pid})"
        os.kill(one.pid, signal.SIGKILL)
        return f"SIGKILL to the hostagent, pid {one.pid}"

    async def _processes(self) -> dict[int, ProcessInfo]:
        return {one.pid: one for one in await self._commands.host.processes()}
