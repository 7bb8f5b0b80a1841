"""The Mac itself: tools, processes, boot, disk, and other owners of the tower."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.process import ProcessRunner
from healer.adapters.process_table import ProcessTable, boot_time
from healer.model.machine import ProcessInfo
from healer.ports import CannotLook, TargetSilent

LAUNCHD_PATH: Final = "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
"""What healer's own plist gives; launchd by itself gives only the last four
(facts/colima.md §5, facts/peers.md §6.2)."""

DEADLINE: Final = 10.0


class HostAdapter:
    """Implements HostEyes.

    `path` is where tools are looked for, `state_folder` names the disk that must not fill,
    `rivals` are launchd labels.
    """

    def __init__(
        self,
        runner: ProcessRunner,
        state_folder: Path,
        *,
        path: str = LAUNCHD_PATH,
        rivals: Sequence[str] = (),
    ) -> None:
        self._runner = runner
        self._state_folder = state_folder
        self._path = path
        self._rivals = rivals
        self._table = ProcessTable()

    def tool(self, name: str) -> Path | None:
        """Where `path` finds the tool, or None."""
        found = shutil.which(name, path=self._path)
        return None if found is None else Path(found)

    async def processes(self) -> Sequence[ProcessInfo]:
        """The process list. Raises CannotLook."""
        return await self._table.read()

    def boot_time(self) -> float:
        """Epoch seconds of the boot, which move with the wall clock. Raises CannotLook."""
        return boot_time()

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
