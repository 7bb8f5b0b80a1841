"""Time as this machine knows it."""

import sys
import time
from functools import cached_property
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.sysctl import read_sysctl
from healer.ports import CannotLook

if sys.platform == "darwin":
    # The raw clock goes on while a Mac sleeps; CLOCK_MONOTONIC does not (facts/peers.md §6.2).
    _CLOCK: Final = time.CLOCK_MONOTONIC_RAW
    _AWAKE: Final = time.CLOCK_UPTIME_RAW
else:
    _CLOCK: Final = time.CLOCK_BOOTTIME
    _AWAKE: Final = time.CLOCK_MONOTONIC


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
            return read_sysctl("kern.bootsessionuuid", path=self._path)
        try:
            return self._boot_id_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise CannotLook(str(self._boot_id_file), f"no boot id: {error}") from error

    async def sleep(self, seconds: float) -> None:
        """Wait so long; a Mac's sleep does not count here."""
        await anyio.sleep(seconds)
