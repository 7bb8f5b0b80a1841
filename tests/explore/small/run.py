"""One schedule from its first look to its end: the real core, a small tower, a virtual clock."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from healer.core.facts import (
    Act,
    Finished,
    Observed,
    Outcome,
    Pause,
    Paused,
    State,
    Ticked,
    WasReset,
    Woke,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.machine import begin, step
from healer.core.observation import Observation
from healer.core.pacing import stirring
from healer.core.policy import Policy
from healer.core.tower import LAYERS, Layer
from healer.promises.history import Deed, History, Moment
from healer.promises.recovery import CORDON, PAUSED_ROLLOUT
from tests.explore.small import deeds
from tests.explore.small.faults import FAULTS, Schedule, foreign
from tests.explore.small.tower import SmallTower, look

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from healer.core.facts import Fact
    from healer.core.world import World
    from tests.explore.small.faults import Event

BOUND: Final = 2700.0
"""I12: ten minutes of grace for a human's stop, as much for four pods ill at once of which each
may wait through its cooldown, and twice what a whole reboot takes."""
UNCOVERED: Final = 420.0
"""How long what no ladder answers is watched: soon after a start of the container a silent API is
expected for 300 s."""
FLAKY_FOR: Final = 60.0
WAKE_GRACE: Final = 75.0
LOOK_TAKES: Final = 0.2
QUIET_ROUNDS: Final = 2
HOST_EVERY: Final = 15.0
EVERYONE_EVERY: Final = 300.0
"""The daemon's rarest look is at 600 s, and a wake from sleep wakes every probe."""
_OUTLIVE: Final = frozenset({Remedy.START_VM, Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM})
"""Acts whose process lives on when healer dies (design §10)."""
_WITNESSES: Final = (Layer.COLIMA, Layer.SSH, Layer.DOCKER, Layer.APISERVER, Layer.SERVICES)
_TAKES_A_JOB_AWAY: Final = frozenset({"job_booted_out", "job_disabled"})
_ENDED: Final = frozenset({State.OK, State.UNKNOWN})
_NOBODY_KNOWS: Final[Mapping[Layer, float]] = MappingProxyType({})


class Killed(Exception):
    """healer dies here."""


@dataclass(slots=True)
class Going:
    """An act under way."""

    act: Act
    ends: float
    deed: Deed | None
    outcome: Outcome | None
    """None: as the tower will have it; else it fails so."""


