"""The runner: a scenario becomes a history, through as many lives of healer as it takes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from healer.core.facts import Act, IncidentOpened, Outcome
from healer.core.ladders import Remedy
from healer.drills.lives import Crash
from healer.drills.playing import Manner, Played, run
from healer.drills.scenario import Happens, Scenario
from healer.promises.table import broken

ROOT = Path(__file__).parents[3]
KILLED = Scenario("killed", "The container dies.", (Happens(60.0, "docker_kill"),))


@pytest.fixture(scope="module", name="played")
def fixture_played() -> Played:
    """The container's death, played once."""
    return run(KILLED)


def test_a_killed_container_comes_back(played: Played) -> None:
    """The real daemon over the tower heals it, and the history says so."""
    assert played.history.well_at_end
    assert 60.0 == played.history.faults_over
    assert Remedy.START_CONTAINER in {one.act.remedy for one in played.history.deeds}


def test_every_act_is_a_moment_and_a_deed(played: Played) -> None:
    """What was decided and what was done are written down apart, and agree."""
    decided = {one.id for moment in played.history.moments for one in moment.acts}

    assert decided == {one.act.id for one in played.history.deeds}
    assert {Outcome.DONE} == {one.outcome for one in played.history.deeds}
    assert all(one.journalled for one in played.history.deeds)


def test_all_promises_are_kept(played: Played) -> None:
    """A drill is judged by every promise."""
    assert () == broken(played.history)


def test_a_run_ends_soon_after_all_is_settled(played: Played) -> None:
    """A run that goes on for half an hour would cost a hundred thousand schedules too much."""
    assert played.history.ended < 400.0


def test_a_run_lasts_as_long_as_it_is_asked_to() -> None:
    """`lasts` is for what must not happen later."""
    assert run(Scenario("calm", "Nothing happens.", lasts=900.0)).history.ended >= 900.0


def test_the_same_seed_gives_the_same_history(played: Played) -> None:
    """What was seen once can be seen again (I17)."""
    again = run(KILLED)

    assert again.history == played.history
    assert again.turns == played.turns


def test_another_seed_gives_another_history(played: Played) -> None:
    """Chance enters by the seed alone, and it does enter."""
    assert run(KILLED, seed=1).history != played.history


def test_a_crash_at_a_time_begins_another_life() -> None:
    """The next one goes on from the journal: it opens no second incident, and heals."""
    played = run(KILLED, manner=Manner(crashes=[Crash(at=75.0)]))

    assert 2 == played.lives
    assert {1, 2} == {one.life for one in played.history.moments}
    assert () == broken(played.history)
    opened = [
        one
        for moment in played.history.moments
        for one in moment.decisions
        if isinstance(one, IncidentOpened)
    ]
    assert 1 == len(opened)


def test_a_crash_comes_at_the_await_it_is_asked_for(played: Played) -> None:
    """Every turn of the loop is a place to die, so each await can be tried in turn."""
    lives = set()
    for turn in range(played.turns // 6, played.turns * 3 // 4, played.turns // 6):
        cut = run(KILLED, manner=Manner(crashes=[Crash(turn=turn)]))
        assert () == broken(cut.history)
        assert cut.history.well_at_end
        lives.add(cut.lives)

    assert {2} == lives


def test_what_a_crash_cuts_off_has_no_outcome() -> None:
    """Nobody knows how it ended; whoever judged it by its promise would excuse a repetition."""
    whole = run(KILLED)
    deed = next(one for one in whole.history.deeds if one.act.remedy is Remedy.START_CONTAINER)
    cut = run(KILLED, manner=Manner(crashes=[Crash(at=deed.began + 0.1)]))
    first = next(one for one in cut.history.deeds if one.act.remedy is Remedy.START_CONTAINER)

    assert first.outcome is None
    assert first.ended == pytest.approx(deed.began + 0.1)


def test_a_paused_healer_does_nothing_until_it_is_resumed() -> None:
    """A human's words reach it in a scenario as they do from the command line (I3)."""
    words = (
        Happens(30.0, "healer_paused"),
        Happens(600.0, "healer_resumed"),
    )
    played = run(replace(KILLED, happens=(*KILLED.happens, *words)))
    acts = [
        (moment.at, one)
        for moment in played.history.moments
        for one in moment.decisions
        if isinstance(one, Act) and one.reason.gating
    ]

    assert acts
    assert all(at >= 600.0 for at, _ in acts)
    assert played.history.well_at_end
    assert () == broken(played.history)


def test_the_same_seed_gives_the_same_history_in_another_process() -> None:
    """Another process hashes words otherwise; no order may hang on that, or no seed reproduces."""
    script = (
        "from healer.drills.playing import run\n"
        "from healer.drills.scenario import Happens, Scenario\n"
        "from healer.replay.codec import DECISION, FACT, spelled\n"
        "noise = Happens(10.0, 'noise', {'seconds': 300.0, 'percent': 3.0})\n"
        "played = run(Scenario('x', 'y', (noise, Happens(60.0, 'docker_kill'))))\n"
        "print(played.turns)\n"
        "for one in played.history.moments:\n"
        "    print(one.at, spelled(FACT.plain(one.fact)))\n"
        "    print([spelled(DECISION.plain(said)) for said in one.decisions])\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(said)


def test_what_cannot_be_healed_ends_the_run_when_all_is_said() -> None:
    """Nothing more is to come, so nothing more is waited for."""
    played = run(Scenario("missing", "The VM is gone.", (Happens(60.0, "vm_missing"),)))

    assert played.well_since is None
    assert ["opened"] == [one.kind.value for one in played.notices]
    assert 660.0 <= played.history.ended < 900.0


def test_a_start_that_outlives_its_healer_is_still_under_way() -> None:
    """The VM's start goes on after a crash; whoever began another would be seen doing so (I7)."""
    cut = run(
        Scenario("cut", "x", (Happens(60.0, "vm_power_cut"),)),
        manner=Manner(crashes=[Crash(at=70.0)]),
    )
    (start,) = [one for one in cut.history.deeds if one.act.remedy is Remedy.START_VM]

    assert start.outcome is None
    assert start.ended is None or start.ended > 80.0
    assert () == broken(cut.history)
