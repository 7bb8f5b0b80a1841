"""One pass from its first look to its end, over a scripted tower on virtual time."""

from dataclasses import replace
from itertools import pairwise

import anyio
import pytest

from healer.core.facts import Act, Finished, Held, Outcome, Refused, Rule, State, Ticked
from healer.core.ladders import LIMITS, Remedy
from healer.core.ledger import Attempt, Ledger
from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.passing import Ended, Mode, Pass
from healer.engine.performing import MARGIN
from healer.engine.quiet import BrokenJournal
from healer.engine.telling import Told
from healer.ports import CannotLook, JournalError
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import POLICY, Scribe, SmallTower, act_of

STOPPED = {Layer.TALOS: Reason.TALOS_STOPPED}
START = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)


def run(one: Pass, deadline: float = 1200.0) -> tuple[Ended, float]:
    """How the pass ended, and when; virtual seconds."""

    async def timed() -> tuple[Ended, float]:
        return await one.run(deadline), anyio.current_time()

    return run_virtually(timed)


def test_a_healthy_tower_needs_one_look() -> None:
    """Design §10: all gating layers ok in the first look, and it ends there."""
    tower = SmallTower()

    ended, at = run(tower.one_pass())

    assert (0, "settled") == (ended.exit_code, ended.why)
    assert {1} == {probe.looks for probe in tower.probes.values()}
    assert at < 1.0
    assert [] == tower.log


def test_an_ill_layer_is_healed_once_and_proved() -> None:
    """Confirmed, done, verified; the intent first, each act once."""
    tower = SmallTower(ill=dict(STOPPED))

    ended, _ = run(tower.one_pass())

    assert (0, "settled") == (ended.exit_code, ended.why)
    assert ["needed start_container", "act start_container"] == tower.log
    told = [one for one in tower.journal.calls if one.startswith(("begin", "end"))]
    assert ["begin start_container", "end start_container done"] == told
    assert "record Verified" in tower.journal.calls


def test_a_layer_that_cannot_be_seen_is_left_alone() -> None:
    """I1: a probe that breaks makes its layer unknown, the exit code 3, and no act."""
    tower = SmallTower()
    one = tower.one_pass()

    async def breaks() -> Observation:
        raise CannotLook("docker", "not on PATH")

    tower.probes[Layer.DOCKER].sees = breaks
    ended, _ = run(one)

    assert 3 == ended.exit_code
    assert [] == tower.log


def test_a_look_that_began_before_an_acts_end_is_void() -> None:
    """What it saw was before the act: it neither disproves the act nor repeats it."""
    tower = SmallTower(ill=dict(STOPPED), takes=10.0, look_takes=4.0)

    ended, _ = run(tower.one_pass())

    ends = [isinstance(one.fact, Finished) for one in tower.ears.told_all]
    after = tower.ears.told_all[ends.index(True) :]
    states = {one.world.states[Layer.TALOS] for one in after}
    assert 0 == ended.exit_code
    assert {State.HEALING, State.VERIFYING, State.OK} == states
    assert 1 == tower.log.count("act start_container")


def test_what_was_cached_is_forgotten_when_an_act_ends() -> None:
    """The shared ssh look of before the act would be as stale as the looks themselves."""
    forgotten: list[str] = []
    tower = SmallTower(ill=dict(STOPPED))

    run(tower.one_pass(after_act=lambda: forgotten.append("forgotten")))

    assert ["forgotten"] == forgotten


def hurried_when(tower: SmallTower, kind: type[Act | Refused | Finished]) -> tuple[Ended, float]:
    """Ctrl-C at the first decision or fact of that kind."""
    one = tower.one_pass()

    def hurry(told: Told) -> None:
        if any(isinstance(each, kind) for each in (told.fact, *told.decisions)):
            one.hurry()

    tower.ears.then = hurry
    return run(one)


def test_hurry_waits_for_the_act_under_way() -> None:
    """Ctrl-C: what was begun ends within its own cap, and its result is written."""
    tower = SmallTower(ill=dict(STOPPED), takes=30.0)
    one = tower.one_pass()

    def hurry(told: Told) -> None:
        del told
        if "act start_container" in tower.log:
            one.hurry()

    tower.ears.then = hurry
    ended, at = run(one)

    assert "interrupted" == ended.why
    assert "end start_container done" in tower.journal.calls
    assert at >= 30.0


