"""One pass: look at everything at once, heal what may be healed, verify, and end."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

import anyio
from anyio.abc import TaskGroup

from healer.core.facts import Fact, Observed, Ticked
from healer.core.observation import Observation
from healer.core.outlook import Awaited, awaited, awaited_by_rehearsal, exit_code, unseen
from healer.core.policy import Policy
from healer.core.world import World
from healer.engine.parts import Parts
from healer.engine.stepping import INBOX, Inbox, Stepper
from healer.engine.telling import Told
from healer.engine.watching import Probe, watch

_TICK = 1.0


class Mode(StrEnum):
    """What a pass is for."""

    HEAL = "heal"
    REHEARSE = "rehearse"
    """`--dry-run`: the same engine and the same decisions, and no effect."""
    LOOK = "look"
    """`check`: one look at everything."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pass ended."""

    exit_code: int
    world: World
    why: str
    """`settled`, `deadline` or `interrupted`."""
    journal_error: str = ""
    """Why nothing could be accounted for, if so."""


class Pass:
    """One pass over the tower."""

    def __init__(self, parts: Parts, policy: Policy, mode: Mode = Mode.HEAL) -> None:
        self._parts = parts
        self._mode = mode
        self._stepper = Stepper(parts, policy, acts=mode is Mode.HEAL)
        self._deadline = float("inf")
        self._hurried = False

    def hurry(self) -> None:
        """Begin no new act; the pass ends when what is under way has ended (Ctrl-C)."""
        self._hurried = True
        self._begin_none_after(self._parts.clock.now())

    async def run(self, deadline: float) -> Ended:
        """Run until nothing more can change, or `deadline` seconds plus acts under way."""
        self._deadline = self._parts.clock.now() + deadline
        self._begin_none_after(self._deadline)
        await self._stepper.begin()
        send, receive = anyio.create_memory_object_stream[tuple[Fact, float]](INBOX)
        async with anyio.create_task_group() as tasks, send, receive:
            self._start(tasks, send)
            async for fact, began in receive:
                if self._take(fact, began):
                    break
            tasks.cancel_scope.cancel()
        now, stepper = self._parts.clock.now(), self._stepper
        code = exit_code(stepper.world, now, stepper.policy)
        world = stepper.world
        if self._mode is Mode.REHEARSE:
            # What would be done is not under way: the layer is as it was seen.
            world = replace(world, acting=())
        return Ended(code, world, self._why(now), stepper.journal_error)

    def _begin_none_after(self, at: float) -> None:
        self._stepper.policy = replace(self._stepper.policy, act_before=at)

    def _start(self, tasks: TaskGroup, send: Inbox) -> None:
        for probe in self._parts.probes:
            tasks.start_soon(self._watch, probe, send, name=f"probe {probe.layer}")
        self._stepper.start(tasks, send)
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

    def _take(self, fact: Fact, began: float) -> bool:
        """Take one fact in; True when the pass is over."""
        decisions = self._stepper.take(fact, began)
        if decisions is None:
            return False
        now = self._parts.clock.now()
        waiting = self._awaited(now)
        rehearsal = self._mode is not Mode.HEAL
        told = Told(now, fact, decisions, self._stepper.world, lambda: waiting, rehearsal)
        self._parts.listener.told(told)
        return self._over(now, waiting)

    def _awaited(self, now: float) -> tuple[Awaited, ...]:
        world, policy = self._stepper.world, self._stepper.policy
        match self._mode:
            case Mode.HEAL:
                return awaited(world, now, policy)
            case Mode.REHEARSE:
                return awaited_by_rehearsal(world, now, policy)
            case Mode.LOOK:
                return unseen(world)
            case _:
                assert_never(self._mode)

    def _over(self, now: float, waiting: tuple[Awaited, ...]) -> bool:
        if not waiting:
            return True
        idle = self._mode is not Mode.HEAL or not self._stepper.world.acting
        return idle and (self._hurried or now >= self._deadline)

    def _why(self, now: float) -> str:
        if self._hurried:
            return "interrupted"
        return "settled" if not self._awaited(now) else "deadline"
