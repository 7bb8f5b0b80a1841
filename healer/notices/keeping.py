"""The outbox as the daemon uses it: a journal that is lost or full keeps no human from hearing."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from healer.model.notice import Delivery, Ended, Notice, Past
from healer.ports import JournalError, Outbox

_MOST: Final = 512
"""Writes kept for a journal that comes back; beyond that the oldest are forgotten."""


class Keeper:
    """Writes to the outbox, in order; what it cannot take waits in memory.

    `outbox` is asked each time, since a journal may be opened anew; it may raise JournalError.
    """

    def __init__(self, outbox: Callable[[], Outbox]) -> None:
        self._outbox = outbox
        self._late: deque[Callable[[], object]] = deque(maxlen=_MOST)

    def queue(self, notice: Notice, channels: Sequence[str]) -> bool:
        """Keep it before it is delivered; False when it was queued before, by whomever.

        A journal that cannot say so lets it go out: told twice is better than never.
        """
        try:
            self.catch_up()
            return self._outbox().queue(notice, channels)
        except JournalError:
            self._late.append(lambda: self._outbox().queue(notice, channels))
            return True

    def delivered(self, notice: Notice, channel: str, how: Delivery) -> None:
        """A channel has done with it."""
        self._write(lambda: self._outbox().delivered(notice, channel, how))

    def failed(self, notice: Notice, channel: str, why: str) -> None:
        """A channel did not take it; it will be tried again."""
        self._write(lambda: self._outbox().failed(notice, channel, why))

    def dropped(self, notice: Notice, channel: str, why: str) -> None:
        """It is not tried again; the digest tells of it."""
        self._write(lambda: self._outbox().dropped(notice, channel, why))

    def try_again(self) -> None:
        """Write what waited, if that is possible now."""
        with suppress(JournalError):
            self.catch_up()

    def catch_up(self) -> None:
        """Write what waited. Raises JournalError while it must go on waiting."""
        while self._late:
            self._late[0]()
            self._late.popleft()

    def past(self, since: float) -> Past:
        """What the journal tells; nothing when it cannot be read."""
        try:
            return self._outbox().past(since)
        except JournalError:
            return Past()

    def told(self) -> Sequence[Notice]:
        """As the outbox. Raises JournalError."""
        return self._outbox().told()

    def pending(self) -> Sequence[tuple[Notice, str]]:
        """As the outbox. Raises JournalError."""
        return self._outbox().pending()

    def ended(self) -> Sequence[Ended]:
        """As the outbox. Raises JournalError."""
        return self._outbox().ended()

    def _write(self, write: Callable[[], None]) -> None:
        try:
            self.catch_up()
            write()
        except JournalError:
            self._late.append(write)
