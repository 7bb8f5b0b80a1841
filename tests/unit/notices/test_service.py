"""Notices as the daemon uses them: told by steps of the real core, on virtual time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

import anyio
import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import Decision, GaveUp, IncidentOpened, IncidentResolved, State
from healer.core.ledger import Incident
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Trouble, View, World
from healer.engine.telling import Told, nothing_awaited
from healer.model.notice import Kind, Notice
from healer.notices.rules import Rules
from healer.notices.service import Around, Notices, Setup
from healer.ports import JournalError, Outbox
from healer.simulation.virtual_time import run_virtually
from tests.fakes.channel import FakeChannel, a_notice
from tests.unit.engine.tower import LoopClock
from tests.unit.notices.test_delivering import Heard

DAY = 86_400.0


class StartClock(LoopClock):
    """Virtual time that begins at a given second of the epoch."""

    start = 1_700_006_400.0
    """2023-11-15, 00:00 UTC."""

    def wall(self) -> float:
        """Epoch seconds."""
        return self.start + anyio.current_time()


@dataclass
class House:
    """A daemon's notices over a journal in a file."""

    path: Path
    channels: list[FakeChannel]
    rules: Rules = field(default_factory=lambda: Rules(reported_after=0.0))
    clock: StartClock = field(default_factory=StartClock)
    heard: Heard = field(default_factory=Heard)
    problems: dict[str, str] = field(default_factory=dict)
    lost: bool = False
    _journal: SqliteJournal | None = None

    @property
    def journal(self) -> SqliteJournal:
        """Opened on the loop's own time."""
        if self._journal is None:
            self._journal = SqliteJournal.open(self.path, self.clock)
        return self._journal

    def outbox(self) -> Outbox:
        """Of the journal that is open now."""
        if self.lost:
            raise JournalError("journal: database or disk is full")
        return self.journal.notices()

    def notices(self) -> Notices:
        """New ones, as after a start."""
        around = Around(self.outbox, self.clock, self.heard.hooks, self._problems, UTC)
        return Notices(Setup(self.channels, self.rules), around)

    def _problems(self) -> Mapping[str, str]:
        return self.problems

    def step(self, notices: Notices, world: World, *decisions: Decision) -> None:
        """Journal the decisions, and tell them, as the engine does."""
        for one in decisions:
            if not self.lost:
                self.journal.record(one)
        notices.told(Told(self.clock.now(), None, decisions, world, nothing_awaited, dry_run=False))

    def close(self) -> None:
        """Let go of the file."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """With two channels."""
    made = House(tmp_path / "journal.sqlite", [FakeChannel("webhook"), FakeChannel("command")])
    yield made
    made.close()


OPENED = IncidentOpened("run-i1", Layer.COLIMA, Reason.COLIMA_MISSING, "no VM")
RESOLVED = IncidentResolved("run-i1", 300.0)


def ill_world(*incidents: str) -> World:
    """A world in which the VM is missing, in these incidents."""
    finding = Finding(Reason.COLIMA_MISSING, "no VM")
    trouble = Trouble(finding, 0.0, 0.0, 0.0, 3)
    view = View(Observation(Layer.COLIMA, (finding,)), 0.0, {trouble.key: trouble})
    opened = tuple(Incident(one, 0.0, frozenset({Layer.COLIMA})) for one in incidents)
    return World(views={Layer.COLIMA: view}, states={Layer.COLIMA: State.FAILING}, incidents=opened)


ILL = ill_world("run-i1")
WELL = World()


async def live(notices: Notices, seconds: float) -> None:
    """Let the tasks run so long."""
    with anyio.move_on_after(seconds):
        await notices.run()


def test_a_notice_is_queued_first_and_reaches_every_channel(house: House) -> None:
    """One row, one delivery a channel."""

    async def night() -> None:
        notices = house.notices()
        house.step(notices, ILL, OPENED)
        await live(notices, 5.0)

    run_virtually(night)
    for channel in house.channels:
        assert ["run-i1.opened"] == channel.ids
    assert [] == house.journal.notices().pending()


def test_a_dead_channel_delays_neither_its_sibling_nor_the_engine(house: House) -> None:
    """One hangs, one fails for ever: `told` returns at once, and the rest goes out."""
    house.channels[0].hangs = True
    house.channels.append(FakeChannel("desktop", fails=10_000))

    async def night() -> None:
        notices = house.notices()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(notices.run)
            for number in range(10):
                before = anyio.current_time()
                house.step(notices, ill_world(f"run-i{number}"))
                assert before == anyio.current_time()
                await anyio.sleep(1.0)
            tasks.cancel_scope.cancel()

    run_virtually(night)
    assert 10 == len(house.channels[1].took)


def test_what_was_queued_and_not_delivered_is_delivered_after_a_restart(house: House) -> None:
    """A crash between the two loses nothing, and queues nothing twice."""

    async def first() -> None:
        house.channels[0].fails = 10_000
        notices = house.notices()
        house.step(notices, ILL, OPENED)
        await live(notices, 100.0)
        house.close()

    async def second() -> None:
        house.channels[0].fails = 0
        notices = house.notices()
        house.step(notices, ILL)
        await live(notices, 100.0)

    run_virtually(first)
    run_virtually(second)
    assert ["run-i1.opened"] == house.channels[0].ids
    assert ["run-i1.opened"] == house.channels[1].ids


def test_an_end_that_a_crash_swallowed_is_told_after_the_restart(house: House) -> None:
    """The journal has it, the notice had not been made."""

    async def first() -> None:
        notices = house.notices()
        house.step(notices, ILL, OPENED)
        await live(notices, 10.0)
        house.journal.record(RESOLVED)
        house.close()

    async def second() -> None:
        notices = house.notices()
        for _ in range(3):
            house.step(notices, WELL)
            await live(notices, 10.0)

    run_virtually(first)
    run_virtually(second)
    assert ["run-i1.opened", "run-i1.resolved"] == house.channels[0].ids


def test_a_lost_journal_keeps_nobody_from_hearing(house: House) -> None:
    """From memory, once; and it is written down when the journal is back."""

    async def night() -> None:
        house.lost = True
        notices = house.notices()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(notices.run)
            for _ in range(5):
                house.step(notices, ILL, OPENED)
                await anyio.sleep(10.0)
            assert ["run-i1.opened"] == house.channels[0].ids
            house.lost = False
            await anyio.sleep(31.0)
            house.step(notices, ILL)
            await anyio.sleep(31.0)
            tasks.cancel_scope.cancel()

    run_virtually(night)
    assert ["run-i1.opened"] == house.channels[0].ids
    table = house.journal.notices()
    assert ["run-i1.opened"] == [one.id for one in table.told()][:1]
    assert [] == table.pending()


def test_without_a_channel_nothing_counts_as_told(house: House) -> None:
    """Who adds one later hears of what is open."""
    channels, house.channels = house.channels, []

    async def night() -> None:
        notices = house.notices()
        house.step(notices, ILL, OPENED)
        await live(notices, 10.0)
        notices.adopt(Setup(channels, house.rules))
        house.step(notices, ILL)
        await live(notices, 10.0)

    run_virtually(night)
    assert ["run-i1.opened"] == channels[0].ids


def test_a_reload_keeps_what_waits(house: House) -> None:
    """Other settings are no reason to forget a page, not even the one on its way."""
    better = FakeChannel("webhook")

    async def night() -> None:
        house.channels[0].hangs = True
        notices = house.notices()
        house.step(notices, ill_world("run-i1", "run-i2"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(notices.run)
            await anyio.sleep(10.0)
            notices.adopt(Setup([better], house.rules))
            await anyio.sleep(10.0)
            tasks.cancel_scope.cancel()

    run_virtually(night)
    assert ["run-i1.opened", "run-i2.opened"] == better.ids


def test_the_digest_comes_once_a_day_at_its_hour_and_not_on_the_first_day(house: House) -> None:
    """With the incidents of the day; restarts do not repeat it."""

    async def days() -> None:
        notices = house.notices()
        for hour in range(3 * 24):
            if hour == 20:
                house.step(notices, ILL, OPENED)
            elif hour == 21:
                house.step(notices, WELL, RESOLVED)
            else:
                house.step(notices, WELL)
            if hour % 5 == 0:
                notices = house.notices()
            await live(notices, 3600.0)

    run_virtually(days)
    digests = [one for one in house.channels[0].took if "digest" in one[1]]
    assert [(33 * 3600.0, "digest-2023-11-16.digest")] == digests
    (told,) = (one for one in house.journal.notices().told() if one.incident.endswith("-16"))
    assert "the last day: 1 incident" == told.title
    assert "- colima missing: resolved after 5 min" in told.text


@pytest.mark.parametrize(("digest", "expected"), [("daily", 2), ("news", 0), ("off", 0)])
def test_a_day_without_news(house: House, digest: str, expected: int) -> None:
    """Is worth a digest only where that was asked for."""
    house.rules = replace(house.rules, digest=digest)

    async def days() -> None:
        notices = house.notices()
        for _ in range(3 * 24):
            house.step(notices, WELL)
            await live(notices, 3600.0)

    run_virtually(days)
    assert expected == len(house.channels[0].took)


def test_a_give_up_is_counted_in_the_digest(house: House) -> None:
    """With everything else that a human should know."""

    async def days() -> None:
        notices = house.notices()
        house.step(notices, WELL)
        await live(notices, 3600.0)
        house.journal.record(GaveUp(Layer.COLIMA, Reason.COLIMA_STOPPED, "spent", "look"))
        for _ in range(36):
            house.step(notices, WELL)
            await live(notices, 3600.0)

    run_virtually(days)
    (text,) = (one.text for one in house.journal.notices().told() if "16" in one.incident)
    assert "healer gave up:\n- 1x" in text


def test_each_channel_is_checked_at_the_start_and_daily(house: House) -> None:
    """A broken one is said before it is needed (facts/incidents.md, R14)."""
    house.channels[0].problem = "no such file"

    async def days() -> None:
        await live(house.notices(), 2.5 * DAY)

    run_virtually(days)
    assert [("notices by webhook", "no such file"), ("notices by command", "")] * 3 == (
        house.heard.said
    )


def test_a_notice_that_cannot_be_made_does_not_end_the_healing(house: House) -> None:
    """The engine calls `told` in its own loop."""

    async def night() -> None:
        notices = house.notices()
        house.problems = None  # type: ignore[assignment]
        house.step(notices, ILL, OPENED)
        await anyio.lowlevel.checkpoint()

    run_virtually(night)
    ((part, words),) = house.heard.said
    assert "notices" == part
    assert words.startswith("a notice could not be made: ")


def test_a_rehearsal_tells_nobody(house: House) -> None:
    """A dry run has no effect."""

    async def night() -> None:
        notices = house.notices()
        notices.told(Told(0.0, None, (OPENED,), ILL, nothing_awaited, dry_run=True))
        await live(notices, 60.0)

    run_virtually(night)
    assert [] == house.channels[0].tried


def test_two_doubles_of_one_name_are_one() -> None:
    """What names a notice is its incident and its kind."""
    first, second = a_notice(1), replace(a_notice(1), title="other words")

    assert first.id == second.id
    assert first.id != a_notice(1, kind=Kind.RESOLVED).id
    assert isinstance(first, Notice)