def test_hurry_begins_nothing_new() -> None:
    """An illness that is confirmed after Ctrl-C is not answered any more."""
    tower = SmallTower(ill=dict(STOPPED))
    one = tower.one_pass()

    def hurry(told: Told) -> None:
        if told.world.states.get(Layer.TALOS) is State.SUSPECT:
            one.hurry()

    tower.ears.then = hurry
    ended, _ = run(one)

    assert (1, "interrupted") == (ended.exit_code, ended.why)
    assert [] == tower.log


def test_no_act_begins_after_the_deadline() -> None:
    """Design §5: the exit code says what is true then."""
    tower = SmallTower(ill=dict(STOPPED))

    ended, at = run(tower.one_pass(), deadline=3.0)

    assert (1, "deadline") == (ended.exit_code, ended.why)
    assert [] == tower.log
    assert at < 10.0


def test_an_act_under_way_at_the_deadline_ends_first() -> None:
    """It ends within its own cap, and is told."""
    tower = SmallTower(ill=dict(STOPPED), takes=40.0)

    ended, at = run(tower.one_pass(), deadline=20.0)

    assert "deadline" == ended.why
    assert at >= 40.0
    assert "end start_container done" in tower.journal.calls


def test_a_rehearsal_decides_and_does_nothing() -> None:
    """`--dry-run`: the same first act is decided; no remedy is asked, nothing is written."""
    tower = SmallTower(ill=dict(STOPPED))

    ended, _ = run(tower.one_pass(Mode.REHEARSE))

    assert [Remedy.START_CONTAINER] == [
        one.remedy for one in tower.ears.said(Act) if isinstance(one, Act)
    ]
    assert (1, ()) == (ended.exit_code, ended.world.acting)
    assert [] == tower.log
    assert ["ledger"] == tower.journal.calls


def test_a_mere_look_ends_when_every_layer_was_seen() -> None:
    """`check` confirms nothing and does nothing."""
    tower = SmallTower(ill=dict(STOPPED))

    ended, at = run(tower.one_pass(Mode.LOOK))

    assert (1, "settled") == (ended.exit_code, ended.why)
    assert at < 1.0
    assert ["ledger"] == tower.journal.calls


@pytest.mark.parametrize("refuses", ["ledger", "begin", "record"])
def test_a_journal_that_fails_ends_all_acts_and_no_look(refuses: str) -> None:
    """Design §6: the run goes on looking, acts with nothing it cannot account for, says why."""
    tower = SmallTower(ill=dict(STOPPED), journal=Scribe(refuses=frozenset({refuses})))

    ended, _ = run(tower.one_pass())

    assert (1, "journal: disk full; free space") == (ended.exit_code, ended.journal_error)
    assert [] == tower.log
    rules = {one.rule for one in tower.ears.said(Refused) if isinstance(one, Refused)}
    assert {Rule.UNACCOUNTED} == rules


def test_a_journal_that_cannot_be_opened_ends_all_acts() -> None:
    """The stand-in that wiring hands over says what kept the real one shut."""
    tower = SmallTower(ill=dict(STOPPED))

    ended, _ = run(tower.one_pass(journal=BrokenJournal(JournalError("journal: from the future"))))

    assert "journal: from the future" == ended.journal_error
    assert [] == tower.log


def test_who_does_not_hold_the_lock_looks_only() -> None:
    """I7: one writer in all processes; the other one says who is at work."""
    tower = SmallTower(ill=dict(STOPPED))
    who = "another healer (pid 7) is at work: looking only"

    ended, _ = run(tower.one_pass(policy=replace(POLICY, no_acts_because=who)))

    assert 1 == ended.exit_code
    assert [] == tower.log
    assert {who} == {one.detail for one in tower.ears.said(Refused) if isinstance(one, Refused)}


def left_behind(*, child: int | None = 77) -> Scribe:
    """A journal in which an earlier run left a start unfinished."""
    act = replace(START, id="earlier-1")
    return Scribe(Ledger(attempts=(Attempt(act, -5.0, child_pid=child, child_started=0.0),)))


