"""launchd's jobs as the probe sees them: what is ill, what is told, what is believed."""

import pytest

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.model.jobs import LocalUrl, PlacedJob, WatchedJob
from healer.model.launchd import DomainKind
from healer.ports import CannotLook, TargetIll, TargetSilent, WrongAnswer
from healer.probes.launchd import LaunchdProbe
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import CADDY, FakeJobs, placed

URL = LocalUrl(3111, "/api/inngest")


class SleepyClock(FakeClock):
    """Of a Mac that may sleep."""

    slept_for = 0.0

    def awake(self) -> float:
        """Without the sleep."""
        return self.now() - self.slept_for


class Look:
    """A probe of one job, its launchd and its clock."""

    def __init__(
        self, *places: PlacedJob, resident: bool = False, health: LocalUrl | None = None
    ) -> None:
        self.jobs, self.clock = FakeJobs(*places), SleepyClock()
        job = WatchedJob(CADDY, health)
        self.probe = LaunchdProbe(self.jobs, (job,), self.clock, resident=resident)

    async def look(self, after: float = 0.0) -> Observation:
        """Some seconds later."""
        self.clock.advance(after)
        return await self.probe.look()

    async def found(self, after: float = 0.0) -> list[Reason]:
        """The reasons alone."""
        return [one.reason for one in (await self.look(after)).findings]


async def test_a_mac_on_which_all_runs_is_well() -> None:
    """With a sentence for the tower."""
    seen = await Look(placed()).look()

    assert seen.well
    assert () == seen.findings
    assert "1 of 1 jobs up" == seen.summary


async def test_without_launchd_there_is_nothing_to_be_ill() -> None:
    """Linux, or a container: well, and it says why."""
    look = Look()
    look.jobs.there = False

    assert Observation(look.probe.layer, summary="no launchd here") == await look.look()
    assert [] == look.jobs.calls


@pytest.mark.parametrize(
    ("place", "reason", "gating"),
    [
        (placed(pid=None, last_exit="1"), Reason.JOB_NOT_RUNNING, True),
        (placed(pid=None, disabled=True), Reason.JOB_LEFT_ALONE, False),
        (placed(pid=None, kind=DomainKind.SYSTEM), Reason.JOB_IN_SYSTEM, False),
        (placed(pid=None, timer=True, last_exit="1"), Reason.JOB_FAILED, False),
    ],
)
async def test_what_is_down_is_called_by_its_name(
    place: PlacedJob, reason: Reason, *, gating: bool
) -> None:
    """Only what healer may start makes the layer ill; the target is the label."""
    (found,) = (await Look(place).look()).findings

    assert (reason, CADDY, gating) == (found.reason, found.target, found.reason.gating)
    assert place.target in found.evidence


async def test_a_job_that_is_loaded_nowhere_is_hosted_elsewhere() -> None:
    """Told, and not ill."""
    seen = await Look().look()

    assert [Reason.JOB_ABSENT] == [one.reason for one in seen.findings]
    assert seen.well
    assert "0 of 0 jobs up, 1 not hosted here" == seen.summary


async def test_a_job_that_was_seen_here_owns_what_follows_from_its_end() -> None:
    """Down or taken away; what was never loaded here brings nothing about."""
    look = Look(placed(pid=None))
    assert [CADDY] == [one.owner for one in (await look.look()).findings]
    look.jobs.loaded.clear()
    assert [(Reason.JOB_ABSENT, CADDY)] == [
        (one.reason, one.owner) for one in (await look.look(2.0)).findings
    ]
    assert [""] == [one.owner for one in (await Look().look()).findings]


@pytest.mark.parametrize("error", [CannotLook("launchctl", "garbage"), TargetSilent("l", "hung")])
async def test_a_job_that_cannot_be_looked_at_is_unknown(error: Exception) -> None:
    """And nothing that was known of it before counts."""
    look = Look(placed(pid=None))
    await look.look()
    look.jobs.faults["places"] = error
    seen = await look.look(2.0)

    assert seen.unknown
    assert () == seen.findings


async def test_one_job_that_cannot_be_looked_at_hides_no_other() -> None:
    """Each is asked by itself."""
    jobs, clock = FakeJobs(placed(pid=None)), FakeClock()
    watched = (WatchedJob(CADDY), WatchedJob("com.joel.worker", URL))
    jobs.loaded.append(placed("com.joel.worker"))
    jobs.faults["answer"] = CannotLook("http", "no sockets left")
    seen = await LaunchdProbe(jobs, watched, clock).look()

    assert [Reason.JOB_NOT_RUNNING] == [one.reason for one in seen.findings]
    assert "no sockets left" in seen.unknown


@pytest.mark.parametrize(
    "error",
    [TargetIll("http", "refused"), TargetSilent("http", "3 s"), WrongAnswer("http", "HTTP 500")],
)
async def test_a_job_that_runs_and_does_not_answer_is_told(error: Exception) -> None:
    """R27: a process is no health; it is no reason to restart it either."""
    look = Look(placed(), health=URL)
    assert [] == await look.found()

    look.jobs.faults["answer"] = error
    seen = await look.look()
    assert [Reason.JOB_UNHEALTHY] == [one.reason for one in seen.findings]
    assert seen.well


