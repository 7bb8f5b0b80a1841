"""Virtual time: it moves when somebody sleeps, or when a test says so."""

import anyio


class FakeClock:
    """Implements Clock; `slept` holds every wait that was asked for, in seconds."""

    def __init__(self, now: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._now = now
        self._wall = wall
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds on this boot's clock."""
        return self._now

    def wall(self) -> float:
        """Epoch seconds."""
        return self._wall

    def awake(self) -> float:
        """The same: this Mac never sleeps."""
        return self.now()

    def boot_id(self) -> str:
        """One boot, for ever."""
        return "boot"

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._wall += seconds

    def set_wall(self, ahead: float) -> None:
        """Somebody sets the wall clock so many seconds ahead."""
        self._wall += ahead

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once, and others run."""
        self.slept.append(seconds)
        self.advance(seconds)
        await anyio.lowlevel.checkpoint()