def test_an_act_of_an_earlier_run_is_awaited_and_not_repeated() -> None:
    """Design §10: a start that outlived its healer is recognised, and it alone does the work."""
    tower = SmallTower(ill=dict(STOPPED), journal=left_behind())

    async def running(attempt: Attempt) -> bool:
        del attempt
        if anyio.current_time() < 25.0:
            return True
        tower.ill.clear()
        return False

    ended, at = run(tower.one_pass(still_running=running))

    assert (0, "settled") == (ended.exit_code, ended.why)
    assert [] == tower.log
    assert at >= 25.0
    outcomes = [one.fact.outcome for one in tower.ears.told_all if isinstance(one.fact, Finished)]
    assert [Outcome.INTERRUPTED] == outcomes


def test_an_act_that_a_crash_cut_off_is_verified_and_not_repeated() -> None:
    """I10: its process is gone and its layer is well, so only the proof is awaited."""
    tower = SmallTower(journal=left_behind())

    ended, _ = run(tower.one_pass())

    assert 0 == ended.exit_code
    assert [] == tower.log
    assert "record Verified" in tower.journal.calls


def test_a_process_that_never_ends_holds_no_pass_for_ever() -> None:
    """Past its cap it is somebody's operation, and no act of ours."""
    tower = SmallTower(journal=left_behind())

    async def running(attempt: Attempt) -> bool:
        del attempt
        await anyio.lowlevel.checkpoint()
        return True

    ended, at = run(tower.one_pass(still_running=running), deadline=5.0)

    assert "deadline" == ended.why
    assert at <= LIMITS[START.remedy].cap + MARGIN + 5.0


@pytest.mark.parametrize("child", [77, None])
def test_a_process_list_that_cannot_be_read_ends_no_pass(child: int | None) -> None:
    """Without a process table what may still run is awaited up to its cap, not repeated."""
    tower = SmallTower(journal=left_behind(child=child))

    async def running(attempt: Attempt) -> bool:
        del attempt
        await anyio.lowlevel.checkpoint()
        raise CannotLook("process table", "not on PATH")

    ended, _ = run(tower.one_pass(still_running=running))

    assert 0 == ended.exit_code
    assert [] == tower.log


def test_a_held_layer_ends_the_pass_at_once_with_four() -> None:
    """Nothing is awaited of a layer that waits for a human."""
    tower = SmallTower(ill={Layer.TALOS: Reason.TALOS_STOPPED})

    async def never_mended() -> str:
        await anyio.sleep(1.0)
        return "started, and stopped again"

    cures = tower.remedies()
    for cure in cures.values():
        cure.does = never_mended
    ended, _ = run(tower.one_pass(remedies=cures))

    assert 4 == ended.exit_code
    assert 1 == len(tower.ears.said(Held))


def test_hurry_begins_nothing_beside_the_act_under_way() -> None:
    """What becomes ill while the last act ends is left to the next run."""
    tower = SmallTower(ill=dict(STOPPED), takes=30.0)
    one = tower.one_pass()

    def hurry(told: Told) -> None:
        del told
        if "act start_container" in tower.log:
            tower.ill[Layer.KERNEL] = Reason.BR_NETFILTER_MISSING
            one.hurry()

    tower.ears.then = hurry
    ended, _ = run(one)

    assert "interrupted" == ended.why
    assert ["needed start_container", "act start_container"] == tower.log


def test_time_is_told_each_second_of_a_pass() -> None:
    """Silence must be noticed while an act is under way and no probe has news."""
    tower = SmallTower(ill=dict(STOPPED), takes=30.0, look_takes=15.0)

    run(tower.one_pass())

    ticks = [one.at for one in tower.ears.told_all if isinstance(one.fact, Ticked)]
    assert {1.0} == {round(after - before, 3) for before, after in pairwise(ticks)}


@pytest.mark.parametrize(
    ("mode", "rehearsal"), [(Mode.HEAL, False), (Mode.REHEARSE, True), (Mode.LOOK, True)]
)
def test_only_what_is_done_is_told_as_done(mode: Mode, *, rehearsal: bool) -> None:
    """Progress speaks of what would be done, unless it is done."""
    tower = SmallTower(ill=dict(STOPPED))

    run(tower.one_pass(mode))

    assert {rehearsal} == {one.dry_run for one in tower.ears.told_all}


def test_a_pass_ends_at_the_instant_of_its_deadline() -> None:
    """Not one tick later."""
    tower = SmallTower(ill={Layer.NODE: Reason.NODE_NOT_READY})

    ended, at = run(tower.one_pass(), deadline=8.0)

    assert ("deadline", 8.0) == (ended.why, at)
