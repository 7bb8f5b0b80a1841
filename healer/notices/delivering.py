"""Delivering: one task a channel, so that a dead one delays nobody but itself."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio

from healer.core.ladders import DAY
from healer.model.notice import Notice
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
    """Channel, and `sent`, `failed` or `dropped`: for the metric."""
    say: Callable[[str, str], None]
    """A part of healer, and what is wrong with it; '' = nothing any more."""
    jitter: Callable[[], float]
    """A fraction between 0 and 1."""


class Courier:
    """Brings notices to one channel, in order while it takes them."""

    def __init__(self, channel: Channel, keeper: Keeper, clock: Clock, hooks: Hooks) -> None:
        self._channel = channel
        self._keeper = keeper
        self._clock = clock
        self._hooks = hooks
        self._waiting: deque[Notice] = deque()
        self._sending: Notice | None = None
        self._news = anyio.Event()

    @property
    def name(self) -> str:
        """The channel's."""
        return self._channel.name

    @property
    def waiting(self) -> tuple[Notice, ...]:
        """What it has not taken yet, that on its way included."""
        return (*(() if self._sending is None else (self._sending,)), *self._waiting)

    def put(self, notice: Notice) -> None:
        """Let it wait its turn; never blocks."""
        if len(self._waiting) >= _WAITING:
            self._drop(self._waiting.popleft(), f"more than {_WAITING} were waiting")
        self._waiting.append(notice)
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled.

        What failed goes to the back, so that one notice which a channel never takes keeps no
        other from it.
        """
        failures = 0
        while True:
            notice = self._sending = await self._next()
            if self._clock.wall() - notice.at > _TOO_OLD:
                self._sending = None
                self._drop(notice, "it could not be delivered within a day")
                continue
            why = await why_not(self._channel, notice)
            self._sending = None
            if not why:
                failures = 0
                self._sent(notice)
                continue
            failures += 1
            self._failed(notice, why)
            await self._clock.sleep(self._rest(failures))

    async def _next(self) -> Notice:
        while not self._waiting:
            self._news = anyio.Event()
            await self._news.wait()
        return self._waiting.popleft()

    def _sent(self, notice: Notice) -> None:
        self._keeper.delivered(notice, self.name)
        self._hooks.outcome(self.name, "sent")
        self._hooks.say(f"delivery by {self.name}", "")

    def _failed(self, notice: Notice, why: str) -> None:
        self._keeper.failed(notice, self.name, why)
        self._hooks.outcome(self.name, "failed")
        self._hooks.say(f"delivery by {self.name}", f"{why}; it is tried again")
        self.put(notice)

    def _drop(self, notice: Notice, why: str) -> None:
        self._keeper.dropped(notice, self.name, why)
        self._hooks.outcome(self.name, "dropped")

    def _rest(self, failures: int) -> float:
        """Doubling, with full jitter above a tenth."""
        longest: float = min(_CAP, _FIRST * 2.0 ** min(failures - 1, 16))
        return longest * (0.1 + 0.9 * self._hooks.jitter())


async def why_not(channel: Channel, notice: Notice) -> str:
    """Send it once; '' = sent, else why not, without any secret.

    Of a fault of the channel's own only the kind is told: its words may hold what was sent to.
    """
    try:
        with anyio.fail_after(_LONGEST):
            await channel.send(notice)
    except PortError as error:
        return str(error)
    except TimeoutError:
        return f"{channel.name}: had not taken it within {_LONGEST:g} s"
    except Exception as error:  # noqa: BLE001  (a broken channel must not end its siblings)
        return f"{channel.name}: broke with {type(error).__name__}; report this"
    return ""
