"""Kernel values of macOS."""

import shutil
import subprocess
from typing import Final

from healer.ports import CannotLook

DEADLINE: Final = 3.0
"""Seconds; sysctl answers in milliseconds and starts nothing of its own."""


def read_sysctl(name: str, *, path: str) -> str:
    """Ask `sysctl -n NAME`, found on that PATH. Raises CannotLook."""
    place = f"sysctl -n {name}"
    tool = shutil.which("sysctl", path=path)
    if tool is None:
        raise CannotLook(place, f"no sysctl on PATH {path}")
    try:
        done = subprocess.run(
            [tool, "-n", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
            timeout=DEADLINE,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotLook(place, str(error)) from error
    return done.stdout.strip()
