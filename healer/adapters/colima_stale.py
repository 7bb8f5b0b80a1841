"""Removing what a reboot left behind, and nothing else, ever (facts/colima.md §2, §6).

Only pid files and sockets, by name and by kind, in two folders; only those older than the
boot; never what a symlink points to; and no pid file whose process is Lima's and alive.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from errno import ELOOP, ENOENT, ENOTDIR
from pathlib import Path
from typing import Final

from healer.adapters.colima_files import (
    PID_BYTES,
    is_our_hostagent,
    older_than_boot,
    parse_pid,
    usernet_pid_file,
)
from healer.model.identity import is_some_hostagent, is_usernet
from healer.model.machine import ColimaPaths, ProcessInfo

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
    if any(is_our_hostagent(one.command, paths) for one in processes):
        return ()
    owners = {one.pid: one.command for one in processes}
    usernet = usernet_pid_file(paths)
    return (
        *_sweep(paths.instance, "", boot, owners),
        *_sweep(usernet.parent, usernet.name, boot, owners),
    )


def _sweep(folder: Path, only: str, boot: float, owners: Mapping[int, str]) -> list[str]:
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
        stale = [name for name in names if _is_stale(descriptor, name, boot, owners)]
        for name in stale:
            os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    return stale


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def _is_stale(folder: int, name: str, boot: float, owners: Mapping[int, str]) -> bool:
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
    owner = _owner(folder, name, owners)
    return not is_some_hostagent(owner) and not is_usernet(owner)


def _owner(folder: int, name: str, owners: Mapping[int, str]) -> str:
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    try:
        pid = parse_pid(os.read(file, PID_BYTES))
    finally:
        os.close(file)
    return owners.get(pid, "") if pid is not None else ""
