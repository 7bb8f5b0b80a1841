"""Files that tell of a start, an end or a change: looked at each second, never read."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from healer.core.tower import Layer
from healer.ports import Clock, Wake

_EVERY: Final = 1.0
"""Seconds; four `stat` calls cost some microseconds, a watcher of folders a library."""


class FileNews:
    """ports.News over the identity of some files; a file that is not there has one too."""

    name = "files"
    layers: frozenset[Layer] = frozenset()

    def __init__(self, files: Mapping[Path, frozenset[Layer]], clock: Clock) -> None:
        self._files = files
        self._clock = clock

    async def listen(self, wake: Wake) -> None:
        """For ever."""
        before = {path: _identity(path) for path in self._files}
        while True:
            await self._clock.sleep(_EVERY)
            for path, layers in self._files.items():
                now = _identity(path)
                if now != before[path]:
                    before[path] = now
                    wake(layers)


def _identity(path: Path) -> tuple[int, int, int, int] | None:
    """Kind and rights count too: a socket whose rights are taken away refuses."""
    try:
        found = os.stat(path)  # noqa: PTH116  (asked each second: a Path costs four times as much)
    except OSError:
        return None
    return found.st_ino, found.st_mode, found.st_mtime_ns, found.st_size
