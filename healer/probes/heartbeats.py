"""For how long a heartbeat has been waited for in vain, sleep and jumps of clocks left out."""

from typing import Final

PATIENCE: Final = 400.0
"""Seconds of watching in vain: a healthy kubelet writes at least each 300 s of its own time."""
_NAP: Final = 60.0
"""Seconds between two looks that no pace of ours explains: the Mac slept, or a clock was set."""


class Heartbeat:
    """Watches one heartbeat by the server's clock.

    Its age alone says nothing after a sleep: the VM slept too, and by the wall it is as old as
    the night was long, until the kubelet's next one (facts/colima.md §5).
    """

    def __init__(self) -> None:
        self._heard: float | None = None
        self._looked_at = 0.0
        self._waited = 0.0

    def in_vain(self, heartbeat: float | None, now: float) -> float:
        """Seconds that this very heartbeat has been watched, with this look at `now`."""
        passed, self._looked_at = now - self._looked_at, now
        if heartbeat != self._heard:
            self._heard, self._waited = heartbeat, 0.0
        elif 0.0 <= passed <= _NAP:
            self._waited += passed
        return self._waited
