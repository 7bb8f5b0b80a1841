"""What this process costs: the client library's own collector knows Linux only."""

import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATM: Final = Path("/proc/self/statm")
_DESCRIPTORS: Final = Path("/dev/fd")


@dataclass(frozen=True, slots=True)
class OwnCost:
    """Seconds, bytes, counts."""

    cpu: float
    """User and system time of this process."""
    children_cpu: float
    """The same of children that have ended."""
    rss: int
    """Resident bytes; on macOS the largest so far: the present figure needs a private call."""
    descriptors: int


def own_cost() -> OwnCost:
    """Now; costs some ten microseconds."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return OwnCost(
        own.ru_utime + own.ru_stime,
        children.ru_utime + children.ru_stime,
        _resident(own.ru_maxrss),
        len(os.listdir(_DESCRIPTORS)),  # noqa: PTH208  (names only, and they are open just now)
    )


def _resident(largest: int) -> int:
    if sys.platform == "darwin":
        return largest
    return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
