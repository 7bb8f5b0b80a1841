"""Opening files where somebody may have put something else: a link, a FIFO, a device.

Opening a FIFO waits for its other end, and a device may do anything; so only regular files are
opened, and healer's own are never reached through a link.
"""

import errno
import grp
import os
import pwd
import shlex
import stat
from pathlib import Path
from typing import Final

_KINDS: Final = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


class UntrustedError(PermissionError):
    """Somebody else could write the file; strerror says who, and ends with the remedy."""


def open_regular(path: Path, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """A descriptor of a regular file, without waiting; O_NOFOLLOW refuses a link, too.

    Raises OSError, whose strerror says what else it is.
    """
    follow = not flags & os.O_NOFOLLOW
    try:
        _must_be_regular(path, path.stat(follow_symlinks=follow).st_mode)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, mode)
    try:
        _must_be_regular(path, os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path, largest: int, *, trusted: bool = False) -> bytes:
    """All of a regular file; raises OSError also when it has more than so many bytes.

    `trusted`: what is in it is obeyed, so nobody else may be able to write it.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        if trusted and (why := writable_by_others(os.fstat(file.fileno()))):
            raise UntrustedError(errno.EPERM, f"{why} {shlex.quote(str(path))}", str(path))
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"is larger than {largest} bytes", str(path))
    return data


def writable_by_others(found: os.stat_result) -> str:
    """Why somebody else could write this file, with the remedy; '' when nobody can."""
    ours = {0, os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdecimal():
        ours.add(int(os.environ["SUDO_UID"]))
    if found.st_uid not in ours:
        return f"it belongs to uid {found.st_uid}, who may write it; run: sudo chown $(id -u)"
    by_group = found.st_mode & stat.S_IWGRP and not _is_private(found.st_uid, found.st_gid)
    if by_group or found.st_mode & stat.S_IWOTH:
        return f"others may write it ({stat.S_IMODE(found.st_mode):04o}); run: chmod go-w"
    return ""


def _is_private(uid: int, gid: int) -> bool:
    """Whether a group is one user's own, as Debian makes them; macOS puts all into `staff`."""
    try:
        group = grp.getgrgid(gid)
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return False
    return group.gr_name == name and set(group.gr_mem) <= {name}


def readable_by_others(path: Path) -> str:
    """That others may read this file, with the remedy; '' when nobody can, or it is not there."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return ""
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return ""
    return f"{path}: others may read it ({mode:04o}); run: chmod 600 {shlex.quote(str(path))}"


def _must_be_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"is {kind}, not a file", str(path))
