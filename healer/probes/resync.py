"""When what is dear to ask, and rarely changes, is worth its price again."""

from typing import Final

from healer.ports import Clock


class Resync:
    """A rest of `every` seconds between two times; without a clock it is always time."""

    def __init__(self, clock: Clock | None = None, every: float = 0.0) -> None:
        self._clock = clock
        self._every = every
        self._done: float | None = None

    def due(self) -> bool:
        """Whether it is time."""
        if self._clock is None or self._done is None:
            return True
        return self._clock.now() - self._done >= self._every

    def done(self) -> None:
        """It was asked now."""
        if self._clock is not None:
            self._done = self._clock.now()


ALWAYS: Final = Resync()
"""Of a single pass, which looks once or twice."""