async def test_a_job_that_is_down_is_not_asked_for_its_health() -> None:
    """Whoever answers at its address is somebody else."""
    look = Look(placed(pid=None), health=URL)

    assert [Reason.JOB_NOT_RUNNING] == await look.found()
    assert "answer" not in look.jobs.calls


async def test_launchd_comes_first_for_what_it_keeps_alive() -> None:
    """Until its own rest is over, counted from when the job was first seen down."""
    look = Look(placed(pid=None, kept=True, throttle=60.0))

    async def ripe_in(after: float) -> float:
        (found,) = (await look.look(after)).findings
        return found.ripe_in

    assert 65.0 == await ripe_in(0.0)
    assert 45.0 == await ripe_in(20.0)
    assert 0.0 == await ripe_in(60.0)


async def test_another_run_of_it_is_another_trouble() -> None:
    """So that a job which launchd starts again and again is never confirmed as left dead."""

    async def found(runs: int) -> Finding:
        (one,) = (await Look(placed(pid=None, runs=runs)).look()).findings
        return one

    assert (await found(1)).fingerprint == (await found(1)).fingerprint
    assert (await found(1)).fingerprint != (await found(2)).fingerprint


async def test_a_crash_loop_is_seen_and_ends_with_a_steady_life() -> None:
    """Five starts by launchd within ten minutes; after a minute of one life it is over."""
    look = Look(placed(pid=None, kept=True))
    seen = []
    for runs in range(2, 8):
        look.jobs.loaded = [placed(pid=None, kept=True, runs=runs)]
        seen += await look.found(12.0)
    assert [Reason.JOB_NOT_RUNNING] * 5 + [Reason.JOB_CRASH_LOOP] == seen

    look.jobs.loaded = [placed(kept=True, runs=8)]
    assert [Reason.JOB_CRASH_LOOP] == await look.found(2.0)
    assert [] == await look.found(61.0)


async def test_a_few_restarts_by_hand_are_no_crash_loop() -> None:
    """Somebody works on it."""
    look = Look(placed())
    for runs in range(2, 6):
        look.jobs.loaded = [placed(runs=runs)]
        assert [] == await look.found(30.0)


async def test_a_job_that_is_loaded_anew_counts_from_its_first_run() -> None:
    """Its count begins at one again, which is no start of launchd's."""
    look = Look(placed(runs=90))
    await look.look()
    for runs in (1, 90, 1, 2):
        look.jobs.loaded = [placed(runs=runs)]
        await look.look(1.0)

    assert [] == await look.found()


async def test_a_timer_is_judged_by_its_age() -> None:
    """Two runs missed and a minute, while the Mac was awake; a new run ends it."""
    look = Look(placed(pid=None, timer=True, every=300.0, last_exit="0"))
    assert [] == await look.found()
    assert [] == await look.found(655.0)
    assert [Reason.JOB_OVERDUE] == await look.found(10.0)

    look.jobs.loaded = [placed(pid=None, timer=True, every=300.0, last_exit="0", runs=2)]
    assert [] == await look.found()


async def test_a_timer_that_hangs_is_overdue_too() -> None:
    """launchd starts no second one beside it (facts/incidents.md §4, S4)."""
    look = Look(placed(timer=True, every=60.0))
    await look.look()

    assert [Reason.JOB_OVERDUE] == await look.found(200.0)


async def test_sleep_makes_no_timer_overdue() -> None:
    """launchd's timers stand still meanwhile (I16)."""
    look = Look(placed(pid=None, timer=True, every=60.0, last_exit="0"))
    await look.look()
    look.clock.advance(7200.0)
    look.clock.slept_for = 7200.0

    assert [] == await look.found(1.0)


async def test_a_daemon_believes_a_living_process_for_a_while() -> None:
    """launchctl is asked anew after five minutes, and at once when the process is gone."""
    look = Look(placed(), resident=True)
    await look.look()
    await look.look(290.0)
    assert ["places"] == look.jobs.calls

    await look.look(10.0)
    assert ["places"] * 2 == look.jobs.calls

    look.jobs.alive.clear()
    look.jobs.loaded = [placed(pid=None)]
    assert [Reason.JOB_NOT_RUNNING] == await look.found(15.0)


async def test_a_daemon_asks_a_living_jobs_address_at_each_look() -> None:
    """What is believed is the process, not its health."""
    look = Look(placed(), resident=True, health=URL)
    await look.look()
    look.jobs.faults["answer"] = TargetIll("http", "refused")

    assert [Reason.JOB_UNHEALTHY] == await look.found(15.0)


async def test_a_daemon_searches_a_dead_job_at_each_look() -> None:
    """What is ill is never believed."""
    look = Look(placed(pid=None), resident=True)
    await look.look()
    look.jobs.loaded = [placed()]

    assert [] == await look.found(2.0)


async def test_a_daemon_finds_a_job_that_was_loaded_within_five_minutes() -> None:
    """A label that was nowhere is searched for rarely."""
    look = Look(resident=True)
    assert [Reason.JOB_ABSENT] == await look.found()
    look.jobs.loaded = [placed()]

    assert [Reason.JOB_ABSENT] == await look.found(299.0)
    assert [] == await look.found(1.0)
