"""The page of figures is made of records alone, and says what a zero is worth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healer.core.tower import Layer
from healer.drills.lives import Crash
from healer.drills.scenario import Happens
from tests.explore.__main__ import CHUNKS
from tests.explore.counting import Counts
from tests.explore.engine import healthy
from tests.explore.engine.awaits import awaits
from tests.explore.engine.kept import CUT_OFF
from tests.explore.engine.volume import count
from tests.explore.engine.watching import Fall, Watch
from tests.explore.figures import PAGE, page, records, written
from tests.explore.liveness.comparing import Lived, lived_with_healer
from tests.explore.liveness.comparing import record as compared_record
from tests.explore.merging import merged
from tests.explore.sections import CAME_TO_PASS


def _record(level: str, counted: dict[str, Any]) -> dict[str, Any]:
    """As it is read back from its file."""
    told: dict[str, Any] = json.loads(written(level, 300, counted))
    return told


@pytest.fixture(scope="module")
def engine() -> Counts:
    """One schedule: healer is cut off at an await while flannel crashes."""
    counts = Counts()
    count(counts, CUT_OFF)
    counts.seconds = 1.0
    return counts


def test_a_record_becomes_a_page() -> None:
    """Seed, commit, counts, each promise with what its zero rules out."""
    record = json.loads(written("core", 300, CHUNKS["core"][0]((300, 30)).record()))
    shown = page([record])

    assert "30, of the seeds 300 to 329" in shown
    assert record["commit"][:12] in shown
    assert "| I1 | never acts on what it does not know | 30 | 0 | 1.0e-01 | " in shown
    assert "rules out more than" in shown


def test_a_broken_promise_is_counted_and_has_no_bound() -> None:
    """What was seen to fail is not ruled out."""
    record = json.loads(written("core", 300, CHUNKS["core"][0]((300, 2)).record()))
    record["violations"] = ["core 300: I2 at 3.0 s: an act"]
    record["violations_in_all"] = 1

    assert "| I2 | never acts above a failing layer | 2 | 1 |  | " in page([record])


def test_a_record_of_an_older_kind_still_becomes_a_page() -> None:
    """What such a record does not hold is left out, and is no zero."""
    record = _record("core", CHUNKS["core"][0]((300, 2)).record())
    for name in ("fell", "detected", "acted", "rooted", "notices", "told", "crash_points", "stood"):
        del record[name]

    shown = page([record])
    assert "wrong acts and other broken promises" in shown
    assert "crash points covered" not in shown.partition("## Level core")[2]


def test_each_incident_has_a_root_and_a_number_of_notices(engine: Counts) -> None:
    """Both are counted once for every incident that opened."""
    opened = engine.said["IncidentOpened"]

    assert opened > 0
    assert opened == sum(engine.rooted.values())
    assert opened == sum(engine.told.values())


def test_what_was_seen_or_acted_on_had_fallen_ill(engine: Counts) -> None:
    """No layer is detected more often than it fell, and no time is negative."""
    for counted in (engine.detected, engine.acted):
        for name, times in counted.items():
            layer, seconds = name.split()
            assert float(seconds) >= 0.0
            assert times <= engine.fell[layer]


def test_crash_points_are_awaits_of_the_source(engine: Counts) -> None:
    """Each is a line that has an await; a task that was cut off there had stood there."""
    assert engine.others[CAME_TO_PASS] > 0
    assert set(engine.crash_points) <= engine.stood
    assert engine.stood <= awaits()
    assert len(awaits()) == engine.awaits


def test_the_page_tells_what_the_outside_knew(engine: Counts) -> None:
    """Roots, notices, crash points, and times from the truth to the first bad look."""
    shown = page([_record("engine", engine.record())])

    assert f"of {sum(engine.rooted.values())}" in shown
    points = f"{len(engine.crash_points)} of the {len(engine.stood)} awaits"
    assert f"| crash points covered | {points} at which" in shown
    assert "| layer | fell ill | seen |" in shown


def test_only_what_stands_on_nothing_ill_falls() -> None:
    """Docker falls with the VM and is no fall of its own; it is one once the VM is back."""
    watch = Watch(())
    both = frozenset((Layer.COLIMA, Layer.DOCKER))
    watch.ill += [(10.0, both), (40.0, frozenset((Layer.DOCKER,))), (60.0, frozenset())]
    watch.ill += [(90.0, frozenset((Layer.DOCKER,)))]

    falls = [Fall(Layer.COLIMA, 10.0, 40.0), Fall(Layer.DOCKER, 90.0, float("inf"))]
    assert falls == watch.falls()
    assert frozenset((Layer.COLIMA,)) == watch.roots_within(0.0, 39.0)
    assert frozenset((Layer.DOCKER,)) == watch.roots_within(50.0, 55.0)
    assert frozenset() == watch.roots_within(61.0, 80.0)


async def test_a_watch_notes_a_crash_at_its_own_turn_alone() -> None:
    """Where nothing of healer runs, nothing is cut off."""
    watch = Watch((Crash(turn=2),))
    for _ in range(3):
        watch.turned(0.0)

    assert [] == watch.crashed


def test_healthy_days_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No act, no incident and no notice on a healthy tower with noise (I8)."""
    monkeypatch.setattr(healthy, "STRETCH", 5400.0)
    counts = healthy.chunk((300, 1))
    shown = page([_record("healthy", counts.record())])

    days = counts.simulated / 86_400
    assert f"| acts in 30 healthy days | 0 (rules out more than {90 / days:.1f}) |" in shown
    assert f"| notices in 30 healthy days | 0 (rules out more than {90 / days:.1f}) |" in shown
    assert counts.steps > 0


