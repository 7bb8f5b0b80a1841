"""Opening files where somebody may have put something else: a link, a FIFO, a device.

Opening a FIFO waits for its other end, and a device may do anything; so only regular files are
opened, and healer's own are never reached through a link.
"""

import errno
import os
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


def read_regular(path: Path, largest: int) -> bytes:
    """All of a regular file; raises OSError also when it has more than so many bytes."""
    with os.fdopen(open_regular(path), "rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"is longer than {largest} bytes", str(path))
    return data


def _must_be_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"is {kind}, not a file", str(path))
