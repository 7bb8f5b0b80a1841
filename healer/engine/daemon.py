"""The daemon's engine: probes that rest and are woken, one loop that owns the world, acts.

Looks come at a calm pace while nothing stirs, and often while something does; news from outside
only ends a rest early. Everything that can be exchanged while it runs is in its `Senses`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import anyio
from anyio import CancelScope
from anyio.streams.memory import MemoryObjectReceiveStream

from healer.core.facts import Decision, Fact, Observed, Remembered, Ticked, Woke
from healer.core.outlook import awaited, exit_code, unseen
from healer.core.pacing import stirring
from healer.core.policy import Policy
from healer.core.tower import LAYERS, Layer
from healer.core.world import World
from healer.engine.bells import Bell
from healer.engine.guests import Guest
from healer.engine.listening import Broke, keep_listening, untold
from healer.engine.parts import Parts
from healer.engine.passing import Ended
from healer.engine.stepping import INBOX, Inbox, Stepper
from healer.engine.telling import Looked, Told, nothing_awaited
from healer.engine.watching import Probe, look_once
from healer.ports import JournalError, News, Pulse

_ALL: Final = frozenset(Layer)
_SLEPT: Final = 5.0
"""Clocks that differ by less have been read a moment apart, or were corrected by NTP."""
_LONGEST_RETREAT: Final = 300.0
"""A probe that breaks again and again is still asked now and then."""
_SILENCE: Final = 120.0
"""Beyond what it should take, so that a busy Mac is no stalled engine."""
_JOURNAL_AGAIN: Final = 5.0
"""Seconds between two attempts to write a journal that was lost."""
_JOURNAL_PROVED: Final = 60.0
"""Seconds after which the journal is written to, so that a full disk shows before an act needs
it: one synced commit a minute."""
_LAST_ACT: Final = 10.0
"""Seconds for an act under way when we are told to end: launchd kills after 20 (peers.md §6.2)."""


@dataclass(frozen=True, slots=True)
class Paces:
    """How often the daemon looks; seconds."""

    calm: Mapping[Layer, float]
    """The rest between two looks at a layer while nothing stirs; events end it early."""
    alert: float = 2.0
    """The rest while something is ill and moving."""
    least: float = 0.25
    """The shortest rest, whatever news comes."""
    deadline: float = 20.0
    """How long one look may take."""
    tick: float = 15.0
    """Time is a fact each so many seconds, and each second while something stirs."""
    wake_grace: float = 60.0
    """For how long after a sleep badness is expected."""
    clock_grace: float = 300.0
    """The same after the Mac's wall clock was set. The VM follows it, and with it the age of
    everything that Docker and the API tell by theirs: as long as the longest wait that hangs on
    such an age, the five minutes that Talos has before it counts as wedged."""
    boot_grace: float = 0.0
    """The same from the start of the daemon on, when the Mac has just booted."""


@dataclass(frozen=True, slots=True)
class Senses:
    """What a reload exchanges, all or nothing."""

    parts: Parts
    policy: Policy
    paces: Paces
    news: Sequence[News] = ()


def _nowhere(looked: Looked) -> None:
    """Nobody counts."""
    del looked


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stays while the daemon lives."""

    pulse: Pulse
    jitter: Callable[[], float]
    """A fraction between 0 and 1, so that rests do not fall together; seeded in drills."""
    looked: Callable[[Looked], None] = field(default=_nowhere)
    broke: Broke = field(default=untold)


