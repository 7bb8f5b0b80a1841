"""Playing a scenario: the real daemon over a simulated tower, until all is settled."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import anyio

from healer.core.facts import State
from healer.core.tower import Layer
from healer.core.world import World
from healer.drills.befalling import Befalling
from healer.drills.journals import journal_in_memory
from healer.drills.letters import Letters
from healer.drills.lives import Crash, Lives
from healer.drills.recording import Recorder
from healer.drills.scenario import Happens, Scenario
from healer.engine.telling import Both, Listener, Told
from healer.model.notice import Notice
from healer.ports import Clock, Journal
from healer.promises.history import History
from healer.settings import Settings
from healer.simulation.clockwork import Told as Happened
from healer.simulation.happenings import healthy_tower
from healer.simulation.mac_ports import SimulatedClock
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import VirtualLoop, run_virtually

QUIET = 60.0
"""Seconds without a decision, all being well, after which a drill is over."""
QUIET_WHEN_ILL = 600.0
"""The same when the tower is ill and stays so: every notice has been told by then."""
_ASKED_EVERY = 5.0


def _unheard(waited: float) -> None:
    """Nobody slows it down."""
    del waited


class Watcher(Listener, Protocol):
    """Whoever watches a drill while it is played."""

    def began(self, tower: Tower) -> None:
        """It begins; nothing has befallen the tower yet."""
        ...

    def befalls(self, happens: Happens) -> None:
        """Now this befalls."""
        ...

    def noticed(self, notice: Notice) -> None:
        """A human is told."""
        ...


class Nobody:
    """Watches nothing."""

    def began(self, tower: Tower) -> None:
        """Unseen."""

    def befalls(self, happens: Happens) -> None:
        """Unseen."""

    def noticed(self, notice: Notice) -> None:
        """Unseen."""

    def told(self, told: Told) -> None:
        """Unheard."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scenario."""

    scenario: Scenario
    seed: int
    history: History = field(repr=False)
    happened: tuple[Happened, ...] = field(repr=False)
    """What really happened in the tower, oldest first."""
    harm: tuple[Happened, ...] = field(repr=False)
    """What was done that should never be done, as physics tells it."""
    well: Mapping[Layer, float] = field(repr=False)
    """Which layers are truly well at the end, and since when."""
    world: World = field(repr=False)
    """What the last healer knew at the end. (asyncio spells out what a task returns.)"""
    notices: tuple[Notice, ...] = field(repr=False)
    """What a human was told, oldest first."""
    struck: float
    """When the last fault befell the tower, or had passed, on the clock of `now`."""
    lives: int
    turns: int
    """How often all tasks had come to an await: so many places there are for a crash."""

    @property
    def well_since(self) -> float | None:
        """When the tower became truly well for the last time; None when it is ill at the end."""
        return max(self.well.values()) if len(self.well) == len(Layer) else None


@dataclass(frozen=True, slots=True)
class Manner:
    """How a scenario is played; the defaults are what a drill does."""

    crashes: Sequence[Crash] = ()
    settings: Settings = field(default_factory=Settings)
    watcher: Watcher = field(default_factory=Nobody)
    turned: Callable[[float], None] = _unheard
    """Called each time that all tasks wait, with the virtual seconds about to be over."""
    notices: bool = True
    """Whether to find out what a human is told."""
    quiet: float = QUIET
    quiet_when_ill: float = QUIET_WHEN_ILL
    journal: Callable[[Clock], Callable[[], Journal]] = journal_in_memory
    """Makes an empty one; what comes back opens it anew for each healer."""


def run(scenario: Scenario, *, seed: int = 0, manner: Manner | None = None) -> Played:
    """Play it on virtual time."""
    return run_virtually(lambda: play(scenario, seed=seed, manner=manner))


async def play(scenario: Scenario, *, seed: int = 0, manner: Manner | None = None) -> Played:
    """Play it on the time of the loop at hand; the same seed gives the same history."""
    return await _Drill(scenario, seed, manner or Manner()).play()


