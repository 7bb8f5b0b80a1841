"""Everything that a hot-add works with, and how it waits."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from healer.hotadd.asking import Book, Cluster, Engine, Guest, Mac, Pauses
from healer.model.hot_add import Step
from healer.ports import ActFailed, Clock, PortError

LOOK_EVERY: Final = 1.0
"""Seconds between two looks."""


def _untold(words: str) -> None:
    del words


@dataclass(frozen=True, slots=True)
class Parts:
    """The outside, by its protocols."""

    engine: Engine
    guest: Guest
    mac: Mac
    cluster: Cluster
    pauses: Pauses
    book: Book
    clock: Clock
    tell: Callable[[str], None] = _untold
    """Told what is done, as it is done."""


class RefusedError(Exception):
    """Nothing was touched; each of `why` is a sentence with what to do."""

    def __init__(self, why: list[str]) -> None:
        super().__init__("; ".join(why))
        self.why = why


class AddFailedError(Exception):
    """A step failed, and everything is as it was before."""

    def __init__(self, step: Step, why: str) -> None:
        super().__init__(f"{step}: {why}")
        self.step = step


class RollBackFailedError(Exception):
    """The way back failed too: `healer ports recover` goes on with it."""


async def until(
    parts: Parts, what: str, look: Callable[[], Awaitable[bool]], seconds: float
) -> None:
    """Look until it is so. Raises ActFailed when it is not within so many seconds."""
    ends, last = parts.clock.now() + seconds, ""
    while True:
        try:
            if await look():
                return
        except PortError as error:
            last = f": {error}"
        if parts.clock.now() >= ends:
            raise ActFailed(what, f"not so after {seconds:g} s{last}")
        await parts.clock.sleep(LOOK_EVERY)
