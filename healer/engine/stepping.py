"""The owner of the world: takes one fact at a time, and carries out what follows from it.

There is no lock, since one task calls `take`; probes and acts are tasks of their own that send
facts into its inbox.
"""

from dataclasses import replace

from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from healer.core.facts import Act, Decision, Fact, Finished, Observed, Outcome
from healer.core.ledger import Attempt, Ledger
from healer.core.machine import step
from healer.core.policy import Policy
from healer.core.tower import Layer, above
from healer.core.world import World
from healer.engine.parts import Parts
from healer.engine.performing import MARGIN, Performer
from healer.engine.telling import Stepped
from healer.ports import JournalError, PortError
from healer.replay.records import Begun

Inbox = MemoryObjectSendStream[tuple[Fact, float]]
"""Facts, each with the time at which the look or the act behind it began."""
INBOX = 256
"""How many facts may wait; who would send one more waits too."""
_STILL_THERE_EVERY = 1.0


class Stepper:
    """Steps the world, journals decisions, and starts acts; `world` is what is known now."""

    def __init__(self, parts: Parts, policy: Policy, *, acts: bool = True) -> None:
        self.world = World()
        self.policy = policy
        self.journal_error = ""
        """Why nothing can be accounted for, if so."""
        self._parts = parts
        self._acts = acts
        self._void_before: dict[Layer, float] = {}
        self._alive: list[Attempt] = []
        self._tasks: TaskGroup | None = None
        self._inbox: Inbox | None = None

    async def begin(self) -> None:
        """Make the world from the journal; without one nothing may be done (design §6)."""
        ledger = self._ledger()
        self._alive = [one for one in ledger.unfinished() if await self._runs_on(one)]
        alive = frozenset(one.act.id for one in self._alive)
        begun = Begun(ledger, self._parts.clock.now(), self.policy, alive)
        self.world = begun.world(self.policy)
        self._parts.began(begun)

    def start(self, tasks: TaskGroup, inbox: Inbox) -> None:
        """Let acts run in this task group; wait for the processes of an earlier run's acts."""
        self._tasks, self._inbox = tasks, inbox
        for attempt in self._alive:
            tasks.start_soon(self._await_end, attempt, inbox, name=f"await {attempt.act.remedy}")

    def adopt(self, parts: Parts, policy: Policy) -> None:
        """Go on with other eyes, hands and limits; the world and acts under way stay.

        So do the terms of this run: that it is ending, that it is a pass, that nothing can be
        accounted for. They come from no settings, and a reload must not lift them.
        """
        self._parts = replace(parts, stepped=self._parts.stepped)
        self.policy = replace(
            policy,
            act_before=self.policy.act_before,
            one_pass=self.policy.one_pass,
            no_acts_because=self.policy.no_acts_because,
        )

    def take(self, fact: Fact, began: float) -> tuple[Decision, ...] | None:
        """Take one fact in, and carry out what follows; None for a look that is void."""
        if isinstance(fact, Observed) and began < self._void_since(fact.observation.layer):
            return None
        now = self._parts.clock.now()
        if isinstance(fact, Finished):
            self._void(fact.act.layer, now)
        taken = step(self.world, fact, now, self.policy)
        self._parts.stepped(Stepped(now, self.world, fact, self.policy, taken))
        self.world = taken.world
        for decision in taken.decisions:
            self._carry_out(decision)
        return taken.decisions

    def forbid_acts(self, error: JournalError) -> None:
        """Nothing can be accounted for any more, so nothing may be done."""
        self.journal_error = self.journal_error or str(error)
        self.policy = replace(self.policy, no_acts_because=self.journal_error)

    def allow_acts(self) -> None:
        """The journal can be written again."""
        self.journal_error = ""
        self.policy = replace(self.policy, no_acts_because="")

    def _ledger(self) -> Ledger:
        try:
            return self._parts.journal.ledger()
        except JournalError as error:
            self.forbid_acts(error)
            return Ledger()

    async def _runs_on(self, attempt: Attempt) -> bool:
        """Whether an act of an earlier run is under way; who cannot look says yes (I1).

        Past its cap it is nobody's act any more: what still runs is somebody's operation.
        """
        cap = self.policy.limits[attempt.act.remedy].cap + MARGIN
        if self._parts.clock.now() >= attempt.at + cap:
            return False
        try:
            return await self._parts.still_running(attempt)
        except PortError:
            return attempt.child_pid is not None

    async def _await_end(self, attempt: Attempt, inbox: Inbox) -> None:
        """An act of an earlier run goes on by itself: wait for it, never begin it again."""
        while await self._runs_on(attempt):
            await self._parts.clock.sleep(_STILL_THERE_EVERY)
        ended = Finished(attempt.act, Outcome.INTERRUPTED, "it went on after healer had ended")
        await inbox.send((ended, self._parts.clock.now()))

    def _void_since(self, layer: Layer) -> float:
        return self._void_before.get(layer, float("-inf"))

    def _void(self, layer: Layer, now: float) -> None:
        """A look that began before an act ended tells nothing of what the act did."""
        self._parts.after_act()
        for one in (layer, *above(layer)):
            self._void_before[one] = now

    def _carry_out(self, decision: Decision) -> None:
        if not self._acts:
            return
        if isinstance(decision, Act):
            self._begin_act(decision)
            return
        try:
            self._parts.journal.record(decision)
        except JournalError as error:
            self.forbid_acts(error)

    def _begin_act(self, act: Act) -> None:
        if self._tasks is None or self._inbox is None:
            raise RuntimeError("an engine that was not started cannot act")
        performer = Performer(
            self._parts.remedies,
            self.policy.limits,
            self._parts.journal,
            self.forbid_acts,
            self._too_late,
        )
        self._tasks.start_soon(self._perform, performer, act, self._inbox, name=f"act {act.remedy}")

    def _too_late(self) -> bool:
        """Whether an act whose last look took so long may not begin any more."""
        before = self.policy.act_before
        return before is not None and self._parts.clock.now() >= before

    async def _perform(self, performer: Performer, act: Act, inbox: Inbox) -> None:
        finished = await performer.perform(act)
        await inbox.send((finished, self._parts.clock.now()))
