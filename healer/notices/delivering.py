"""Delivering: one task a channel, so that a dead one delays nobody but itself."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from healer.core.ladders import DAY
from healer.model.notice import Delivery, Notice
from healer.notices.keeping import Keeper
from healer.ports import Channel, Clock, PortError

_FIRST: Final = 2.0
_CAP: Final = 300.0
"""Seconds between two attempts at the most, so that a network's return is noticed in time."""
_LONGEST: Final = 60.0
"""Beyond every channel's own deadline: one that breaks that promise is cut off here."""
_WAITING: Final = 64
"""Notices that may wait for one channel; beyond that the oldest is dropped."""
_TOO_OLD: Final = DAY
"""A page about yesterday helps nobody: the digest tells of it."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who hears how delivering goes."""

    outcome: Callable[[str, str], None]
    """Channel, and one of `OUTCOMES`: for the metric."""
    say: Callable[[str, str], None]
    """A part of healer, and what is wrong with it; '' = nothing any more."""
    jitter: Callable[[], float]
    """A fraction between 0 and 1."""


class Courier:
    """Brings notices to one channel; those that it has not been offered yet come first."""

    def __init__(self, channel: Channel, keeper: Keeper, clock: Clock, hooks: Hooks) -> None:
        self._channel = channel
        self._keeper = keeper
        self._clock = clock
        self._hooks = hooks
        self._fresh: deque[Notice] = deque()
        self._failed: deque[Notice] = deque()
        self._sending: Notice | None = None
        self._news = anyio.Event()

    @property
    def name(self) -> str:
        """The channel's."""
        return self._channel.name

    @property
    def waiting(self) -> tuple[Notice, ...]:
        """What it has not taken yet, that on its way included."""
        sending = () if self._sending is None else (self._sending,)
        return (*sending, *self._failed, *self._fresh)

    def put(self, notice: Notice) -> None:
        """Let it wait its turn; never blocks."""
        self._make_room()
        self._fresh.append(notice)
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled.

        A fresh notice is tried at once, whatever failed before it: one that a channel never
        takes keeps no other from it, and neither does the wait for its next attempt.
        """
        failures = 0
        while True:
            notice = await self._next()
            why = await self._offered(notice)
            failures = failures + 1 if why else 0
            if why:
                self._note_failure(notice, why)
                await self._rest(failures)

    async def _offered(self, notice: Notice) -> str:
        """Send it, or drop it when it is too old; why it was not taken, '' = it is done with."""
        if self._clock.wall() - notice.at > _TOO_OLD:
            self._drop(notice, "it could not be delivered within a day")
            return ""
        self._sending = notice
        how, why = await offer(self._channel, notice)
        self._sending = None
        if how is not None:
            self._done(notice, how)
        return why

    async def _next(self) -> Notice:
        while not self._fresh and not self._failed:
            await self._arrival()
        return (self._fresh or self._failed).popleft()

    async def _rest(self, failures: int) -> None:
        """Doubling, with full jitter above a tenth; a fresh notice ends it."""
        longest: float = min(_CAP, _FIRST * 2.0 ** min(failures - 1, 16))
        with anyio.move_on_after(longest * (0.1 + 0.9 * self._hooks.jitter())):
            while not self._fresh:
                await self._arrival()

    async def _arrival(self) -> None:
        self._news = anyio.Event()
        await self._news.wait()

    def _make_room(self) -> None:
        if len(self._fresh) + len(self._failed) >= _WAITING:
            oldest = self._failed or self._fresh
            self._drop(oldest.popleft(), f"more than {_WAITING} were waiting")

    def _done(self, notice: Notice, how: Delivery) -> None:
        self._keeper.delivered(notice, self.name, how)
        self._hooks.outcome(self.name, how.value)
        self._hooks.say(f"delivery by {self.name}", "")

    def _note_failure(self, notice: Notice, why: str) -> None:
        self._make_room()
        self._failed.append(notice)
        self._keeper.failed(notice, self.name, why)
        self._hooks.outcome(self.name, "failed")
        self._hooks.say(f"delivery by {self.name}", f"{why}; it is tried again")

    def _drop(self, notice: Notice, why: str) -> None:
        self._keeper.dropped(notice, self.name, why)
        self._hooks.outcome(self.name, "dropped")


async def offer(channel: Channel, notice: Notice) -> tuple[Delivery | None, str]:
    """Send it once: what became of it, else None and why, without any secret.

    Of a fault of the channel's own only the kind is told: its words may hold what was sent to.
    """
    try:
        with anyio.fail_after(_LONGEST):
            return await channel.send(notice), ""
    except PortError as error:
        return None, str(error)
    except TimeoutError:
        return None, f"{channel.name}: had not taken it within {_LONGEST:g} s"
    except Exception as error:  # noqa: BLE001  (a broken channel must not end its siblings)
        return None, f"{channel.name}: broke with {type(error).__name__}; report this"
