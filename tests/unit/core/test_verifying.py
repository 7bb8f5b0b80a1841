"""After an act: which looks prove it, which disprove it, and when it is decided."""

from dataclasses import replace

import pytest

from healer.core.facts import NotVerified, Outcome, Verified
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt, Ledger
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.verifying import after_act, after_look, settle, unproved
from healer.core.world import Trouble, Verification, View, World
from tests.unit.core.worlds import NOW, POLICY, act_of, remembering, tried

LOAD = act_of(Remedy.LOAD_MODULES, Reason.BR_NETFILTER_MISSING, 9)
UNTAINT = act_of(Remedy.UNTAINT, Reason.NODE_TAINTED, 2)
SETTLE = POLICY.limits[Remedy.UNTAINT].settle
TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
WAIT = Verification(UNTAINT, NOW, NOW + 60.0)
OTHER = Verification(LOAD, NOW, NOW + 60.0)


def test_the_end_of_an_act_is_remembered_and_waited_on() -> None:
    """Its intent keeps its stamp; the others go on; there was progress."""
    world = replace(
        remembering(World(), tried(UNTAINT, NOW - 9.0, None)),
        acting=(UNTAINT, LOAD),
        verifying=(OTHER,),
    )
    after = after_act(world, UNTAINT, Outcome.FAILED, "timed out", NOW, POLICY)

    assert (Attempt(UNTAINT, NOW - 9.0, Outcome.FAILED, NOW, "timed out"),) == after.ledger.attempts
    assert (LOAD,) == after.acting
    assert (OTHER, Verification(UNTAINT, NOW, NOW + SETTLE)) == after.verifying
    assert NOW == after.last_progress


def test_an_act_that_was_not_needed_needs_no_proof() -> None:
    """And is no progress."""
    world = replace(World(), acting=(UNTAINT,))
    after = after_act(world, UNTAINT, Outcome.NOT_NEEDED, "gone", NOW, POLICY)

    assert () == after.verifying
    assert () == after.acting
    assert 0.0 == after.last_progress
    assert (Attempt(UNTAINT, NOW, Outcome.NOT_NEEDED, NOW, "gone"),) == after.ledger.attempts


DEADLINE = NOW - 1.0 + SETTLE
FORGOTTEN = DEADLINE + 120.0


@pytest.mark.parametrize(
    ("attempt", "now", "awaited"),
    [
        (tried(UNTAINT, NOW - 9.0, ended=NOW - 1.0), NOW, True),
        (tried(UNTAINT, NOW - 9.0, ended=NOW - 1.0), FORGOTTEN - 0.5, True),
        (tried(UNTAINT, NOW - 9.0, ended=NOW - 1.0), FORGOTTEN, False),
        (tried(UNTAINT, NOW - 9.0, ended=NOW - 1.0, verified=False), NOW, False),
        (tried(UNTAINT, NOW - 9.0, ended=NOW - 1.0, verified=True), NOW, False),
        (tried(UNTAINT, NOW - 9.0, None), NOW, False),
        (tried(UNTAINT, NOW - 9.0, None, ended=NOW - 1.0), NOW, False),
        (tried(UNTAINT, NOW - 9.0, Outcome.NOT_NEEDED, ended=NOW - 1.0), NOW, False),
    ],
)
def test_what_an_earlier_run_left_unproved_is_waited_on(
    attempt: Attempt, now: float, *, awaited: bool
) -> None:
    """I10, I14: until two minutes past its deadline, whatever stands before it in the ledger."""
    judged = tried(LOAD, NOW - 9.0, verified=True)
    expected = (Verification(UNTAINT, NOW - 1.0, DEADLINE),) if awaited else ()

    assert expected == unproved(Ledger(attempts=(judged, attempt)), now, POLICY)


GOOD = Observation(Layer.NODE)


