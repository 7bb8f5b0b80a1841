"""One pass: look at everything at once, heal what may be healed, verify, and end.

One loop owns the world, so there is no lock; every probe and every act is a task of its own
that sends facts into it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import assert_never

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from healer.core.facts import Act, Decision, Fact, Finished, Observed, Outcome, Ticked
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt, Ledger
from healer.core.machine import begin, step
from healer.core.observation import Observation
from healer.core.outlook import Awaited, awaited, awaited_by_rehearsal, exit_code, unseen
from healer.core.policy import Policy
from healer.core.tower import Layer, above
from healer.core.world import World
from healer.engine.performing import MARGIN, Performer
from healer.engine.telling import Listener, Told
from healer.engine.watching import Probe, watch
from healer.ports import Clock, Journal, JournalError, PortError, Remedial

_TICK = 1.0
_INBOX = 256


class Mode(StrEnum):
    """What a pass is for."""

    HEAL = "heal"
    REHEARSE = "rehearse"
    """`--dry-run`: the same engine and the same decisions, and no effect."""
    LOOK = "look"
    """`check`: one look at everything."""


Inbox = MemoryObjectSendStream[tuple[Fact, float]]
"""Facts, each with the time at which the look or the act behind it began."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a pass looks, and how long one look may take; seconds."""

    every: float = 2.0
    deadline: float = 20.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pass ended."""

    exit_code: int
    world: World
    why: str
    """`settled`, `deadline` or `interrupted`."""
    journal_error: str = ""
    """Why nothing could be accounted for, if so."""


async def _nobody(attempt: Attempt) -> bool:
    """No process outlives its healer."""
    del attempt
    return False


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pass is made of; wiring fills it in."""

    probes: Sequence[Probe]
    remedies: Mapping[Remedy, Remedial]
    journal: Journal
    clock: Clock
    listener: Listener
    pace: Pace = field(default_factory=Pace)
    still_running: Callable[[Attempt], Awaitable[bool]] = _nobody
    """Whether the process of an unfinished act lives on (a `colima start` outlives us)."""
    after_act: Callable[[], None] = lambda: None
    """Called when an act has ended: what was cached of the world before it is void."""


