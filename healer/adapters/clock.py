"""Time as this machine knows it."""

import shutil
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Final

import anyio

from healer.ports import CannotLook

if sys.platform == "darwin":
    # Both monotonic clocks go on while a Mac sleeps; this one is not slewed by NTP either.
    _CLOCK: Final = time.CLOCK_MONOTONIC_RAW
    _AWAKE: Final = time.CLOCK_UPTIME_RAW
else:
    _CLOCK: Final = time.CLOCK_BOOTTIME
    _AWAKE: Final = time.CLOCK_MONOTONIC

_BOOT: Final = "kern.bootsessionuuid"
_SECONDS: Final = 3.0
"""sysctl answers in milliseconds and starts nothing of its own."""


class SystemClock:
    """The real clock. On macOS `path` must find `sysctl`; elsewhere the boot's id is a file."""

    def __init__(
        self,
        *,
        path: str = "/usr/sbin:/sbin",
        platform: str = sys.platform,
        boot_id_file: Path = Path("/proc/sys/kernel/random/boot_id"),
    ) -> None:
        self._path = path
        self._platform = platform
        self._boot_id_file = boot_id_file

    def now(self) -> float:
        """Seconds on this boot's clock, sleep included."""
        return time.clock_gettime(_CLOCK)

    def awake(self) -> float:
        """Seconds that this machine was awake: it stands still in a sleep."""
        return time.clock_gettime(_AWAKE)

    def wall(self) -> float:
        """Epoch seconds."""
        return time.time()

    def boot_id(self) -> str:
        """The kernel's own name of this boot, asked once. Raises CannotLook."""
        return self._boot_id

    @cached_property
    def _boot_id(self) -> str:
        if self._platform == "darwin":
            return self._asked()
        try:
            return self._boot_id_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise CannotLook(str(self._boot_id_file), f"no boot id: {error}") from error

    def _asked(self) -> str:
        """psutil knows no name of a boot."""
        tool = shutil.which("sysctl", path=self._path)
        if tool is None:
            raise CannotLook(_BOOT, f"no sysctl on PATH {self._path}")
        try:
            done = subprocess.run(
                [tool, "-n", _BOOT],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                start_new_session=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotLook(_BOOT, str(error)) from error
        return done.stdout.strip()

    async def sleep(self, seconds: float) -> None:
        """Wait so long; a Mac's sleep does not count here."""
        await anyio.sleep(seconds)
