"""launchd's jobs: which is started, when, how often, and which is only told."""

from itertools import pairwise

import pytest

from healer.core.facts import Act, Held, IncidentOpened, Reported, State
from healer.core.ladders import Remedy
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.unit.core.night import Night, ill, well

DEAD_JOB = {"target": "com.joel.caddy", "fingerprint": "1"}


def test_a_dead_job_is_started_once_launchd_had_its_turn() -> None:
    """Three looks over half a minute; a look that sees it run again forgets all of it."""
    down = ill(Reason.JOB_NOT_RUNNING, **DEAD_JOB)
    night = Night().see(down).run(28.0)
    assert [] == night.acts

    night.see(well(Layer.LAUNCHD)).run(2.0).see(down).run(28.0)
    assert [] == night.acts

    night.run(4.0)
    assert [Remedy.KICKSTART_JOB] == night.acts


def test_a_job_that_launchd_started_meanwhile_is_counted_anew() -> None:
    """Another run of it, another trouble: launchd is at work, and is not helped."""
    night = Night()
    for run in range(20):
        night.see(ill(Reason.JOB_NOT_RUNNING, target="com.joel.caddy", fingerprint=str(run)))
        night.run(10.0)

    assert [] == night.acts


def test_a_job_in_a_crash_loop_is_told_at_once_and_left_to_launchd() -> None:
    """More starts would not help: the layer is ill, an incident is open, nothing is done."""
    night = Night().see(ill(Reason.JOB_CRASH_LOOP, target="com.joel.caddy")).run(3600.0, every=10.0)

    assert [] == night.acts
    assert [Reason.JOB_CRASH_LOOP] == [one.reason for one in night.said(IncidentOpened)]
    assert State.FAILING is night.world.states[Layer.LAUNCHD]


def test_a_job_that_stays_dead_is_started_thrice_and_held() -> None:
    """A quarter of an hour lies between two runs; after three a human is told."""
    night = Night().see(ill(Reason.JOB_NOT_RUNNING, **DEAD_JOB))
    for _ in range(1000):
        night.run(3.0).finish()
        if night.said(Held):
            break

    begun = [at for at, one in night.decided if isinstance(one, Act)]
    assert 3 == len(begun)
    assert all(later - earlier >= 900.0 for earlier, later in pairwise(begun))
    assert [Layer.LAUNCHD] == [one.layer for one in night.said(Held)]


def test_a_hold_on_one_job_keeps_no_other_job_down() -> None:
    """One that no start helps is held; another one that dies later is started all the same."""
    broken = Finding(Reason.JOB_NOT_RUNNING, "exit code 1", "com.joel.caddy", "1")
    night = Night().see(Observation(Layer.LAUNCHD, (broken,)))
    while not night.said(Held):
        night.run(3.0).finish()
    assert State.HELD is night.world.states[Layer.LAUNCHD]

    other = Finding(Reason.JOB_NOT_RUNNING, "exit code 1", "com.joel.gateway", "1")
    night.see(Observation(Layer.LAUNCHD, (broken, other))).run(40.0)

    assert ["com.joel.caddy"] == [one.target for one in night.said(Held)]
    assert "com.joel.gateway" == night.said(Act)[-1].target
    night.finish().see(Observation(Layer.LAUNCHD, (broken,))).run(60.0)
    assert State.HELD is night.world.states[Layer.LAUNCHD]
    assert 4 == len(night.said(Act))


def test_each_job_has_a_cooldown_of_its_own() -> None:
    """After a reboot of the Mac three jobs are started one after the other."""
    jobs = [
        Finding(Reason.JOB_NOT_RUNNING, "never exited", name, "0")
        for name in ("com.joel.caddy", "com.joel.gateway", "com.joel.system-bus-worker")
    ]
    night = Night().see(Observation(Layer.LAUNCHD, tuple(jobs)))
    for _ in range(20):
        night.run(4.0).finish()

    assert ["com.joel.caddy", "com.joel.gateway", "com.joel.system-bus-worker"] == [
        act.target for act in night.said(Act)
    ]


@pytest.mark.parametrize(
    "reason", [one for one in Reason if one.layer is Layer.LAUNCHD and not one.gating]
)
def test_what_is_not_ours_to_start_is_only_told(reason: Reason) -> None:
    """A job that is absent, disabled, silent or root's: told once, nothing done, nothing ill."""
    night = Night().see(ill(reason, target="com.joel.caddy")).run(7200.0, every=10.0)

    assert [] == night.acts
    assert [reason] == [one.reason for one in night.said(Reported)]
    assert State.OK is night.world.states[Layer.LAUNCHD]
    assert [] == night.said(IncidentOpened)


def test_an_ill_tower_is_no_reason_not_to_start_a_job() -> None:
    """It stands on the Mac alone; on a Mac that is ill it waits."""
    down = ill(Reason.JOB_NOT_RUNNING, **DEAD_JOB)
    night = (
        Night()
        .see(down, ill(Reason.COLIMA_MISSING), Observation(Layer.SERVICES, unknown="refused"))
        .run(40.0)
    )
    assert [Remedy.KICKSTART_JOB] == night.acts

    night = Night().see(down, ill(Reason.DISK_FULL)).run(40.0)
    assert [] == night.acts