class Pass:
    """One pass over the tower."""

    def __init__(self, parts: Parts, policy: Policy, mode: Mode = Mode.HEAL) -> None:
        self._parts = parts
        self._policy = policy
        self._mode = mode
        self._performer = Performer(
            parts.remedies, policy.limits, parts.journal, self._lose_journal
        )
        self._world = World()
        self._void_before: dict[Layer, float] = {}
        self._deadline = float("inf")
        self._hurried = False
        self._journal_error = ""

    def hurry(self) -> None:
        """Begin no new act; the pass ends when what is under way has ended (Ctrl-C)."""
        self._hurried = True
        self._policy = replace(self._policy, act_before=self._parts.clock.now())

    async def run(self, deadline: float) -> Ended:
        """Run until nothing more can change, or `deadline` seconds plus acts under way."""
        now = self._parts.clock.now()
        self._deadline = now + deadline
        self._policy = replace(self._policy, act_before=self._deadline)
        ledger = self._ledger()
        alive = [one for one in ledger.unfinished() if await self._runs_on(one)]
        self._world = begin(ledger, now, self._policy, frozenset(one.act.id for one in alive))
        send, receive = anyio.create_memory_object_stream[tuple[Fact, float]](_INBOX)
        async with anyio.create_task_group() as tasks, send, receive:
            self._start(tasks, send, alive)
            async for fact, began in receive:
                if self._take(fact, began, tasks, send):
                    break
            tasks.cancel_scope.cancel()
        now = self._parts.clock.now()
        code = exit_code(self._world, now, self._policy)
        return Ended(code, self._world, self._why(now), self._journal_error)

    def _ledger(self) -> Ledger:
        """What limits need; without it nothing may be done (design §6)."""
        try:
            return self._parts.journal.ledger()
        except JournalError as error:
            self._lose_journal(error)
            return Ledger()

    def _lose_journal(self, error: JournalError) -> None:
        self._journal_error = self._journal_error or str(error)
        self._policy = replace(self._policy, no_acts_because=self._journal_error)

    def _start(self, tasks: TaskGroup, send: Inbox, alive: Sequence[Attempt]) -> None:
        for probe in self._parts.probes:
            tasks.start_soon(self._watch, probe, send, name=f"probe {probe.layer}")
        for attempt in alive:
            tasks.start_soon(self._await_end, attempt, send, name=f"await {attempt.act.remedy}")
        tasks.start_soon(self._tick, send, name="tick")

    async def _watch(self, probe: Probe, send: Inbox) -> None:
        async def observed(observation: Observation, began: float) -> None:
            await send.send((Observed(observation), began))

        pace = self._parts.pace
        await watch(probe, self._parts.clock, observed, every=pace.every, deadline=pace.deadline)

    async def _tick(self, send: Inbox) -> None:
        """Silence must be noticed, so time is a fact too."""
        while True:
            await self._parts.clock.sleep(_TICK)
            await send.send((Ticked(), self._parts.clock.now()))

    async def _runs_on(self, attempt: Attempt) -> bool:
        """Whether an act of an earlier run is under way; who cannot look says yes (I1).

        Past its cap it is nobody's act any more: what still runs is somebody's operation.
        """
        cap = self._policy.limits[attempt.act.remedy].cap + MARGIN
        if self._parts.clock.now() >= attempt.at + cap:
            return False
        try:
            return await self._parts.still_running(attempt)
        except PortError:
            return attempt.child_pid is not None

    async def _await_end(self, attempt: Attempt, send: Inbox) -> None:
        """An act of an earlier run goes on by itself: wait for it, never begin it again."""
        while await self._runs_on(attempt):
            await self._parts.clock.sleep(_TICK)
        ended = Finished(attempt.act, Outcome.INTERRUPTED, "it went on after healer had ended")
        await send.send((ended, self._parts.clock.now()))

    def _take(self, fact: Fact, began: float, tasks: TaskGroup, send: Inbox) -> bool:
        """Take one fact in; True when the pass is over."""
        if isinstance(fact, Observed) and began < self._void_since(fact.observation.layer):
            return False
        now = self._parts.clock.now()
        if isinstance(fact, Finished):
            self._void(fact.act.layer, now)
        taken = step(self._world, fact, now, self._policy)
        self._world = taken.world
        for decision in taken.decisions:
            self._carry_out(decision, tasks, send)
        waiting = self._awaited(now)
        rehearsal = self._mode is not Mode.HEAL
        told = Told(now, fact, taken.decisions, self._world, waiting, rehearsal)
        self._parts.listener.told(told)
        return self._over(now, waiting)

    def _void_since(self, layer: Layer) -> float:
        return self._void_before.get(layer, float("-inf"))

    def _void(self, layer: Layer, now: float) -> None:
        """A look that began before an act ended tells nothing of what the act did."""
        self._parts.after_act()
        for one in (layer, *above(layer)):
            self._void_before[one] = now

    def _carry_out(self, decision: Decision, tasks: TaskGroup, send: Inbox) -> None:
        if self._mode is not Mode.HEAL:
            return
        if isinstance(decision, Act):
            tasks.start_soon(self._perform, decision, send, name=f"act {decision.remedy}")
            return
        try:
            self._parts.journal.record(decision)
        except JournalError as error:
            self._lose_journal(error)

    async def _perform(self, act: Act, send: Inbox) -> None:
        finished = await self._performer.perform(act)
        await send.send((finished, self._parts.clock.now()))

    def _awaited(self, now: float) -> tuple[Awaited, ...]:
        match self._mode:
            case Mode.HEAL:
                return awaited(self._world, now, self._policy)
            case Mode.REHEARSE:
                return awaited_by_rehearsal(self._world, now, self._policy)
            case Mode.LOOK:
                return unseen(self._world)
            case _:
                assert_never(self._mode)

    def _over(self, now: float, waiting: tuple[Awaited, ...]) -> bool:
        if not waiting:
            return True
        idle = self._mode is not Mode.HEAL or not self._world.acting
        return idle and (self._hurried or now >= self._deadline)

    def _why(self, now: float) -> str:
        if self._hurried:
            return "interrupted"
        return "settled" if not self._awaited(now) else "deadline"
