"""A real pty, with the command's three streams on it."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress

from tests.patience import PATIENCE
from tests.unit.cli.command import Machine, Said

SIZE = struct.pack("HHHH", 40, 100, 0, 0)
"""Rows and columns, as TIOCSWINSZ takes them."""


def on_a_terminal(machine: Machine, *arguments: str, typed: str = "", **more: str) -> Said:
    """Run `healer` to its end in a terminal of 100 columns; `out` is all that was shown.

    `typed` waits in the terminal until it is read.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, SIZE)
    process = subprocess.Popen(
        [sys.executable, "-m", "healer", *arguments],
        env=machine.environment(TERM="xterm-256color", **more),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=machine.home,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    # A terminal whose last program has gone ends in EIO on Linux.
    with suppress(OSError):
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    code = process.wait(timeout=PATIENCE)
    return Said(code, shown.decode(), "")