@pytest.mark.parametrize(
    ("heard", "before", "expected"),
    [
        (GOOD, WAIT, replace(WAIT, good_since=NOW + 5.0, passes=1)),
        (
            GOOD,
            replace(WAIT, good_since=NOW + 1.0, passes=3),
            replace(WAIT, good_since=NOW + 1.0, passes=4),
        ),
        (
            replace(GOOD, findings=(TAINTED,)),
            replace(WAIT, good_since=NOW + 1.0, passes=3),
            WAIT,
        ),
        (
            replace(GOOD, unknown="no answer"),
            replace(WAIT, good_since=NOW + 1.0, passes=3),
            WAIT,
        ),
        (
            replace(GOOD, findings=(replace(TAINTED, target="else"),)),
            WAIT,
            replace(WAIT, good_since=NOW + 5.0, passes=1),
        ),
        (
            replace(GOOD, findings=(replace(TAINTED, reason=Reason.NODE_CORDONED), TAINTED)),
            WAIT,
            WAIT,
        ),
    ],
)
def test_a_look_counts_for_or_against_the_proof(
    heard: Observation, before: Verification, expected: Verification
) -> None:
    """I14: only this very trouble is asked for, and only on its layer."""
    world = World(verifying=(OTHER, before))

    assert (OTHER, expected) == after_look(world, heard, NOW + 5.0).verifying


def proved(passes: int, lasted: float, remedy: Remedy = Remedy.START_VM) -> World:
    """A start whose good looks have lasted so long."""
    act = act_of(remedy, Reason.COLIMA_STOPPED)
    wait = Verification(act, NOW - 200.0, NOW - 80.0, NOW - lasted, passes)
    world = remembering(World(), tried(act, NOW - 300.0, ended=NOW - 200.0))
    return replace(world, verifying=(OTHER, wait))


@pytest.mark.parametrize(
    ("passes", "lasted", "done"), [(6, 90.0, True), (5, 90.0, False), (6, 89.5, False)]
)
def test_success_takes_its_looks_and_its_window(passes: int, lasted: float, *, done: bool) -> None:
    """I14: six looks over 90 s for the VM; overdue is no failure while the looks are good."""
    world, said = settle(proved(passes, lasted), NOW, POLICY)
    act = act_of(Remedy.START_VM, Reason.COLIMA_STOPPED)
    expected = tried(act, NOW - 300.0, ended=NOW - 200.0, verified=True if done else None)

    assert ([Verified(act, 200.0)] if done else []) == said
    assert (expected,) == world.ledger.attempts
    assert (1 if done else 2) == len(world.verifying)
    assert (NOW if done else 0.0) == world.last_progress


def overdue(late: float, *findings: Finding, looked: bool = True) -> World:
    """An untaint so long past its deadline, and the last look at the node."""
    wait = Verification(UNTAINT, NOW - 100.0, NOW - late)
    view = View(Observation(Layer.NODE, findings=findings), NOW)
    return World(views={Layer.NODE: view} if looked else {}, verifying=(wait,))


@pytest.mark.parametrize(
    ("world", "failed"),
    [
        (overdue(-0.5, TAINTED), False),
        (overdue(0.0, TAINTED), True),
        (overdue(119.5), False),
        (overdue(119.5, looked=False), False),
        (overdue(120.0), True),
        (overdue(120.0, looked=False), True),
        (overdue(60.0, replace(TAINTED, target="else")), False),
    ],
)
def test_failure_is_seen_or_outlasted(world: World, *, failed: bool) -> None:
    """At the deadline when the trouble is still seen; two minutes later without any look."""
    after, said = settle(world, NOW, POLICY)
    told = NotVerified(UNTAINT, "the trouble was still there 100 s later")

    assert ([told] if failed else []) == said
    assert (() if failed else world.verifying) == after.verifying
    assert [False] * failed == [one.verified for one in after.ledger.attempts]
    assert 0.0 == after.last_progress


def test_an_act_whose_intent_is_forgotten_is_remembered_from_its_end() -> None:
    """A reset may have emptied the ledger meanwhile."""
    after, _ = settle(overdue(0.0, TAINTED), NOW, POLICY)

    assert (Attempt(UNTAINT, NOW - 100.0, verified=False),) == after.ledger.attempts


