"""Removing what a reboot left behind, and nothing else, ever (facts/colima.md §2, §6).

Only pid files and sockets, by name and by kind, in two folders; only those older than the
boot; never what a symlink points to; and no pid file whose process is Lima's and alive.
"""

import os
import stat
from collections.abc import Collection, Sequence
from errno import ELOOP, ENOENT, ENOTDIR
from pathlib import Path
from typing import Final

from healer.adapters.colima_files import (
    PID_BYTES,
    parse_pid,
    usernet_pid_file,
)
from healer.adapters.colima_files import ours as our_processes
from healer.model.machine import ColimaPaths, ProcessInfo, older_than_boot

_NO_FOLDER: Final = frozenset({ENOENT, ENOTDIR, ELOOP})
"""Of a link instead of a folder Linux says ENOTDIR, macOS ELOOP."""
_KINDS: Final = {".pid": stat.S_ISREG, ".sock": stat.S_ISSOCK}


def remove_stale(
    paths: ColimaPaths, boot: float, processes: Sequence[ProcessInfo]
) -> tuple[str, ...]:
    """Remove them and return their names. Raises OSError.

    Nothing at all is removed while a hostagent of the instance lives: its clock or ours is
    wrong then, not its files.
    """
    ours = our_processes(paths)
    if any(ours.is_hostagent(one) for one in processes):
        return ()
    usernets = frozenset(one.pid for one in processes if ours.is_usernet(one))
    usernet = usernet_pid_file(paths)
    return (
        *_sweep(paths.instance, "", boot, usernets),
        *_sweep(usernet.parent, usernet.name, boot, usernets),
    )


def _sweep(folder: Path, only: str, boot: float, usernets: Collection[int]) -> list[str]:
    """Remove the stale ones of a folder; `only` is the one name meant, '' = any."""
    try:
        # An open folder cannot be exchanged for a link between the look and the removal.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            return []
        raise
    try:
        names = [only] if only else _names(descriptor)
        stale = [name for name in names if _is_stale(descriptor, name, boot, usernets)]
        for name in stale:
            os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    return stale


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def _is_stale(folder: int, name: str, boot: float, usernets: Collection[int]) -> bool:
    suffix = Path(name).suffix
    if suffix not in _KINDS:
        return False
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not _KINDS[suffix](seen.st_mode) or not older_than_boot(seen.st_mtime, boot):
        return False
    if suffix != ".pid":
        return True
    return _pid_in(folder, name) not in usernets


def _pid_in(folder: int, name: str) -> int | None:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        return parse_pid(os.read(file, PID_BYTES))
    finally:
        os.close(file)