class Daemon:
    """Runs until it is stopped; its world may be read at any time between two awaits."""

    def __init__(self, senses: Senses, around: Surroundings) -> None:
        self._senses = senses
        self._next: Senses | None = None
        self._around = around
        self._stepper = Stepper(senses.parts, senses.policy)
        clock = senses.parts.clock
        self._bells: dict[Layer, Bell] = {layer: Bell(clock) for layer in Layer}
        self._tick_bell = Bell(clock)
        self._stop = anyio.Event()
        self._eyes: CancelScope | None = None
        self._inbox: Inbox | None = None
        self._guests: list[Guest] = []
        self._stirring = True
        self._last = (clock.now(), clock.awake(), clock.wall())
        self._journal_asked = self._journal_proved = clock.now()

    @property
    def world(self) -> World:
        """What is known now."""
        return self._stepper.world

    @property
    def policy(self) -> Policy:
        """What may be done now."""
        return self._stepper.policy

    @property
    def journal_error(self) -> str:
        """Why nothing can be accounted for now; '' while the journal can be written."""
        return self._stepper.journal_error

    @property
    def unseen(self) -> tuple[Layer, ...]:
        """The layers that no probe has looked at yet; () = ready."""
        return tuple(one.layer for one in unseen(self.world))

    async def run(self) -> None:
        """Look, decide and act until `stop`; then let an act under way end, within bounds."""
        await self._stepper.begin()
        send, receive = anyio.create_memory_object_stream[tuple[Fact, float]](INBOX)
        async with anyio.create_task_group() as tasks, send, receive:
            self._inbox = send
            self._stepper.start(tasks, send)
            if self._senses.paces.boot_grace:
                await self.tell(Woke(self._senses.paces.boot_grace))
            tasks.start_soon(self._sense, send, name="senses")
            tasks.start_soon(self._tick, send, name="tick")
            tasks.start_soon(self._end_in_time, tasks.cancel_scope, name="stop")
            await self._take_all(receive)
            tasks.cancel_scope.cancel()
        self._around.pulse.ended("engine")

    def stop(self) -> None:
        """Begin no new act; end when what is under way has ended, or soon."""
        now = self._senses.parts.clock.now()
        self._stepper.policy = replace(self._stepper.policy, act_before=now)
        self._stop.set()
        self._tick_bell.ring()

    def wake(self, layers: Iterable[Layer]) -> None:
        """Look at these layers now, the lowest first: a set's own order is another in each run."""
        wanted = frozenset(layers)
        for layer in LAYERS:
            if layer in wanted:
                self._bells[layer].ring()

    async def tell(self, fact: Fact) -> None:
        """Tell the core a human's word, after it was written to the journal.

        A daemon that is ending needs not to hear it: the next one reads the journal.
        """
        if self._inbox is not None:
            with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                await self._inbox.send((fact, self._senses.parts.clock.now()))

    def reload(self, senses: Senses) -> None:
        """Go on with other settings; acts under way and all that is known stay."""
        self._next = senses
        if self._eyes is not None:
            self._eyes.cancel()

    async def once(self, guest: Guest) -> Ended:
        """What `healer --once` asks for: a look at everything, and all that follows from it."""
        self._guests.append(guest)
        self._settle_policy()
        self._tick_bell.ring()
        self.wake(_ALL)
        try:
            await guest.over.wait()
        finally:
            self._guests.remove(guest)
            self._settle_policy()
        now = self._senses.parts.clock.now()
        code = exit_code(self.world, now, self.policy)
        return Ended(code, self.world, guest.why, self._stepper.journal_error)

    def _settle_policy(self) -> None:
        """A pass by hand skips the grace after boot and wake, nothing else (design §10)."""
        self._stepper.policy = replace(self._stepper.policy, one_pass=bool(self._guests))

    async def _sense(self, send: Inbox) -> None:
        """Let probes and news of one set of settings live, until another set comes."""
        while True:
            async with anyio.create_task_group() as eyes:
                self._eyes = eyes.cancel_scope
                for probe in self._senses.parts.probes:
                    eyes.start_soon(self._watch, probe, send, name=f"probe {probe.layer}")
                for news in self._senses.news:
                    eyes.start_soon(self._listen, news, name=f"news {news.name}")
            if self._next is not None:
                self._senses, self._next = self._next, None
                self._stepper.adopt(self._senses.parts, self._senses.policy)

    async def _listen(self, news: News) -> None:
        clock, around = self._senses.parts.clock, self._around
        await keep_listening(news, clock, self.wake, jitter=around.jitter, broke=around.broke)

    async def _watch(self, probe: Probe, send: Inbox) -> None:
        """A probe's life: it survives its own faults, and is asked less often after them."""
        paces, clock, layer = self._senses.paces, self._senses.parts.clock, probe.layer
        within = paces.deadline + max(paces.calm[layer], _LONGEST_RETREAT) + _SILENCE
        broken = 0
        while True:
            self._around.pulse.beat(f"probe {layer}", within)
            began = clock.now()
            look = await look_once(probe, paces.deadline)
            self._around.looked(Looked(layer, clock.now() - began, look))
            await send.send((Observed(look.observation), began))
            broken = broken + 1 if look.broke else 0
            await self._bells[layer].rest(self._rest(layer, broken), paces.least)

    def _rest(self, layer: Layer, broken: int) -> float:
        paces = self._senses.paces
        rest = paces.alert if self._stirring else self._spread(paces.calm[layer])
        return max(rest, min(_LONGEST_RETREAT, 2.0**broken)) if broken else rest

    def _spread(self, seconds: float) -> float:
        """Up to a tenth longer or shorter, so that probes do not march in step."""
        return seconds * (0.9 + 0.2 * self._around.jitter())

    async def _tick(self, send: Inbox) -> None:
        """Silence must be noticed, so time is a fact too."""
        while True:
            rest = 1.0 if self._stirring else self._senses.paces.tick
            await self._tick_bell.rest(rest, min(1.0, rest))
            await send.send((Ticked(), self._senses.parts.clock.now()))

    async def _end_in_time(self, scope: CancelScope) -> None:
        await self._stop.wait()
        await self._senses.parts.clock.sleep(_LAST_ACT)
        scope.cancel()

    async def _take_all(self, receive: MemoryObjectReceiveStream[tuple[Fact, float]]) -> None:
        async for fact, began in receive:
            self._around.pulse.beat("engine", self._senses.paces.tick + _SILENCE)
            self._notice_sleep()
            self._mind_journal()
            self._take(fact, began)
            if self._stop.is_set() and not self.world.acting:
                return

    def _notice_sleep(self) -> None:
        """Before anything else is judged: what was seen before a sleep says little now (I16)."""
        clock = self._senses.parts.clock
        paces, before = self._senses.paces, self._last
        self._last = now, awake, wall = clock.now(), clock.awake(), clock.wall()
        passed = now - before[0]
        if passed - (awake - before[1]) > _SLEPT:
            self._take(Woke(paces.wake_grace), now)
            self.wake(_ALL)
        if abs(wall - before[2] - passed) > _SLEPT:
            self._take(Woke(paces.clock_grace), now)

    def _mind_journal(self) -> None:
        """Act again once it can be written again; take in what another process wrote."""
        journal, now = self._senses.parts.journal, self._senses.parts.clock.now()
        lost = bool(self._stepper.journal_error)
        if now - self._journal_asked < (_JOURNAL_AGAIN if lost else 1.0):
            return
        self._journal_asked = now
        try:
            if lost or now - self._journal_proved >= _JOURNAL_PROVED:
                self._journal_proved = now
                journal.check()
            if not lost and not journal.written_by_others():
                return
            ledger = journal.ledger()
        except JournalError as error:
            self._stepper.forbid_acts(error)
            return
        self._stepper.allow_acts()
        self._take(Remembered(ledger), now)

    def _take(self, fact: Fact, began: float) -> None:
        decisions = self._stepper.take(fact, began)
        if decisions is None:
            return
        now = self._senses.parts.clock.now()
        self._pace(now)
        self._tell_all(now, fact, decisions)

    def _pace(self, now: float) -> None:
        stirs = stirring(self.world, now) or bool(self._guests)
        if stirs and not self._stirring:
            self.wake(_ALL)
            self._tick_bell.ring()
        self._stirring = stirs

    def _tell_all(self, now: float, fact: Fact, decisions: tuple[Decision, ...]) -> None:
        outlook = partial(awaited, self.world, now, self.policy)
        waits = outlook if self._stirring else nothing_awaited
        told = Told(now, fact, decisions, self.world, waits, dry_run=False)
        self._senses.parts.listener.told(told)
        for guest in self._guests:
            guest.told(told)
