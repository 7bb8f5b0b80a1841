"""launchd as it behaves: who comes back by itself, who stays down, and whose doing that is."""

import pytest

from healer.core.tower import Layer
from healer.simulation.jobs import CADDY, GATEWAY, LABELS, WORKER
from tests.simulation.stage import Stage


def test_a_job_that_is_kept_alive_is_back_after_launchds_rest() -> None:
    """Ten seconds, in which the layer is truly ill; it counts one more run."""
    stage = Stage().befall("job_dies", job=WORKER).wait(9.0)
    assert {Layer.LAUNCHD} == stage.ill()

    stage.wait(2.0)
    assert set() == stage.ill()
    assert 2 == stage.tower.launchd.jobs[WORKER].runs


def test_a_job_that_nobody_keeps_alive_stays_down() -> None:
    """Until somebody starts it; it is then well at once."""
    stage = Stage().befall("job_dies").wait(3600.0)
    assert {Layer.LAUNCHD} == stage.ill()

    launchd = stage.tower.launchd
    assert "" == launchd.start(launchd.jobs[CADDY])
    assert set() == stage.ill()


@pytest.mark.parametrize("job", LABELS)
def test_what_a_human_took_away_makes_nothing_ill_and_does_not_come_back(job: str) -> None:
    """Booted out or disabled, kept alive or not."""
    assert set() == Stage().befall("job_booted_out", job=job).wait(600.0).ill()

    stage = Stage().befall("job_disabled", job=job).wait(600.0)
    assert set() == stage.ill()
    assert stage.tower.launchd.jobs[job].pid is None
    assert () == stage.tower.undone()


def test_a_job_that_somebody_starts_again_was_undone() -> None:
    """What a human set is known, so that a wrong start is seen (I15)."""
    stage = Stage().befall("job_disabled", job=CADDY)
    launchd = stage.tower.launchd
    launchd.start(launchd.jobs[CADDY])

    assert (f"{CADDY} disabled",) == stage.tower.undone()


def test_a_crash_loop_is_launchds_own() -> None:
    """A start each ten seconds, and never a process that stays."""
    stage = Stage().befall("job_never_starts", job=WORKER).wait(100.0)

    assert 10 <= stage.tower.launchd.jobs[WORKER].runs <= 12
    assert {Layer.LAUNCHD} == stage.ill()


def test_the_systems_own_job_is_no_illness_of_ours() -> None:
    """It is only told of; nobody but root may start it."""
    assert set() == Stage().befall("job_dies", job=GATEWAY).wait(1.0).ill()


def test_a_boot_of_the_mac_runs_what_is_loaded() -> None:
    """Each for the first time; what was disabled stays so."""
    stage = Stage().befall("job_disabled", job=CADDY).befall("mac_reboots").wait(1.0)
    jobs = stage.tower.launchd.jobs

    assert [1, 0, 1] == [jobs[one].runs for one in (WORKER, CADDY, GATEWAY)]
    assert jobs[CADDY].pid is None