class _Drill:
    """One play of one scenario."""

    def __init__(self, scenario: Scenario, seed: int, manner: Manner) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        self._scenario = scenario
        self._seed = seed
        self._manner = manner
        self._tower = healthy_tower(lambda: clock() - began, Random(seed))  # noqa: S311  (a seeded world)
        self._open = manner.journal(SimulatedClock(self._tower))
        self._recorder = Recorder(self._tower, self._open())
        self._letters = Letters(self._tower, self._recorder, manner.watcher.noticed)
        self._lives = Lives(
            tower=self._tower,
            journal=self._open,
            settings=manner.settings,
            recorder=self._recorder,
            listener=Both(self._letters, manner.watcher) if manner.notices else manner.watcher,
            seed=seed,
        )
        self._befalling = Befalling(
            self._tower, scenario.happens, self._lives, manner.watcher.befalls
        )
        self._turns = 0
        self._world = World()

    async def play(self) -> Played:
        self._manner.watcher.began(self._tower)
        self._count_turns()
        await self._befalling.first()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._lives.run, name="lives")
            tasks.start_soon(self._befalling.rest, name="what befalls")
            for one in self._manner.crashes:
                if one.at is not None:
                    tasks.start_soon(self._crash_at, one, one.at, name="crash")
            await self._until_settled()
            tasks.cancel_scope.cancel()
        self._recorder.life_ended()
        return Played(
            scenario=self._scenario,
            seed=self._seed,
            history=self._closed(),
            happened=tuple(self._tower.happened),
            harm=tuple(self._tower.harm),
            well=self._tower.truth(self._tower.now()),
            world=self._world,
            notices=tuple(self._letters.sent),
            struck=self._befalling.struck,
            lives=self._recorder.life,
            turns=self._turns,
        )

    def _count_turns(self) -> None:
        """Turns are counted, and a crash at one of them comes between two awaits."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            return
        crashes = {one.turn: one for one in self._manner.crashes if one.turn is not None}

        def turned(waited: float) -> None:
            self._manner.turned(waited)
            self._turns += 1
            crash = crashes.get(self._turns)
            if crash is not None:
                self._lives.crash(crash.down)

        loop.on_turn(turned)

    async def _crash_at(self, crash: Crash, at: float) -> None:
        await anyio.sleep(max(0.0, at - self._tower.now()))
        self._lives.crash(crash.down)

    async def _until_settled(self) -> None:
        while not self._settled():  # noqa: ASYNC110  (settled is what many things make together)
            await anyio.sleep(_ASKED_EVERY)

    def _settled(self) -> bool:
        now, over = self._tower.now(), self._befalling.over
        if self._lives.daemon is not None:
            self._world = self._lives.daemon.world
        if over is None or now < self._scenario.lasts or self._lives.daemon is None:
            return False
        if now >= max(self._scenario.lasts, over + self._scenario.bound):
            return True
        quiet_since = max(self._recorder.decided_at, over)
        if self._tower.well and _calm(self._world):
            return now - quiet_since >= self._manner.quiet
        # A grace is quiet too, and what it put off comes when it ends.
        quiet_since = max(quiet_since, self._world.grace_until)
        return self._hopeless() and now - quiet_since >= self._manner.quiet_when_ill

    def _hopeless(self) -> bool:
        """Nothing more is to come: no ladder answers it, or it was given up."""
        gave_up = any(one.until is None for one in self._world.ledger.holds)
        return gave_up or not self._befalling.covered

    def _closed(self) -> History:
        history, befalling = self._recorder.history, self._befalling
        history.faults_over = befalling.over
        history.covered, history.harmless = befalling.covered, befalling.harmless
        history.bound, history.ended = self._scenario.bound, self._tower.now()
        history.well_at_end = self._tower.well
        history.human = frozenset(self._tower.human.wishes)
        history.undone = self._tower.undone()
        return history


def _calm(world: World) -> bool:
    """Whether the engine sees nothing but well layers, and is at work on none."""
    busy = world.acting or world.verifying or world.incidents
    return not busy and _all_ok(world.states)


def _all_ok(states: Mapping[Layer, State]) -> bool:
    return bool(states) and all(one is State.OK for one in states.values())
