"""A Mac's two clocks, each of which can be set, and its boots."""

from tests.fakes.clock import FakeClock


class MacClock(FakeClock):
    """Virtual time with reboots, and a wall clock that somebody sets."""

    boots = 1

    def awake(self) -> float:
        """The same: this Mac never sleeps."""
        return self.now()

    def boot_id(self) -> str:
        """Each boot has a name of its own."""
        return f"boot-{self.boots}"

    def set_wall(self, seconds: float) -> None:
        """Move the wall clock alone: by hand, or when the network's time arrives."""
        self._wall += seconds

    def reboot(self, *, after: float = 60.0, since_boot: float = 30.0) -> None:
        """Boot anew: the wall clock went on for `after`, the boot clock began again."""
        self.boots += 1
        self._wall += after
        self._now = since_boot
