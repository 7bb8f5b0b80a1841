"""The eyes on Colima and the hostagent."""

from typing import Final

from healer.adapters import colima_files as files
from healer.adapters.colima_commands import ColimaCommands, complaint, parse_list
from healer.adapters.colima_info import DEADLINE, ask_usernet, hostagent_info
from healer.adapters.process_hold import Hold, hold
from healer.model.machine import (
    Ending,
    Forwarder,
    Hostagent,
    ProcessInfo,
    VmStatus,
    older_than_boot,
)
from healer.ports import CannotLook, PortError, TargetSilent

LIST_DEADLINE: Final = 10.0
"""Seconds; `list` takes up to 3 and its start-up, even with a hung guest (facts §1.4)."""


class ColimaEyes:
    """Implements VmEyes. Deadlines are seconds."""

    def __init__(
        self,
        commands: ColimaCommands,
        *,
        info_deadline: float = DEADLINE,
        list_deadline: float = LIST_DEADLINE,
    ) -> None:
        self._commands = commands
        self._info_deadline = info_deadline
        self._list_deadline = list_deadline
        self._held: tuple[Hold, ProcessInfo] | None = None

    async def hostagent(self) -> Hostagent:
        """Files, process and ha.sock; never runs colima. Raises CannotLook."""
        paths = self._commands.paths
        boot = self._commands.host.boot_time()
        written = files.modified(paths.instance / "ha.pid")
        pid = files.read_pid(paths.instance / "ha.pid")
        process = await self._process(pid)
        ours = process is not None and files.ours(paths).is_hostagent(process)
        info = await hostagent_info(paths.instance / "ha.sock", self._info_deadline)
        down, created = not ours and info is None, files.is_created(paths)
        looked_for = created and info is None
        return Hostagent(
            created=created,
            pid=pid,
            pid_alive=process is not None,
            pid_is_ours=ours,
            pid_file_stale=written is not None and older_than_boot(written, boot),
            answers=info is not None,
            ssh_port=None if info is None else info.ssh_port,
            driver_alive=await self._driver_lives(pid if ours else None) if looked_for else None,
            # The log of a VM that has ended still says that it was ready.
            ready=not down and files.boot_is_over(paths),
            leftovers=files.leftovers(paths),
            disk_locked_by=files.disk_holder(paths),
            logged_at=files.logged_at(paths),
            ending=files.ending(paths) if down else Ending.UNKNOWN,
        )

    async def _process(self, pid: int | None) -> ProcessInfo | None:
        """A hostagent that was seen to be ours is that as long as it lives; else the list."""
        if pid is None:
            return None
        if self._held and self._held[0].pid == pid and self._held[0].lives():
            return self._held[1]
        self._held, held = None, hold(pid)
        processes = await self._commands.host.processes()
        found = next((one for one in processes if one.pid == pid), None)
        if held and found and files.ours(self._commands.paths).is_hostagent(found):
            self._held = held, found
        return found

    async def _driver_lives(self, hostagent: int | None) -> bool | None:
        """With vz the hostagent that was just seen is the driver; else the list tells."""
        paths = self._commands.paths
        try:
            if hostagent is not None and hostagent in files.driver_pids(paths):
                return True
            return files.driver_lives(await self._commands.host.processes(), paths)
        except PortError:
            return None

    async def usernet(self) -> None:
        """By its own socket. Raises TargetIll, TargetSilent, CannotLook."""
        await ask_usernet(files.usernet_socket(self._commands.paths), self._info_deadline)

    async def status(self) -> VmStatus:
        """Colima's own word. Raises CannotLook, and TargetSilent when Lima is silent too.

        `colima list` asks the guest when `network.address` is on, and hangs with it; Lima's
        own list never does (facts/colima.md §1.4).
        """
        paths = self._commands.paths
        try:
            status = await self._listed(self._commands.listing(), paths.profile)
        except TargetSilent:
            argv = self._commands.limactl("list", "--json")
            status = await self._listed(argv, paths.instance_name)
        if status is VmStatus.MISSING and files.is_created(paths):
            raise CannotLook("colima list --json", f"does not show {files.lima_yaml(paths)}")
        return status

    async def _listed(self, argv: list[str], name: str) -> VmStatus:
        done = await self._commands.run(argv, self._list_deadline)
        if done.code != 0:
            said = complaint(done.stderr or done.stdout)
            raise CannotLook("list --json", f"exit {done.code}: {said}")
        return parse_list(done.stdout, name)

    def forwarder(self) -> Forwarder | None:
        """The portForwarder of the saved profile; None without one. Raises CannotLook."""
        return files.forwarder(self._commands.paths)
