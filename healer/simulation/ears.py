"""News over the simulated tower: what wakes the daemon's probes, and how it gets lost.

News never says what happened. Docker's events end with the engine or its forward; a watch ends
with the API or its port; both can be silent without an end, when the guest hangs or when what
they say is lost on the way (facts/talos-kubernetes.md §7, §9).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from healer.core.tower import Layer
from healer.ports import TargetIll, TargetSilent, Wake
from healer.simulation.clockwork import Clockwork
from healer.simulation.forwards import Way
from healer.simulation.machine import Guest, Machine
from healer.simulation.troubles import Troubles

DEADLINE = 5.0
LASTS = 600.0
"""A stream is made anew after so long: its silence says nothing (design §10, resync)."""

Mark = object
"""What a topic looks like now; another one is news."""


@dataclass(slots=True)
class _Listener:
    topic: "Topic"
    wake: Wake
    ended: anyio.Event
    seen: Mark


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of news."""

    name: str
    layers: frozenset[Layer]
    """What its beginning and its end may be about."""
    about: frozenset[Layer]
    """What it tells of."""
    mark: Callable[[], Mark]
    reached: Callable[[], Way]
    """How a new connection fares; an old one ends when it would be refused."""
    breaks: bool = True
    """Whether it is a connection at all: files are looked at."""


class Ears:
    """Who listens to the tower, and what each has seen."""

    def __init__(self, clock: Clockwork, machine: Machine, troubles: Troubles) -> None:
        self._clock = clock
        self._machine = machine
        self._troubles = troubles
        self._listeners: list[_Listener] = []
        self._timer: asyncio.TimerHandle | None = None
        clock.pushed = self._expect

    def _expect(self, due: float) -> None:
        """While somebody listens, what is due must happen on time, whoever else asks."""
        if not self._listeners or (self._timer is not None and self._timer.when() <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._happens)

    def _happens(self) -> None:
        self._timer = None
        self._clock.now()
        self._expect_next()

    def _expect_next(self) -> None:
        due = self._clock.next_due
        if due is not None:
            self._expect(due)

    def notice(self) -> None:
        """Wake those for whom there is news, and end the connections that broke."""
        for one in self._listeners:
            if one.topic.breaks and one.topic.reached() is Way.REFUSED:
                one.ended.set()
                continue
            mark = one.topic.mark()
            if mark != one.seen:
                one.seen = mark
                if not self._lost(one.topic):
                    one.wake(one.topic.about)

    def _lost(self, topic: Topic) -> bool:
        hung = self._machine.guest is Guest.HUNG
        return topic.breaks and (hung or self._troubles.deaf)

    async def hear(self, topic: Topic, wake: Wake) -> None:
        """Until the connection ends or breaks. Raises TargetIll, TargetSilent."""
        await self._connect(topic)
        if topic.layers:
            wake(topic.layers)
        listener = _Listener(topic, wake, anyio.Event(), topic.mark())
        self._listeners.append(listener)
        self._expect_next()
        try:
            with anyio.move_on_after(LASTS if topic.breaks else None):
                await listener.ended.wait()
        finally:
            self._listeners.remove(listener)

    async def _connect(self, topic: Topic) -> None:
        await anyio.sleep(0.01)
        self._clock.now()
        way = topic.reached()
        if way is Way.REFUSED:
            raise TargetIll(topic.name, "Connection refused")
        if way is Way.SILENT:
            await anyio.sleep(DEADLINE)
            raise TargetSilent(topic.name, f"no answer within {DEADLINE:g} s")
