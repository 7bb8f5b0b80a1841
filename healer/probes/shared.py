"""One answer for all who ask the same question at about the same time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from healer.ports import Clock, PortError
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
        self._lock = anyio.Lock(fast_acquire=True)
        self._heard: _Heard[T] | None = None
        self._void_before = float("-inf")

    def forget(self) -> None:
        """What was heard, or is being heard now, is void."""
        self._void_before = self._clock.now()
        self._heard = None

    async def __call__(self, max_age: float | None = None) -> T:
        """What is heard now, or was a moment ago; `max_age` in seconds overrides our own."""
        bound = self._max_age if max_age is None else max_age
        async with self._lock:
            heard = self._heard
            if heard is None or not self._fresh(heard, bound):
                heard = await self._ask()
        if isinstance(heard.answer, PortError):
            # A new error each time: one that is raised twice drags the first raise along.
            failure = heard.answer
            raise type(failure)(failure.place, failure.detail) from failure
        return heard.answer

    def _fresh(self, heard: _Heard[T], max_age: float) -> bool:
        young = self._clock.now() - heard.ended <= max_age
        return young and heard.began >= self._void_before

    async def _ask(self) -> _Heard[T]:
        began = self._clock.now()
        answer = await ask(self._call)
        self._heard = _Heard(answer, began, self._clock.now())
        return self._heard
