"""What `ps` shows of a process: programs in Python must look like those they stand for."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ARG_START: Final = 45
"""Where /proc/PID/stat holds it, counted after the name (proc(5): field 48)."""


def show_as(argv: Sequence[str]) -> None:
    """Let `ps` show this argv; it must not be longer than the true one.

    Overwrites the memory in which the kernel put the arguments: an interpreter that is found
    by a shebang line has no other way to hide itself.
    """
    fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
    start, end = (int(field) for field in fields[_ARG_START : _ARG_START + 2])
    text = b"\0".join(word.encode() for word in argv)[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, len(text))
    Path("/proc/self/comm").write_text(Path(argv[0]).name[:15], "utf-8")
