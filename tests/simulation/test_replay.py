"""I17 over the real engine: what a journal holds of a life is decided again to the same bytes."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import Act, Decision
from healer.core.tower import Layer
from healer.replay.codec import DECISION
from healer.replay.running import Rerun, read_segments, run_again
from healer.simulation.happenings import HAPPENINGS, Kind, mac_reboot
from healer.simulation.physics import Tower
from healer.wiring.simulated import simulated_outside
from tests.simulation.house import SimulatedHouse, live

HOUR = 3600.0
DAY = 24 * HOUR


def opened(house: SimulatedHouse, path: Path) -> SqliteJournal:
    """The journal on that file, on the tower's time."""
    house.journal = journal = SqliteJournal.open(path, simulated_outside(house.tower).clock)
    return journal


def rerun_of(path: Path, incident: str) -> Rerun:
    """An incident of that journal, run again."""
    house = SimulatedHouse(Tower(lambda: 0.0))
    journal = opened(house, path)
    evidence = journal.evidence()
    rerun = run_again(read_segments(evidence.segments_of(incident), evidence.policies()))
    journal.close()
    return rerun


def incidents_of(path: Path) -> list[str]:
    """Every incident that the journal knows, all of them with evidence."""
    house = SimulatedHouse(Tower(lambda: 0.0))
    journal = opened(house, path)
    known = journal.evidence().incidents()
    journal.close()
    assert all(one.kept for one in known)
    return [one.id for one in known]


def spelled(decisions: list[Decision]) -> list[object]:
    """Decisions as they are compared."""
    return [DECISION.plain(one) for one in decisions]


def test_a_night_is_decided_again(tmp_path: Path) -> None:
    """Every decision of a reboot that was healed, in its order, to the byte."""
    path = tmp_path / "journal.sqlite"

    async def healed(house: SimulatedHouse) -> None:
        journal = opened(house, path)
        await house.live(300.0)
        journal.close()

    house = live(mac_reboot, healed)
    (incident,) = incidents_of(path)
    rerun = rerun_of(path, incident)

    assert rerun.same
    assert [] == house.broke
    again = [one for step in rerun.steps for one in step.decisions]
    assert spelled(house.decided)[: len(again)] == spelled(again)
    assert len([one for one in again if isinstance(one, Act)]) == len(house.done)


@pytest.mark.parametrize("after", [8.0, 46.0, 75.0, 110.0])
def test_an_incident_of_two_lives_is_decided_again(after: float, tmp_path: Path) -> None:
    """Killed in the middle: the second life begins with what the journal held, and goes on."""
    path = tmp_path / "journal.sqlite"

    async def two_lives(house: SimulatedHouse) -> None:
        first = opened(house, path)
        with anyio.move_on_after(after):
            await house.daemon().run()
        first.close()
        second = opened(house, path)
        await house.live(600.0)
        second.close()

    house = live(mac_reboot, two_lives)
    (incident, *_) = incidents_of(path)
    rerun = rerun_of(path, incident)

    assert rerun.same
    assert [] == house.broke
    assert ["life1", "life2"] == sorted({one.run for one in rerun.steps})
    again = [one for step in rerun.steps for one in step.decisions]
    assert spelled(house.decided)[: len(again)] == spelled(again)


def test_every_decision_of_the_journal_is_in_its_evidence(tmp_path: Path) -> None:
    """Whenever it is killed: evidence comes first, so no decision is there without it."""
    path = tmp_path / "journal.sqlite"

    async def killed(house: SimulatedHouse) -> None:
        journal = opened(house, path)
        seen = 0

        def record(decision: Decision) -> None:
            """Die in the middle of a step that said several things."""
            nonlocal seen
            seen += 1
            if seen > 17:
                raise SystemExit
            SqliteJournal.record(journal, decision)

        journal.record = record  # type: ignore[method-assign]
        with pytest.raises(BaseExceptionGroup):
            await house.live(300.0)
        journal.close()

    live(mac_reboot, killed)
    with closing(sqlite3.connect(path)) as journal:
        (written,) = journal.execute("SELECT count(*) FROM decision").fetchone()
        (kept,) = journal.execute("SELECT sum(decisions) FROM steps").fetchone()
    (incident,) = incidents_of(path)

    assert 17 == written < kept
    assert rerun_of(path, incident).same


def a_spoilt_row(path: Path, row: int) -> None:
    """One byte of one bundle is another."""
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        (body,) = journal.execute("SELECT body FROM steps WHERE id = ?", (row,)).fetchone()
        spoilt = body[:20] + bytes([body[20] ^ 4]) + body[21:]
        journal.execute("UPDATE steps SET body = ? WHERE id = ?", (spoilt, row))


def test_a_spoilt_row_is_named_and_loses_nothing_else(tmp_path: Path) -> None:
    """What stands before it, and every other segment, is decided again."""
    path = tmp_path / "journal.sqlite"

    async def healed(house: SimulatedHouse) -> None:
        journal = opened(house, path)
        await house.live(300.0)
        journal.close()

    live(mac_reboot, healed)
    (incident,) = incidents_of(path)
    whole = rerun_of(path, incident)
    with closing(sqlite3.connect(path)) as journal:
        (row, segments) = journal.execute("SELECT max(id) - 5, max(segment) FROM steps").fetchone()
    a_spoilt_row(path, row)
    spoilt = rerun_of(path, incident)

    assert segments > 1
    assert not spoilt.same
    assert spoilt.difference is None
    (damage,) = spoilt.damages
    assert f"steps {row}: damaged" in damage
    assert 0 < len(spoilt.steps) < len(whole.steps)
    first = rerun_after(path, incident, row=1)
    assert len(first.steps) > 0, "the segments after the damaged one are read"


def rerun_after(path: Path, incident: str, *, row: int) -> Rerun:
    """The same with another row spoilt, in the first segment."""
    a_spoilt_row(path, row)
    return rerun_of(path, incident)


RESTLESS = sorted(
    name
    for name, one in HAPPENINGS.items()
    if one.covered and one.kind in {Kind.FAULT, Kind.NOISE} and one.layer is not Layer.COLIMA
    if name not in {"image_pull", "worker_crash_loop", "mount_hangs"}
)
"""What can befall a tower again and again and passes, or is healed; those three stay."""


@pytest.mark.parametrize("hours", [2.0])
def test_a_journal_of_a_noisy_day_stays_below_5_megabytes(hours: float, tmp_path: Path) -> None:
    """Something breaks every ten minutes; scaled to a day, since a day would take too long.

    A whole day by hand is in the report of the measurements: it stays below the figure here,
    since evidence is pruned at 3 MB.
    """
    path = tmp_path / "journal.sqlite"

    async def restless(house: SimulatedHouse) -> None:
        chance = random.Random(5)
        journal = opened(house, path)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(house.live, hours * HOUR)
            for _ in range(int(hours * 6)):
                await anyio.sleep(600.0 * chance.uniform(0.5, 1.2))
                HAPPENINGS[chance.choice(RESTLESS)].befall(house.tower)
        journal.close()

    house = live(mac_reboot, restless)
    size = sum(one.stat().st_size for one in tmp_path.iterdir())

    assert [] == house.broke
    assert size * DAY / (hours * HOUR) < 5e6
    assert all(rerun_of(path, one).same for one in incidents_of(path))
