"""When a daemon's start counts as the boot's: at the boot, and at the first login after it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from healer.ports import JournalError
from healer.settings import Settings
from healer.wiring.paces import paces_of
from tests.fakes.clock import FakeClock
from tests.fakes.host import FakeHost

if TYPE_CHECKING:
    from healer.wiring.parts import Outside

GRACE = Settings().daemon.boot_grace
ONCE_BOOTED = FakeHost().boot_time()


class Clock(FakeClock):
    """One that a reboot sets back."""

    boot = "one"

    def boot_id(self) -> str:
        """This boot."""
        return self.boot

    def reboot(self) -> None:
        """Another boot, a quarter of an hour before anybody logs in."""
        self.boot += "+"
        self._now = 900.0
        self._wall += 900.0


@dataclass
class Mac:
    """As much of it as the grace depends on; booted long ago, by its own word."""

    clock: Clock = field(default_factory=Clock)
    host: FakeHost = field(default_factory=FakeHost)
    known_words: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def known(self, word: str) -> str | None:
        """What is in the journal."""
        if self.broken:
            raise JournalError("disk I/O error")
        return self.known_words.get(word)

    def learn(self, word: str, value: str) -> None:
        """Write it there."""
        if self.broken:
            raise JournalError("disk full")
        self.known_words[word] = value

    def grace(self) -> float:
        """Of a daemon that starts now."""
        return paces_of(Settings(), cast("Outside", self), self).boot_grace


def test_the_first_start_after_a_boot_is_the_logins() -> None:
    """However long the Mac waited for it; a start that soon follows is no other."""
    mac = Mac()
    mac.grace()
    mac.clock.reboot()
    assert GRACE == mac.grace()
    mac.clock.advance(119.0)
    assert GRACE == mac.grace()
    mac.clock.advance(2.0)
    assert 0.0 == mac.grace()

    mac.clock.reboot()
    assert GRACE == mac.grace()


def test_the_first_start_of_all_is_no_login() -> None:
    """healer is installed on a Mac that is up for days; nor is a restart soon after that."""
    mac = Mac()
    assert 0.0 == mac.grace()
    mac.clock.advance(30.0)
    assert 0.0 == mac.grace()


def test_the_boot_itself_counts_without_a_journal() -> None:
    """Nothing can be remembered: the time of the boot is all there is."""
    mac = Mac(broken=True)
    assert 0.0 == mac.grace()
    mac.clock.advance(ONCE_BOOTED + 119.0 - mac.clock.wall())

    assert GRACE == mac.grace()
    assert GRACE == paces_of(Settings(), cast("Outside", mac)).boot_grace
