"""A launchd job, started: when it must, never otherwise, never twice, and through every fault."""

from dataclasses import replace

import pytest

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.jobs import PlacedJob, WatchedJob
from healer.model.launchd import DomainKind
from healer.ports import ActFailed, CannotLook, Conflict, TargetSilent
from healer.remedies.launchd import KickstartJob
from tests.fakes.jobs import CADDY, FakeJobs, placed
from tests.unit.remedies.night import act_of, die_in, heal

DEAD = placed(pid=None, last_exit="1")
ACT = act_of(Remedy.KICKSTART_JOB, Reason.JOB_NOT_RUNNING, target=CADDY, fingerprint=DEAD.run)


def remedy_on(jobs: FakeJobs, *, startable: bool = True) -> KickstartJob:
    """The remedy for one label."""
    return KickstartJob(jobs, jobs, (WatchedJob(CADDY, startable=startable),))


async def test_a_dead_job_is_started_where_it_is_loaded_and_only_once() -> None:
    """In its own domain; the second time it runs."""
    jobs = FakeJobs(DEAD)

    assert f"kickstarted gui/501/{CADDY}" == await heal(remedy_on(jobs), ACT)
    assert "running as pid 707" in await heal(remedy_on(jobs), ACT)
    assert [f"kickstart gui/501/{CADDY}"] == jobs.acts


@pytest.mark.parametrize(
    ("places", "why"),
    [
        ([placed()], "running as pid 700"),
        ([], "loaded nowhere"),
        ([placed(pid=None, disabled=True)], "somebody disabled it"),
        ([placed(pid=None, kind=DomainKind.SYSTEM)], "system/"),
        ([placed(pid=None, rests=True, last_exit="0")], "lets it rest"),
        ([placed(pid=None, timer=True)], "not running"),
        ([DEAD, placed(pid=None, kind=DomainKind.USER)], "loaded more than once"),
        ([placed(pid=None, runs=2)], "started meanwhile"),
        ([placed(pid=None, kind=DomainKind.USER)], "started meanwhile"),
    ],
)
async def test_what_is_not_the_same_dead_job_any_more_is_left_alone(
    places: list[PlacedJob], why: str
) -> None:
    """Each change between the look and the act, also just before the act itself."""
    jobs = FakeJobs(*places)
    remedy = remedy_on(jobs)

    assert why in await remedy.needed(ACT)
    with pytest.raises(Conflict, match=CADDY):
        await remedy.act(ACT)
    assert [] == jobs.acts


async def test_a_label_that_may_not_be_started_is_left_alone() -> None:
    """By the settings, or since the settings name it no more."""
    jobs = FakeJobs(DEAD)

    assert "leave it alone" in await heal(remedy_on(jobs, startable=False), ACT)
    assert "do not name it" in await heal(remedy_on(jobs), replace(ACT, target="com.joel.colima"))
    assert [] == jobs.acts


@pytest.mark.parametrize("error", [CannotLook("launchctl", "garbage"), TargetSilent("l", "hung")])
async def test_a_launchd_that_cannot_be_asked_is_left_alone(error: Exception) -> None:
    """Nothing is started on no word, or on a word that makes no sense."""
    jobs = FakeJobs(DEAD)
    jobs.faults["places"] = error

    with pytest.raises(type(error)):
        await heal(remedy_on(jobs), ACT)
    assert [] == jobs.acts


async def test_a_look_that_hangs_starts_nothing() -> None:
    """The engine ends it from outside."""
    jobs = FakeJobs(DEAD)
    await die_in(jobs, "places", lambda: remedy_on(jobs).needed(ACT))

    assert [] == jobs.acts


async def test_a_start_that_was_killed_half_way_is_looked_at_first() -> None:
    """What it was to do may be done: then nothing is, else it is done again."""
    jobs = FakeJobs(DEAD)
    await die_in(jobs, "kickstart", lambda: remedy_on(jobs).act(ACT))
    assert f"kickstarted gui/501/{CADDY}" == await heal(remedy_on(jobs), ACT)

    jobs = FakeJobs(DEAD)
    await die_in(jobs, "kickstart", lambda: remedy_on(jobs).act(ACT))
    jobs.loaded = [placed(runs=2)]
    assert "running" in await heal(remedy_on(jobs), ACT)


@pytest.mark.parametrize(
    "error", [ActFailed("launchctl kickstart", "125: Domain does not"), TargetSilent("l", "hung")]
)
async def test_a_refused_start_is_told_with_its_words(error: Exception) -> None:
    """And tried once only (R45)."""
    jobs = FakeJobs(DEAD)
    jobs.faults["kickstart"] = error

    with pytest.raises(type(error)):
        await heal(remedy_on(jobs), ACT)
    assert 1 == len(jobs.acts)