@dataclass(slots=True)
class Run:
    """One schedule being played."""

    schedule: Schedule
    make_policy: Callable[[int], Policy]
    now: float = 0.0
    life: int = 0
    tower: SmallTower = field(default_factory=SmallTower)
    history: History = field(default_factory=History)
    going: list[Going] = field(default_factory=list)
    last: dict[Layer, Observation] = field(default_factory=dict)
    looked: float = 0.0
    """When the host was last looked at."""
    everyone_at: float = 0.0
    """When every layer was last looked at."""
    blind: dict[Layer, float] = field(default_factory=dict)
    ill_at: dict[Layer, float] = field(default_factory=dict)
    kill_at: str = ""
    foreign_until: float = 0.0
    foreign_since: float = 0.0
    foreign_layer: str = ""
    unseen_until: float = 0.0
    faults_over: float = 0.0
    rounds: int = 0
    chance: random.Random = field(init=False)
    journal: Ledger = field(init=False)
    world: World = field(init=False)
    policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.schedule.seed ^ 0x5EED)
        self._set_expectations()
        self.life, self.policy = 1, self.make_policy(1)
        by_ssh = self.schedule.seed % 2 == 1
        self.tower.by_ssh = by_ssh
        self.world, looks = _all_well(by_ssh=by_ssh)
        self.journal = self.world.ledger
        self.last = dict(looks)

    def _set_expectations(self) -> None:
        faults = [FAULTS[one.name] for one in self.schedule.events if one.kind == "fault"]
        kinds = {one.kind for one in self.schedule.events}
        self.history.covered = all(one.covered for one in faults)
        self.history.harmless = not faults and "foreign" not in kinds
        self.history.bound = BOUND if self.history.covered else UNCOVERED

    def play(self) -> History:
        """Play it to its end."""
        for event in self.schedule.events:
            self._until(event.at)
            self._happen(event)
        return self.finish()

    def finish(self) -> History:
        """Nothing more befalls: let it come to rest."""
        self.faults_over = max(
            self.now, self.foreign_until, self.unseen_until, *self.blind.values(), 0.0
        )
        self.faults_over = max(
            self.faults_over,
            *(one.at + one.lasts for one in self.schedule.events if one.kind == "pause"),
            0.0,
        )
        self._until_quiet()
        return self._told()

    def _told(self) -> History:
        history = self.history
        history.ended, history.faults_over = self.now, self.faults_over
        history.well_at_end = all(self.tower.well(self.now).values())
        befell = {one.name for one in self.schedule.events if one.kind == "fault"}
        lifted = any(one.kind == "recovers" for one in self.schedule.events)
        if self.tower.cordoned == "human":
            history.human = frozenset({CORDON})
        elif "cordon_by_human" in befell and not lifted:
            history.undone = ("a human's cordon",)
        if self.tower.rollout_paused:
            history.human |= {PAUSED_ROLLOUT}
        if befell & _TAKES_A_JOB_AWAY and self.tower.job == "up" and not lifted:
            history.undone = (*history.undone, "a job that was booted out or disabled")
        return history

    # Time.

    def _until(self, then: float) -> None:
        while self.now < then:
            self._next(min(then, self.now + self._rest()))

    def _until_quiet(self) -> None:
        deadline = self.faults_over + self.history.bound
        calm = 0
        while self.now < deadline and calm < QUIET_ROUNDS:
            self._next(self.now + self._rest())
            calm = calm + 1 if self.now >= self.faults_over and self._quiet() else 0

    def _quiet(self) -> bool:
        if self.going or self.world.verifying or self.world.incidents:
            return False
        calm = all(one in _ENDED for one in self.world.states.values())
        return calm and all(self.tower.well(self.now).values())

    def _rest(self) -> float:
        """A few seconds, or until something is due; long when nothing stirs."""
        if self.chance.random() < 0.3:
            return round(self.chance.uniform(1.5, 9.0), 2)
        due = [one for one in self._due() if one > self.now]
        awake = self.going or not self.world.states or stirring(self.world, self.now)
        most = 20.0 if awake else 120.0
        rest = min([most, *(one - self.now + 0.1 for one in due)])
        return max(1.0, round(rest, 2))

    def _due(self) -> Iterator[float]:
        """When something ends, is confirmed, is proved or may be done at last."""
        for one in self.going:
            yield one.ends
        for refused in self.world.refusals.values():
            if refused.until is not None:
                yield refused.until
        for proof in self.world.verifying:
            since = proof.deadline if proof.good_since is None else proof.good_since
            yield since + self.policy.limits[proof.act.remedy].window / 5.0
        for view in self.world.views.values():
            for trouble in view.troubles.values():
                yield trouble.counted_since + self.policy.ladders[trouble.finding.reason].over

    def _next(self, then: float) -> None:
        """Let acts end that end by then, and look around."""
        due = sorted((one for one in self.going if one.ends <= then), key=lambda one: one.ends)
        for one in due:
            if one in self.going:
                self.now = max(self.now, one.ends)
                self._guarded(partial(self._end, one))
        self.now = max(self.now, then)
        self._guarded(self._look_around)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Killed:
            self._die()

    # What befalls.

    def _happen(self, event: Event) -> None:
        match event.kind:
            case "fault":
                FAULTS[event.name].befall(self.tower, self.now, self.chance)
            case "crash" if event.name:
                self.kill_at = event.name
            case "crash":
                self._die()
            case "pause":
                scope = Layer(event.name) if event.name else None
                until = self.now + event.lasts
                self._guarded(lambda: self._tell(Paused(Pause(scope, until, "joel", "work"))))
            case "foreign":
                self.foreign_since, self.foreign_layer = self.now, event.name
                self.foreign_until = self.now + event.lasts
            case "blind":
                self.blind[Layer(event.name)] = self.now + event.lasts
            case "others_unseen":
                self.unseen_until = self.now + event.lasts
            case "sleep":
                self.now += event.lasts
                self._guarded(lambda: self._tell(Woke(WAKE_GRACE)))
            case "reset":
                layer = Layer(event.name) if event.name else None
                self._guarded(lambda: self._tell(WasReset(layer)))
            case _:
                self._recover()

    def _recover(self) -> None:
        """Somebody mends everything by hand."""
        was = self.tower
        self.tower = SmallTower(
            vm_since=was.vm_since, box_since=was.box_since, serial=was.serial, by_ssh=was.by_ssh
        )

    # Looks.

    def _look_around(self) -> None:
        """The host, what changed, what is ill at the bottom or being proved, and some others."""
        self._follow_others()
        self.rounds += 1
        well = self.tower.well(self.now)
        for layer, fine in well.items():
            if not fine:
                self.ill_at[layer] = self.now
        proved = {one.act.layer for one in self.world.verifying}
        everyone = self.rounds % 6 == 1 or self.now - self.everyone_at > EVERYONE_EVERY
        if everyone:
            self.everyone_at = self.now
        root = next((layer for layer, fine in well.items() if not fine), None)
        seen = [
            layer
            for layer in LAYERS
            if everyone or layer is root or layer in proved or self._worth_a_look(layer)
        ]
        for layer in seen:
            self._look(layer)
        if not seen:
            self._tell(Ticked())

    def _worth_a_look(self, layer: Layer) -> bool:
        if layer not in self.last:
            return True
        if layer is Layer.HOST:
            return self.now - self.looked > HOST_EVERY or self.last[layer].foreign != ()
        seen = look(self.tower, layer, self.now)
        was = self.last[layer]
        if (seen.unknown, len(seen.findings)) != (was.unknown, len(was.findings)):
            return True
        return any(
            new.reason is not old.reason
            for new, old in zip(seen.findings, was.findings, strict=True)
        )

    def _look(self, layer: Layer) -> None:
        seen = look(self.tower, layer, self.now)
        lost = self._troubled_times() and self.chance.random() < self.schedule.lost
        if lost or self.now < self.blind.get(layer, 0.0):
            others = "lost" if layer is Layer.HOST else ""
            seen = Observation(layer, unknown="lost", others_unseen=others)
        self.last[layer] = seen
        if layer is Layer.HOST:
            self.looked = self.now
        self._tell(Observed(seen))

    def _follow_others(self) -> None:
        tower = self.tower
        tower.others_unseen = self.now < self.unseen_until
        if not self.foreign_until:
            return
        if self.now < self.foreign_until:
            tower.foreign = (foreign(self.foreign_layer, self.foreign_since, self.now),)
            return
        if self.foreign_layer == Layer.COLIMA and tower.vm == "off":
            tower.boot_vm(self.now)
        startable = tower.docker_answers(self.now) and tower.box in {"running", "exited"}
        if self.foreign_layer == Layer.TALOS and startable:
            tower.start_box(self.now)
        tower.foreign, self.foreign_until = (), 0.0

    # healer.

    def _live(self) -> None:
        """A process of healer begins, from what the journal tells."""
        self.life += 1
        self.policy = self.make_policy(self.life)
        alive = frozenset(one.act.id for one in self.going)
        self.world = begin(self.journal, self.now, self.policy, alive)
        self.last = {}

    def _die(self) -> None:
        """SIGKILL: what was not written is forgotten; a start of the VM goes on by itself."""
        self.kill_at = ""
        for one in self.going:
            if one.deed is not None and one.act.remedy not in _OUTLIVE:
                one.deed.ended = self.now
        self.going = [
            one for one in self.going if one.deed is not None and one.act.remedy in _OUTLIVE
        ]
        self.now += round(self.chance.uniform(1.0, 30.0), 1)
        self._live()

    def _tell(self, fact: Fact) -> None:
        before = self.world
        taken = step(before, fact, self.now, self.policy)
        acts = [one for one in taken.decisions if isinstance(one, Act)]
        self.history.moments.append(
            Moment(
                self.now,
                self.life,
                fact,
                before,
                taken.world,
                taken.decisions,
                self.policy,
                self._truly_well() if acts else _NOBODY_KNOWS,
            )
        )
        self.world = taken.world
        if acts and self._killed_at("intent"):
            raise Killed
        self._write(before, taken.world)
        for act in acts:
            self._begin(act)

    def _truly_well(self) -> Mapping[Layer, float]:
        well = self.tower.well(self.now)
        return {layer: self.ill_at.get(layer, 0.0) for layer, fine in well.items() if fine}

    def _write(self, before: World, after: World) -> None:
        if after.ledger is not before.ledger or after.incidents is not before.incidents:
            self.journal = replace(after.ledger, incidents=after.incidents)

    def _killed_at(self, phase: str) -> bool:
        return self.kill_at == phase

    def _begin(self, act: Act) -> None:
        if self._killed_at("looked"):
            raise Killed
        why = deeds.needless(self.tower, act, self.now)
        if why:
            self.going.append(Going(act, self.now + LOOK_TAKES, None, Outcome.NOT_NEEDED))
            return
        deed = Deed(act, self.life, self.now, well_for=self._well_for(act))
        self.history.deeds.append(deed)
        outcome = self._chance_of_failing(act)
        if outcome is None:
            deeds.begin(self.tower, act, self.now)
        cap = self.policy.limits[act.remedy].cap
        lasts = cap + 30.0 if outcome is Outcome.TIMED_OUT else deeds.takes(act)
        self.going.append(Going(act, self.now + lasts, deed, outcome))
        if self._killed_at("act"):
            raise Killed

    def _well_for(self, act: Act) -> float | None:
        if not self.tower.well(self.now)[act.layer]:
            return None
        return self.now - self.ill_at.get(act.layer, 0.0)

    def _chance_of_failing(self, act: Act) -> Outcome | None:
        fails = self._troubled_times() and self.chance.random() < self.schedule.flaky
        if act.remedy in _OUTLIVE or not fails:
            return None
        return self.chance.choice((Outcome.FAILED, Outcome.FAILED, Outcome.TIMED_OUT))

    def _troubled_times(self) -> bool:
        """Looks are lost and acts fail while things befall, and a while after."""
        return not self.faults_over or self.now < self.faults_over + FLAKY_FOR

    def _end(self, one: Going) -> None:
        self.going.remove(one)
        outcome = one.outcome or deeds.end(self.tower, one.act, self.now)
        if one.deed is not None:
            one.deed.ended = self.now
            if self._killed_at("end"):
                raise Killed
            one.deed.outcome = outcome
        self._tell(Finished(one.act, outcome, "as it went"))
        if self._killed_at("ended"):
            raise Killed


@cache
def _all_well(*, by_ssh: bool) -> tuple[World, Mapping[Layer, Observation]]:
    """What is known when every layer was just looked at, and is well: where schedules begin."""
    tower, policy = SmallTower(by_ssh=by_ssh), policy_of_life(1)
    looks = {layer: look(tower, layer, 0.0) for layer in LAYERS}
    world = begin(Ledger(), 0.0, policy)
    for one in looks.values():
        world = step(world, Observed(one), 0.0, policy).world
    return world, looks


_POLICIES: Final = {life: Policy(run=f"life{life}") for life in range(1, 12)}


def policy_of_life(life: int) -> Policy:
    """The tables of design §3, with the name of that run."""
    return _POLICIES.get(life) or Policy(run=f"life{life}")


def play(schedule: Schedule, make_policy: Callable[[int], Policy] = policy_of_life) -> History:
    """What came of a schedule."""
    return Run(schedule, make_policy).play()
