"""What happens to something only while it lives the very life in which it was to happen."""

from collections.abc import Callable

from healer.simulation.clockwork import Clockwork


class Life:
    """Counts the lives of a part: an event of an earlier one is void."""

    __slots__ = ("_number", "clock", "on")

    def __init__(self, clock: Clockwork) -> None:
        self.clock = clock
        self.on = False
        self._number = 0

    def begin(self) -> None:
        """Another life."""
        self._number += 1
        self.on = True

    def end(self) -> None:
        """Nothing that was to come will come."""
        self._number += 1
        self.on = False

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen so much later, in this life."""
        number = self._number

        def if_alive() -> None:
            if self._number == number:
                happen()

        self.clock.after(seconds, if_alive)
