"""What the recorder keeps, when, and what it does when nothing can be kept."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from healer.core.facts import Decision, Fact, Observed, Ticked
from healer.core.ledger import Ledger
from healer.core.machine import begin, step
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from healer.engine import recording
from healer.engine.parts import Parts
from healer.engine.recording import EvidenceRecorder
from healer.engine.stepping import Stepper
from healer.engine.telling import Stepped
from healer.ports import JournalError
from healer.replay.records import Begun, KeptBeginning, KeptSegment, KeptSteps
from healer.replay.running import Rerun, Segment, read_segments, run_again
from tests.unit.engine.tower import Ears, LoopClock, Scribe

POLICY = Policy("life1")
QUIET = 20


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short memory, so that few steps show what many do."""
    monkeypatch.setattr(recording, "_STRETCH", QUIET)


@dataclass
class Shelf:
    """Keeps evidence in lists; refuses when it is told to."""

    begun: list[KeptBeginning] = field(default_factory=list)
    bundles: list[tuple[int, KeptSteps]] = field(default_factory=list)
    error: Exception | None = None

    def keep(self, beginning: KeptBeginning | int, steps: KeptSteps) -> int:
        """ports.Evidence."""
        if self.error is not None:
            raise self.error
        if isinstance(beginning, KeptBeginning):
            self.begun.append(beginning)
            beginning = len(self.begun) - 1
        self.bundles.append((beginning, steps))
        return beginning

    def rerun(self) -> Rerun:
        """Everything that was kept, run again."""
        return run_again(self.segments())

    def segments(self) -> list[Segment]:
        """Everything that was kept."""
        policies = dict(one for _, steps in self.bundles for one in steps.policies)
        kept = [
            KeptSegment(
                number,
                one,
                tuple((0, 0.0, steps.body) for of, steps in self.bundles if of == number),
            )
            for number, one in enumerate(self.begun)
        ]
        return [one for one in read_segments(kept, policies) if isinstance(one, Segment)]


@dataclass
class Life:
    """A world that is stepped, and recorded."""

    shelf: Shelf = field(default_factory=Shelf)
    told: list[tuple[str, str]] = field(default_factory=list)
    now: float = 100.0
    world: World = field(default_factory=World)
    decided: list[Decision] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recorder = EvidenceRecorder(self.shelf, self.broke, "1.2.3")
        self.begin()

    def broke(self, name: str, error: Exception | None) -> None:
        """What the recorder said of itself."""
        self.told.append((name, str(error)))

    def begin(self) -> None:
        """A life begins."""
        self.world = begin(Ledger(), self.now, POLICY)
        self.recorder.began(Begun(Ledger(), self.now, POLICY, frozenset()))

    def take(self, fact: Fact) -> None:
        """One step, a second later."""
        self.now += 1.0
        came = step(self.world, fact, self.now, POLICY)
        self.recorder.stepped(Stepped(self.now, self.world, fact, POLICY, came))
        self.world = came.world
        self.decided += came.decisions

    def rest(self, steps: int) -> None:
        """Nothing happens."""
        for _ in range(steps):
            self.take(Ticked())

    def look(self, *, ill: bool) -> None:
        """The host's disk is full, or is not: shown as another state each time."""
        finding = Finding(Reason.DISK_FULL, "0 bytes left")
        self.take(Observed(Observation(Layer.HOST, (finding,) if ill else ())))

    def decide(self) -> None:
        """Something is decided."""
        self.look(ill=True)
        self.look(ill=False)


def test_quiet_steps_are_not_written() -> None:
    """Nothing was decided, so the journal is left in peace."""
    life = Life()
    life.rest(3 * QUIET)

    assert [] == life.shelf.bundles


