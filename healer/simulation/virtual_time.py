"""An event loop whose time jumps ahead when every task waits.

No code under it knows: `anyio.sleep`, `anyio.fail_after` and the clock port all follow the
loop's own time. Real I/O looks idle to such a loop, so only simulated parts may run on it.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")

_FOREVER = 3600.0 * 24 * 365
_LOOK_UP_EVERY = 64
"""Turns of the loop between two looks at real descriptors, which only a signal can wake: the
system call was a tenth of a run."""


def _unheard(waited: float) -> None:
    """Nobody listens."""
    del waited


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: the time that the loop would wait for is over at once."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0
        self.turned: Callable[[float], None] = _unheard
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the wait be over, and now and then look for woken descriptors without waiting."""
        if timeout is None:
            raise StalledError("every task waits for ever: nothing will happen any more")
        waited = max(0.0, min(timeout, _FOREVER))
        self.turned(waited)
        self.elapsed += waited
        self._turns += 1
        return [] if self._turns % _LOOK_UP_EVERY else super().select(0)


class StalledError(RuntimeError):
    """All tasks wait and no timer is set: the simulated world has come to a stop."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop on virtual time; it begins at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._jumping.elapsed

    def on_turn(self, turned: Callable[[float], None]) -> None:
        """Call this each time that all tasks wait, with the seconds that are about to be over.

        Between two turns every task stands at an await of its own, so who counts turns counts
        awaits; and who waits as long as it is told makes the virtual time a real one.
        """
        self._jumping.turned = turned


def run_virtually(main: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end on virtual time."""
    return anyio.run(main, backend_options={"loop_factory": VirtualLoop})
