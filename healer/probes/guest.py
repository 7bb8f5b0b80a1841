"""One ssh round trip for every probe that wants to know something of the VM.

Four layers are judged by the same facts; asked one by one they would cost four round trips
of up to 1.6 s (facts/colima.md §8), and on a hung VM four deadlines.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from healer.model.machine import GuestFacts
from healer.ports import Clock, GuestEyes, PortError
from healer.probes.asking import ask

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Heard(Generic[T]):
    """An answer or a failure, from when to when it was asked for."""

    answer: T | PortError
    began: float
    ended: float


class Shared(Generic[T]):
    """One call at a time; whoever comes during it or shortly after shares what was heard."""

    def __init__(self, call: Callable[[], Awaitable[T]], clock: Clock, max_age: float) -> None:
        self._call = call
        self._clock = clock
        self._max_age = max_age
        self._lock = anyio.Lock()
        self._heard: _Heard[T] | None = None
        self._void_before = float("-inf")

    def forget(self) -> None:
        """What was heard, or is being heard now, is void."""
        self._void_before = self._clock.now()
        self._heard = None

    async def __call__(self) -> T:
        """What is heard now, or was a moment ago."""
        async with self._lock:
            heard = self._heard
            if heard is None or not self._fresh(heard):
                heard = await self._ask()
        if isinstance(heard.answer, PortError):
            # A new error each time: one that is raised twice drags the first raise along.
            failure = heard.answer
            raise type(failure)(failure.place, failure.detail) from failure
        return heard.answer

    def _fresh(self, heard: _Heard[T]) -> bool:
        young = self._clock.now() - heard.ended <= self._max_age
        return young and heard.began >= self._void_before

    async def _ask(self) -> _Heard[T]:
        began = self._clock.now()
        answer = await ask(self._call)
        self._heard = _Heard(answer, began, self._clock.now())
        return self._heard


class GuestLook:
    """Implements GuestEyes over other GuestEyes; concurrent and closely following calls share.

    `max_age` in seconds: less than the rest between two looks of a probe, so that every look
    is a look of its own. Failures are shared like answers.
    """

    def __init__(self, guest: GuestEyes, clock: Clock, max_age: float = 1.5) -> None:
        self._banner = Shared(guest.banner, clock, max_age)
        self._facts = Shared(guest.facts, clock, max_age)

    async def banner(self) -> str:
        """The `SSH-2.0-…` line of the true port. Raises TargetIll."""
        return await self._banner()

    async def facts(self) -> GuestFacts:
        """Everything in one round trip. Raises TargetIll, CannotLook."""
        return await self._facts()

    def forget(self) -> None:
        """What was heard is void: an act has changed the world since."""
        self._banner.forget()
        self._facts.forget()
