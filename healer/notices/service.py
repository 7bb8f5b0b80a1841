"""Notices in a daemon: told by the engine, they reach the outbox first and the channels then."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final

import anyio

from healer.core.ladders import DAY
from healer.core.world import World
from healer.engine.telling import Told
from healer.model.notice import Kind, Notice, Past
from healer.notices.dead_man import DeadMan
from healer.notices.deciding import Desk, decide, make_digest, recall
from healer.notices.delivering import Courier, Hooks
from healer.notices.digest import digest_due, since
from healer.notices.keeping import Keeper
from healer.notices.recurring import Recurrences
from healer.notices.rules import Rules
from healer.notices.scene import Moment, Scene
from healer.ports import Channel, Clock, JournalError, Outbox

_AGAIN: Final = 30.0
"""Seconds until a journal that could not be read or written is tried again."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a reload exchanges."""

    channels: Sequence[Channel]
    rules: Rules
    dead_man: DeadMan | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What stays while the daemon lives."""

    outbox: Callable[[], Outbox]
    """Whichever is open now; raises JournalError."""
    clock: Clock
    hooks: Hooks
    problems: Callable[[], Mapping[str, str]]
    """What healer lives on without, by part."""
    zone: tzinfo | None = None
    """Whose days and hours count; None = this machine's."""


class Notices:
    """engine.telling.Listener, and the tasks behind it."""

    def __init__(self, setup: Setup, around: Around) -> None:
        self._setup = setup
        self._around = around
        self._keeper = Keeper(around.outbox)
        self._couriers = self._hired(setup)
        self._scope: anyio.CancelScope | None = None
        self._desk = Desk()
        self._waiting: deque[Notice] = deque()
        self._digest_of: World | None = None
        self._news = anyio.Event()
        self._recall_at = float("-inf")

    def told(self, told: Told) -> None:
        """Decide what a human must hear; the tasks do the rest."""
        if told.dry_run or not self._couriers:
            return
        try:
            self._consider(told)
        except Exception as error:  # noqa: BLE001  (a notice that cannot be made must not end the healing)
            words = f"a notice could not be made: {type(error).__name__}: {error}; report this"
            self._around.hooks.say("notices", words)

    def adopt(self, setup: Setup) -> None:
        """Go on with other channels and rules; what waits for a channel that stays is kept."""
        old, self._setup = {one.name: one.waiting for one in self._couriers}, setup
        self._couriers = self._hired(setup)
        for courier in self._couriers:
            for notice in old.get(courier.name, ()):
                courier.put(notice)
        if self._scope is not None:
            self._scope.cancel()

    async def run(self) -> None:
        """Deliver, check and ping until cancelled."""
        while True:
            async with anyio.create_task_group() as tasks:
                self._scope = tasks.cancel_scope
                for courier in self._couriers:
                    tasks.start_soon(courier.run, name=f"notices by {courier.name}")
                tasks.start_soon(self._check_daily, name="check of the channels")
                if self._setup.dead_man is not None:
                    tasks.start_soon(self._setup.dead_man.run, name="dead man's ping")
                tasks.start_soon(self._keep, name="outbox")

    def _hired(self, setup: Setup) -> list[Courier]:
        clock, hooks = self._around.clock, self._around.hooks
        return [Courier(one, self._keeper, clock, hooks) for one in setup.channels]

    def _consider(self, told: Told) -> None:
        self._recall(told)
        scene = self._scene(told.world)
        problems, rules = self._around.problems(), self._setup.rules
        decided = decide(self._desk, scene, told.decisions, problems, rules)
        self._desk = decided.desk
        self._waiting.extend(decided.notices)
        if self._recalled and self._digest_of is None and digest_due(scene, rules):
            self._digest_of = told.world
        if self._waiting or self._digest_of is not None:
            self._news.set()

    def _scene(self, world: World) -> Scene:
        clock = self._around.clock
        wall = clock.wall()
        local = datetime.fromtimestamp(wall, tz=UTC).astimezone(self._around.zone)
        day = local.date().isoformat()
        moment = Moment(clock.now(), clock.awake(), wall, day, local.hour)
        return Scene(world, moment, self._desk.told)

    @property
    def _recalled(self) -> bool:
        return self._recall_at == float("inf")

    def _recall(self, told: Told) -> None:
        """Take in, once, what an earlier run told, queued, and did not come to deliver."""
        now = self._around.clock.now()
        if now < self._recall_at:
            return
        self._recall_at = now + _AGAIN
        try:
            known, ended = self._keeper.told(), self._keeper.ended()
            pending = self._keeper.pending()
        except JournalError:
            return
        self._recall_at = float("inf")
        self._take_over(pending)
        scene = self._scene(told.world)
        past = Recurrences.of(self._keeper.past(scene.at.wall - DAY))
        mine = self._desk.told.values()
        self._desk = replace(self._desk, recurrences=past).with_told([*known, *mine])
        self._note_first_day()
        decided = recall(self._desk, self._scene(told.world), ended)
        self._desk = decided.desk
        self._waiting.extend(decided.notices)

    def _take_over(self, pending: Sequence[tuple[Notice, str]]) -> None:
        """What this run made itself is on its way already."""
        for notice, channel in pending:
            for courier in self._couriers:
                if (
                    courier.name == channel
                    and (notice.incident, notice.kind) not in self._desk.told
                ):
                    courier.put(notice)

    def _note_first_day(self) -> None:
        """The day on which healer was first run has no digest in its middle."""
        if not any(kind is Kind.DIGEST for _, kind in self._desk.told):
            scene = self._scene(World())
            first, _ = make_digest(self._desk, scene, Past(), self._setup.rules)
            self._desk = self._desk.with_told([first])
            self._keeper.queue(first, [])

    async def _keep(self) -> None:
        """Outbox first, channels then: what was queued survives our end."""
        while True:
            with anyio.move_on_after(_AGAIN):
                await self._news.wait()
            self._news = anyio.Event()
            while self._waiting:
                self._post(self._waiting.popleft())
            if self._digest_of is not None:
                self._digest(self._digest_of)
                self._digest_of = None
            self._keeper.try_again()

    def _post(self, notice: Notice) -> None:
        if self._keeper.queue(notice, [one.name for one in self._couriers]):
            for courier in self._couriers:
                courier.put(notice)

    def _digest(self, world: World) -> None:
        """Make the day's digest; one without news is only noted."""
        scene = self._scene(world)
        past = self._keeper.past(since(scene))
        notice, worth_it = make_digest(self._desk, scene, past, self._setup.rules)
        self._desk = self._desk.with_told([notice])
        if worth_it:
            self._post(notice)
        else:
            self._keeper.queue(notice, [])

    async def _check_daily(self) -> None:
        """A broken channel is said before it is needed (facts/incidents.md, R14)."""
        while True:
            for channel in self._setup.channels:
                self._around.hooks.say(f"notices by {channel.name}", channel.check())
            dead_man = self._setup.dead_man
            if dead_man is not None:
                beacon = dead_man.beacon
                self._around.hooks.say(f"notices by {beacon.name}", beacon.check())
            await self._around.clock.sleep(DAY)
