"""launchd's jobs through launchctl: every domain, every kind of job, and every way to fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from healer.adapters.launchd_jobs import LaunchdJobs
from healer.adapters.listeners import Listeners
from healer.adapters.published import PublishedPorts
from healer.model.jobs import LocalUrl, PlacedJob
from healer.ports import ActFailed, CannotLook, TargetIll, TargetSilent
from tests.fakes.host import OURS, FakeHost
from tests.unit.adapters.jobs_mac import JobsMac
from tests.unit.adapters.ssh_door import free_port

JOB = "com.joel.caddy"


@pytest.fixture(name="mac")
def fixture_mac(tmp_path: Path) -> JobsMac:
    """A Mac with nothing loaded."""
    return JobsMac(tmp_path)


async def placed(mac: JobsMac) -> PlacedJob:
    """The one place of the job."""
    (place,) = await mac.jobs().places(JOB)
    return place


async def test_every_domain_is_searched(mac: JobsMac) -> None:
    """R10: `launchctl list` looks in one only; a domain that nobody logged in to holds nothing."""
    assert [] == list(await mac.jobs().places(JOB))
    uid = os.getuid()
    assert {f"print system/{JOB}", f"print user/{uid}/{JOB}", f"print gui/{uid}/{JOB}"} == set(
        mac.mac.calls()
    )

    mac.mac.say(domains=["system"])
    assert [] == list(await mac.jobs().places(JOB))


async def test_two_owners_of_one_label_are_both_found(mac: JobsMac) -> None:
    """So that neither is started for the other (incident 8)."""
    mac.load(JOB, "system", runs=1)
    mac.load(JOB, "gui", runs=1)

    assert 2 == len(await mac.jobs().places(JOB))


async def test_each_kind_of_job_is_read(mac: JobsMac) -> None:
    """KeepAlive, SuccessfulExit, StartInterval, a calendar, and the rest between two starts."""
    mac.load(JOB, "gui", runs=3, kept=True, throttle=45, last_exit="78: EX_CONFIG")
    page = (await placed(mac)).page
    assert (True, False, False, 45.0) == (page.kept, page.rests, page.timer, page.throttle)
    assert (3, "78: EX_CONFIG") == (page.runs, page.job.last_exit)

    mac.load(JOB, "gui", runs=1, rests=True, last_exit="0")
    assert (await placed(mac)).page.rests
    mac.load(JOB, "gui", runs=1, every=300)
    assert (True, 300.0) == ((page := (await placed(mac)).page).timer, page.every)
    mac.load(JOB, "gui", runs=1, calendar=True)
    assert (True, None) == ((page := (await placed(mac)).page).timer, page.every)


@pytest.mark.parametrize("how", ["garbage", "huge", "refuse", "5", "37"])
async def test_an_answer_that_makes_no_sense_is_no_answer(mac: JobsMac, how: str) -> None:
    """Whichever domain gave it: the job may be there, or be another than it seems."""
    mac.load(JOB, "gui", runs=1)
    mac.fault("print", how)

    with pytest.raises(CannotLook):
        await mac.jobs().places(JOB)


@pytest.mark.parametrize(
    "job",
    [
        {"state": "on its way", "runs": 1},
        {"state": "running", "runs": 1},
        {"state": "not running", "runs": "many"},
    ],
)
async def test_a_page_that_contradicts_itself_is_not_understood(
    mac: JobsMac, job: dict[str, str | int]
) -> None:
    """A state of a later release, a runner without a pid, runs that are no number."""
    mac.load(JOB, "gui", **job)

    with pytest.raises(CannotLook, match="make sense"):
        await mac.jobs().places(JOB)


async def test_a_page_shows_no_environment_in_what_is_said_of_it(mac: JobsMac) -> None:
    """launchctl prints it; it may hold secrets."""
    mac.load(JOB, "gui", state="on its way", runs=1)

    with pytest.raises(CannotLook) as caught:
        await mac.jobs().places(JOB)
    assert "PATH" not in str(caught.value)
    assert "/usr/bin" not in str(caught.value)


@pytest.mark.parametrize("verb", ["print", "print-disabled"])
async def test_a_look_that_hangs_ends(mac: JobsMac, verb: str) -> None:
    """At its own deadline."""
    mac.load(JOB, "gui", runs=1)
    mac.fault(verb, "hang")

    with pytest.raises(TargetSilent):
        await mac.jobs(deadline=1.5).places(JOB)


@pytest.mark.parametrize(("how", "words"), [("5", "Input/output error"), ("refuse", "root")])
async def test_a_refused_start_is_told_with_launchds_words(
    mac: JobsMac, how: str, words: str
) -> None:
    """And is not tried again by us (R45)."""
    mac.load(JOB, "gui", runs=1)
    place = await placed(mac)
    mac.fault("kickstart", how)

    with pytest.raises(ActFailed, match=words):
        await mac.jobs().kickstart(place)
    assert [f"kickstart {place.target}"] == mac.mac.calls("kickstart")


async def test_a_domain_that_is_gone_is_an_error(mac: JobsMac) -> None:
    """125, after a logout between look and act."""
    mac.load(JOB, "gui", runs=1)
    place = await placed(mac)
    mac.mac.say(domains=["system"])

    with pytest.raises(ActFailed, match="125"):
        await mac.jobs().kickstart(place)


async def test_a_start_that_hangs_ends(mac: JobsMac) -> None:
    """As unknown: what it was to do may be done."""
    mac.load(JOB, "gui", runs=1)
    place = await placed(mac)
    mac.fault("kickstart", "hang")

    with pytest.raises(TargetSilent):
        await mac.jobs(deadline=1.5).kickstart(place)


async def test_nothing_is_ever_restarted_loaded_or_enabled(mac: JobsMac) -> None:
    """All that reaches launchctl is a look and a kickstart without `-k` (incident 32)."""
    mac.load(JOB, "gui", runs=1)
    await mac.jobs().kickstart(await placed(mac))

    asked = {call.split()[0] for call in mac.mac.calls()}
    assert {"print", "print-disabled", "kickstart"} == asked
    assert all("-k" not in call for call in mac.mac.calls())


def test_a_process_lives_or_not(mac: JobsMac) -> None:
    """Ours does, one that was reaped does not, and another user's does as well."""
    child = subprocess.Popen([sys.executable, "-SIc", ""])
    child.wait()

    assert mac.jobs().lives(os.getpid())
    assert mac.jobs().lives(1)
    assert not mac.jobs().lives(child.pid)


async def test_an_address_where_nobody_listens_is_a_failure(mac: JobsMac) -> None:
    """And no reason to say that we could not look."""
    with pytest.raises(TargetIll):
        await mac.jobs().answer(LocalUrl(free_port(), "/"))


async def test_without_launchctl_there_is_no_launchd() -> None:
    """Linux, or a container: nothing can be looked at, and nothing started."""
    jobs = LaunchdJobs(None, 501, PublishedPorts(Listeners(FakeHost(), OURS)))

    assert not jobs.available()
    with pytest.raises(CannotLook, match="not found"):
        await jobs.places(JOB)
