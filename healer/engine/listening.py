"""Listening to news for ever: what breaks is listened to anew, never in a hot loop."""

from collections.abc import Callable
from typing import Final

from healer.core.tower import Layer
from healer.ports import Clock, News, PortError, Wake

_FIRST: Final = 0.2
_CAP: Final = 5.0
"""Seconds between two attempts at the most: faults of Docker and Kubernetes are to be seen
within a second of their return too, and an attempt in vain costs a millisecond."""
_STABLE: Final = 60.0
"""A connection that lasted so long makes the waits begin anew."""


Broke = Callable[[str, Exception | None], None]
"""Told that news of that name broke by a fault of its own; None: it does so no more."""


def untold(name: str, error: Exception | None) -> None:
    """Nobody asks."""
    del name, error


async def keep_listening(
    news: News, clock: Clock, wake: Wake, *, jitter: Callable[[], float], broke: Broke = untold
) -> None:
    """Listen until cancelled; the end of what was heard is news too (a socket that went dead).

    Waits double from 0.2 to 5 s between attempts, with full jitter above a tenth: a server
    that accepts and ends at once was asked 525 times a second otherwise
    (facts/talos-kubernetes.md §7).
    """
    failures = 0
    while True:
        heard, began = _Heard(news.name, wake, broke), clock.now()
        try:
            await news.listen(heard)
        except PortError:
            broke(news.name, None)
        except Exception as error:  # noqa: BLE001  (news that breaks must not end the probes it wakes)
            broke(news.name, error)
        if heard.any and news.layers:
            wake(news.layers)
        failures = 1 if clock.now() - began >= _STABLE else failures + 1
        longest = min(_CAP, _FIRST * 2.0 ** min(failures - 1, 16))
        await clock.sleep(longest * (0.1 + 0.9 * jitter()))


class _Heard:
    """Passes news on, and remembers that there was some: the connection once stood."""

    def __init__(self, name: str, wake: Wake, broke: Broke) -> None:
        self._name = name
        self._wake = wake
        self._broke = broke
        self.any = False

    def __call__(self, layers: frozenset[Layer]) -> None:
        """Pass it on."""
        if not self.any:
            self._broke(self._name, None)
        self.any = True
        self._wake(layers)