def test_a_false_alarm_shows_on_the_page() -> None:
    """One in fifteen days is two in thirty."""
    counts = Counts(schedules=60, seconds=1.0, simulated=15 * 86_400.0)
    counts.notices["opened"] += 1

    shown = page([_record("healthy", counts.record())])
    assert "| notices in 30 healthy days | 2.00 (1 in 15.0 days) |" in shown


def test_what_stays_ill_under_a_humans_cordon_is_told_apart() -> None:
    """Talos was restarted under a cordon: its pods find no node, and healer leaves it (I15)."""
    lived = Lived()
    happens = (Happens(10.0, "cordon_by_human"), Happens(60.0, "talos_shutting_down"))
    lived_with_healer(happens, 1, lived)
    shown = page([_record("liveness", compared_record({"healer": lived}, 1))])

    assert (1, 1, 0) == (lived.ill_at_end, lived.ill_under_cordon, lived.harm)
    assert f"| healer | {lived.down / 3600:.2f} | 1 | 1 | {lived.disruptions} |" in shown


def test_records_of_the_same_rules_add_up() -> None:
    """Two stretches of seeds are one run, but for the states that both may have seen."""
    play, _ = CHUNKS["core"]
    one, other, whole = (play(span).record() for span in ((100, 3), (103, 3), (100, 6)))
    stretches = [{**_record("core", one), "first_seed": 100}]
    stretches += [{**_record("core", other), "first_seed": 103}]
    (added,) = merged(reversed(stretches))

    measured = ("seconds", "simulated", "states")
    assert {name: whole[name] for name in whole if name not in measured} == {
        name: added[name] for name in whole if name not in measured
    }
    assert max(one["states"], other["states"]) == added["states"]
    assert "| schedules | 6, of the seeds 100 to 102, 103 to 105 |" in page([added])


def test_a_seed_does_not_count_twice() -> None:
    """Where two records overlap, the seed is named."""
    record = {**_record("core", Counts(schedules=5).record()), "first_seed": 100}

    with pytest.raises(ValueError, match="two records of level core hold seed 104; remove one"):
        list(merged([record, {**record, "first_seed": 104}]))


def test_values_of_other_kinds_are_not_added() -> None:
    """A record that somebody changed is named by what is wrong in it."""
    record = {**_record("core", Counts(schedules=5).record()), "first_seed": 100}

    with pytest.raises(ValueError, match=r"acts: \{\} and 'none' cannot be added"):
        list(merged([record, {**record, "first_seed": 105, "acts": "none"}]))


def test_records_of_other_rules_stand_apart() -> None:
    """What another core did is no figure of this one."""
    record = {**_record("core", Counts(schedules=5, seconds=1.0).record()), "first_seed": 100}

    assert 2 == len(list(merged([record, {**record, "rules": "other"}])))


def test_a_broken_promise_is_named_on_the_page() -> None:
    """With the seed that shows it again."""
    found = "core 7: I15 at 160.1 s: restart_engine 38 s after a human's stop"
    counts = Counts(schedules=5, seconds=1.0, violations=[found])

    assert f"| which | {found} |" in page([_record("core", counts.record())])


def test_the_page_is_made_of_the_records_that_are_kept() -> None:
    """No figure on it was written by hand, or is of records that nobody has any more."""
    assert page(records()) == PAGE.read_text(encoding="utf-8")