def test_one_undecided_proof_holds_back_no_other() -> None:
    """Each is decided by itself."""
    world = overdue(0.0, TAINTED)
    _, said = settle(replace(world, verifying=(OTHER, *world.verifying)), NOW, POLICY)

    assert [UNTAINT] == [one.act for one in said if isinstance(one, NotVerified)]


JOB = "com.joel.caddy"
KICK = act_of(Remedy.KICKSTART_JOB, Reason.JOB_NOT_RUNNING, 4, target=JOB)


@pytest.mark.parametrize(
    ("findings", "passes"),
    [
        ((), 1),
        ((Finding(Reason.JOB_UNHEALTHY, "connection refused", JOB),), 0),
        ((Finding(Reason.JOB_LEFT_ALONE, "disabled", JOB),), 0),
        ((Finding(Reason.JOB_NOT_RUNNING, "exit 1", JOB),), 0),
        ((Finding(Reason.JOB_UNHEALTHY, "connection refused", "com.joel.gateway"),), 1),
    ],
)
def test_a_job_has_recovered_only_when_nothing_is_found_of_it(
    findings: tuple[Finding, ...], passes: int
) -> None:
    """I14: one that was started and does not answer has not; another job's silence is no matter."""
    waiting = replace(World(), verifying=(Verification(KICK, NOW, NOW + 60.0),))
    after = after_look(waiting, Observation(Layer.LAUNCHD, findings), NOW + 1.0)

    assert passes == after.verifying[0].passes


@pytest.mark.parametrize(
    ("found", "passes"),
    [
        ((), 1),
        ((Finding(Reason.LIVEKIT_UNHEALTHY, "0 of 1 Ready"),), 0),
        ((Finding(Reason.LIVEKIT_ROLLING_OUT, "0 of 1 pods have its newest template"),), 0),
    ],
)
def test_a_patch_is_proved_by_a_ready_pod_of_the_new_template(
    found: tuple[Finding, ...], passes: int
) -> None:
    """That nothing differs any more proves only that the patch was written (I14)."""
    patch = act_of(Remedy.PATCH_LIVEKIT, Reason.LIVEKIT_PROBE_DRIFT, 5)
    world = replace(World(), verifying=(Verification(patch, NOW, NOW + 60.0),))
    after = after_look(world, Observation(Layer.LIVEKIT, found), NOW)

    assert [passes] == [one.passes for one in after.verifying]


STARTED = act_of(Remedy.START_VM, Reason.COLIMA_STOPPED, 3)
STARTED_WAIT = Verification(STARTED, NOW - 60.0, NOW - 1.0)


@pytest.mark.parametrize(
    ("human_ago", "judged"),
    [(None, True), (20.0, False), (58.5, False), (59.0, True), (90.0, True)],
)
def test_a_humans_stop_is_no_word_against_the_act(human_ago: float | None, *, judged: bool) -> None:
    """A `colima stop` after `start_vm` had ended: nobody will know whether that helped."""
    finding = Finding(Reason.COLIMA_STOPPED, "stopped", human_ago=human_ago)
    heard = Observation(Layer.COLIMA, (finding,))
    trouble = Trouble(finding, NOW, NOW, NOW, 1)
    view = View(heard, NOW, {trouble.key: trouble})
    world = remembering(World(), tried(STARTED, NOW - 90.0, ended=NOW - 60.0))
    world = replace(world, views={Layer.COLIMA: view}, verifying=(STARTED_WAIT, OTHER))

    after, said = settle(world, NOW, POLICY)

    assert (OTHER,) == after.verifying
    assert [NotVerified] * judged == [type(one) for one in said]
    assert (False if judged else None) is after.ledger.attempts[0].verified


def test_one_that_still_waits_keeps_no_other_from_its_verdict() -> None:
    """Whatever comes before it in the row."""
    proved = replace(OTHER, act=UNTAINT, good_since=NOW - 900.0, passes=99)
    world = remembering(World(), tried(UNTAINT, NOW - 950.0, ended=NOW - 940.0))

    after, said = settle(replace(world, verifying=(OTHER, proved)), NOW, POLICY)

    assert (OTHER,) == after.verifying
    assert [Verified] == [type(one) for one in said]