def test_quiet_steps_are_not_even_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of a healthy world costs the recorder one append (measured: 3 % of the step)."""

    def never(*_: object) -> None:
        raise AssertionError("a quiet step was spelled")

    monkeypatch.setattr(recording, "write_steps", never)
    monkeypatch.setattr(recording, "write_beginning", never)
    life = Life()
    life.rest(QUIET)

    assert [] == life.told


def test_a_decision_is_kept_with_what_led_to_it() -> None:
    """The begin of the life, every step since, and the same decisions when it runs again."""
    life = Life()
    life.rest(5)
    life.decide()

    rerun = life.shelf.rerun()
    assert rerun.same
    assert 7 == len(rerun.steps)
    assert len(life.decided) == rerun.decisions > 0
    assert ["1.2.3"] == [one.version for one in life.shelf.begun]


def test_what_follows_is_added_to_it() -> None:
    """A second decision soon after needs no second beginning."""
    life = Life()
    life.decide()
    life.rest(QUIET)
    life.decide()

    assert 1 == len(life.shelf.begun)
    assert QUIET + 4 == len(life.shelf.rerun().steps)
    assert life.shelf.rerun().same


def test_after_a_long_quiet_the_ring_is_all_there_is() -> None:
    """What was forgotten is replaced by a checkpoint; memory is bounded."""
    life = Life()
    life.decide()
    life.rest(50 * QUIET)
    life.decide()

    first, second = life.shelf.segments()
    assert (False, False) == (second.follows, second.lost)
    assert QUIET <= sum(len(one.steps) for one in second.bundles) <= 2 * QUIET + 2
    assert life.shelf.rerun().same
    assert 2 == sum(len(one.steps) for one in first.bundles)


def test_a_segment_that_outgrew_its_beginning_is_followed_by_another() -> None:
    """Nobody has to run a whole day to see its last minute; the checkpoint fits exactly."""
    life = Life()
    for _ in range(60):
        life.decide()

    assert len(life.shelf.begun) > 2
    assert all(one.follows for one in life.shelf.begun[1:])
    assert life.shelf.rerun().same
    assert len(life.decided) == life.shelf.rerun().decisions


@pytest.mark.parametrize("error", [JournalError("the disk is full"), ValueError("a bug")])
def test_what_cannot_be_kept_stands_in_nobodys_way(error: Exception) -> None:
    """It is told at once, the step goes on, and the next decision is kept again."""
    life = Life()
    life.shelf.error = error
    life.decide()
    life.shelf.error = None
    life.decide()

    assert ("evidence", str(error)) == life.told[0]
    assert ("evidence", "None") == life.told[-1]
    assert life.shelf.rerun().same


def test_a_short_failure_loses_nothing() -> None:
    """The steps stay in memory until the next decision, which brings them along."""
    life = Life()
    life.decide()
    life.shelf.error = JournalError("locked")
    life.decide()
    life.shelf.error = None
    life.decide()

    assert len(life.decided) == life.shelf.rerun().decisions
    assert [False, False] == [one.lost for one in life.shelf.begun]


def test_a_failure_and_its_end_are_told_and_nothing_else() -> None:
    """Whoever counts failures counts what failed: each try, and one end."""
    life = Life()
    life.decide()
    assert [] == life.told

    life.shelf.error = JournalError("locked")
    life.decide()
    life.shelf.error = None
    life.decide()
    life.decide()

    assert [("evidence", "locked")] * 2 + [("evidence", "None")] == life.told


def test_a_decision_that_could_not_be_spelled_is_written_down_as_a_loss() -> None:
    """A bug of ours may lose it; whoever replays is told so."""
    life = Life()
    life.shelf.error = ValueError("a bug")
    life.decide()
    life.rest(3 * QUIET)
    life.shelf.error = None
    life.decide()

    assert [True] == [one.lost for one in life.shelf.begun]


def test_the_first_stretch_is_as_long_as_each_that_follows() -> None:
    """Memory holds one or two of them, to the step."""
    life = Life()
    life.rest(2 * QUIET)
    life.decide()

    assert QUIET + 2 == sum(steps.count for _, steps in life.shelf.bundles)


def test_a_long_failure_is_written_down_as_a_loss() -> None:
    """Memory stays bounded, and who replays is told that decisions are missing."""
    life = Life()
    life.decide()
    life.shelf.error = JournalError("full")
    for _ in range(3 * QUIET):
        life.decide()
    life.shelf.error = None
    life.decide()

    assert [False, True] == [one.lost for one in life.shelf.begun]
    assert life.shelf.bundles[-1][1].count <= 2 * QUIET + 2
    assert life.shelf.rerun().same


def test_another_life_begins_anew() -> None:
    """Its beginning is a begin, and it follows nothing."""
    life = Life()
    life.decide()
    life.begin()
    life.decide()

    assert [False, False] == [one.follows for one in life.shelf.begun]
    assert life.shelf.rerun().same


def impure(now: float) -> Callable[[World, Fact, float, Policy], object]:
    """A step that counts its own runs, and is a little late each time."""
    runs = iter(range(1_000_000))

    def counting(world: World, fact: Fact, at: float, policy: Policy) -> object:
        return step(world, fact, at + now * next(runs), policy)

    return counting


def test_a_step_that_is_not_pure_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """I17: the first decision that comes out otherwise is named, as it was and as it is."""
    life = Life()
    for _ in range(3):
        life.look(ill=True)
        life.rest(10)
        life.look(ill=False)
    monkeypatch.setattr("healer.replay.running.step", impure(0.75))

    difference = life.shelf.rerun().difference
    assert difference is not None
    assert difference.kept != difference.again
    assert '"' in difference.kept + difference.again


def test_a_checkpoint_that_does_not_follow_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world that drifts is seen before it decides anything else."""
    life = Life()
    for _ in range(60):
        life.decide()

    def drifting(world: World, fact: Fact, at: float, policy: Policy) -> object:
        came = step(world, fact, at, policy)
        return replace(came, world=replace(came.world, serial=77))

    monkeypatch.setattr("healer.replay.running.step", drifting)

    difference = life.shelf.rerun().difference
    assert difference is not None
    assert ("world.serial: 0", "world.serial: 77") == (difference.kept, difference.again)


async def test_a_reload_goes_on_recording() -> None:
    """Other eyes, hands and limits; the steps go on to be written down, with the new limits."""
    kept: list[Begun | Stepped] = []
    parts = Parts((), {}, Scribe(), LoopClock(), Ears(), began=kept.append, stepped=kept.append)
    stepper = Stepper(parts, POLICY)
    await stepper.begin()
    stepper.take(Ticked(), 0.0)
    stepper.adopt(Parts((), {}, Scribe(), LoopClock(), Ears()), replace(POLICY, stable=1.0))
    stepper.take(Ticked(), 0.0)

    begun, first, second = kept
    assert isinstance(begun, Begun)
    assert isinstance(first, Stepped)
    assert isinstance(second, Stepped)
    assert begun.world(POLICY) == first.before
    assert first.taken.world == second.before
    assert [POLICY.stable, 1.0] == [first.policy.stable, second.policy.stable]
