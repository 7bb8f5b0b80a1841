"""Couriers and the dead man's ping, on virtual time."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import anyio
import pytest

from healer.adapters.journal import SqliteJournal
from healer.model.notice import Delivery
from healer.notices.dead_man import DeadMan
from healer.notices.delivering import Courier, Hooks
from healer.notices.keeping import Keeper
from healer.simulation.virtual_time import run_virtually
from tests.fakes.channel import FakeChannel, a_notice
from tests.fakes.clock import FakeClock
from tests.unit.engine.tower import LoopClock

DAY = 86_400.0


@dataclass
class Heard:
    """What the hooks were told."""

    outcomes: list[tuple[str, str]] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)

    @property
    def hooks(self) -> Hooks:
        """The longest waits, without chance."""

        def outcome(channel: str, how: str) -> None:
            self.outcomes.append((channel, how))

        def say(part: str, words: str) -> None:
            self.said.append((part, words))

        return Hooks(outcome, say, lambda: 1.0)


@pytest.fixture
def heard() -> Heard:
    """Nothing so far."""
    return Heard()


@pytest.fixture
def journal() -> Iterator[SqliteJournal]:
    """In memory."""
    made = SqliteJournal.in_memory(FakeClock())
    yield made
    made.close()


def deliver(
    channel: FakeChannel, journal: SqliteJournal, heard: Heard, *numbers: int, seconds: float
) -> None:
    """Queue so many notices, and let the channel's courier live so long."""
    keeper = Keeper(journal.notices)

    async def live() -> None:
        courier = Courier(channel, keeper, LoopClock(), heard.hooks)
        for number in numbers:
            keeper.queue(a_notice(number), [channel.name])
            courier.put(a_notice(number))
        with anyio.move_on_after(seconds):
            await courier.run()

    run_virtually(live)


def test_notices_are_delivered_in_order_and_marked(journal: SqliteJournal, heard: Heard) -> None:
    """Each once, and nothing stays pending."""
    channel = FakeChannel()
    deliver(channel, journal, heard, 1, 2, 3, seconds=60.0)

    assert ["run-i1.opened", "run-i2.opened", "run-i3.opened"] == channel.ids
    assert [("webhook", "sent")] * 3 == heard.outcomes
    assert [] == journal.notices().pending()


@pytest.mark.parametrize("how", [Delivery.HANDED_OVER, Delivery.UNREACHABLE])
def test_what_nobody_confirms_is_done_with_and_not_called_sent(
    how: Delivery, journal: SqliteJournal, heard: Heard
) -> None:
    """A screen that may have shown it, or is out of reach: once, no retry, no fault."""
    channel = FakeChannel("desktop", how=how)
    deliver(channel, journal, heard, 1, seconds=3600.0)

    assert (1, [("desktop", how.value)]) == (len(channel.tried), heard.outcomes)
    assert [] == journal.notices().pending()
    assert () == journal.notices().past(0.0).undelivered


def test_a_failure_is_tried_again_with_doubling_waits(journal: SqliteJournal, heard: Heard) -> None:
    """2, 4, 8 … 300 s with the longest draw; the last one sends it."""
    channel = FakeChannel(fails=9)
    deliver(channel, journal, heard, 1, seconds=3600.0)

    expected = [0.0, 2.0, 6.0, 14.0, 30.0, 62.0, 126.0, 254.0, 510.0, 810.0]
    assert expected == [when for when, _ in channel.tried]
    assert [("webhook", "failed")] * 9 + [("webhook", "sent")] == heard.outcomes
    assert ("delivery by webhook", "webhook: HTTP 500; it is tried again") == heard.said[0]
    assert ("delivery by webhook", "") == heard.said[-1]


def test_a_success_makes_the_waits_begin_anew(journal: SqliteJournal, heard: Heard) -> None:
    """An old failure says nothing of the channel now."""
    channel = FakeChannel(fails=3, poison=frozenset({"run-i2.opened"}))
    deliver(channel, journal, heard, 1, 2, seconds=31.0)

    assert ["run-i1.opened"] == channel.ids
    assert [0.0, 0.0, 4.0, 12.0, 28.0, 28.0, 30.0] == [when for when, _ in channel.tried]


def test_a_fresh_notice_is_tried_at_once_whatever_failed_before(
    journal: SqliteJournal, heard: Heard
) -> None:
    """A page does not wait for the next attempt at another one."""
    channel, keeper = FakeChannel(poison=frozenset({"run-i1.opened"})), Keeper(journal.notices)

    async def live() -> None:
        courier = Courier(channel, keeper, LoopClock(), heard.hooks)
        courier.put(a_notice(1))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(courier.run)
            await anyio.sleep(1000.0)
            courier.put(a_notice(2))
            await anyio.sleep(1.0)
            tasks.cancel_scope.cancel()

    run_virtually(live)
    assert [(1000.0, "run-i2.opened")] == channel.took


def test_one_notice_that_is_never_taken_keeps_no_other_back(
    journal: SqliteJournal, heard: Heard
) -> None:
    """A receiver that chokes on one of them still gets the rest."""
    channel = FakeChannel(poison=frozenset({"run-i1.opened"}))
    deliver(channel, journal, heard, 1, 2, 3, seconds=60.0)

    assert ["run-i2.opened", "run-i3.opened"] == channel.ids
    assert ["run-i1.opened"] == [one.id for one, _ in journal.notices().pending()]


def test_a_channel_that_hangs_is_cut_off(journal: SqliteJournal, heard: Heard) -> None:
    """Even one whose own deadline does not hold."""
    deliver(FakeChannel(hangs=True), journal, heard, 1, seconds=61.0)

    assert [("webhook", "failed")] == heard.outcomes
    assert "had not taken it within 60 s" in heard.said[0][1]


def test_a_channel_that_breaks_tells_no_secret(journal: SqliteJournal, heard: Heard) -> None:
    """A fault of its own is named by kind alone: its words may hold the address."""
    deliver(FakeChannel(broken=True), journal, heard, 1, seconds=1.0)

    expected = "webhook: broke with ZeroDivisionError; report this; it is tried again"
    assert [("delivery by webhook", expected)] == heard.said


def test_what_is_older_than_a_day_is_dropped_and_told_to_the_digest(
    journal: SqliteJournal, heard: Heard
) -> None:
    """Yesterday's page helps nobody; that it was lost is said."""
    deliver(FakeChannel(fails=10_000), journal, heard, 1, seconds=DAY + 400.0)

    assert ("webhook", "dropped") == heard.outcomes[-1]
    assert [] == journal.notices().pending()
    assert ("webhook: title 1",) == journal.notices().past(0.0).undelivered


def test_what_waits_for_a_dead_channel_is_bounded(journal: SqliteJournal, heard: Heard) -> None:
    """The oldest give way."""
    channel = FakeChannel(fails=1)
    deliver(channel, journal, heard, *range(100), seconds=60.0)

    assert [("webhook", "dropped")] * 36 == heard.outcomes[:36]
    assert 64 == len(channel.took)


def ping(line: FakeChannel, heard: Heard, stalled: list[str], seconds: float) -> None:
    """Let the dead man's ping live so long."""
    dead_man = DeadMan(line, 60.0, lambda: stalled[0], LoopClock(), heard.hooks)

    async def live() -> None:
        with anyio.move_on_after(seconds):
            await dead_man.run()

    run_virtually(live)


def test_the_ping_comes_each_interval(heard: Heard) -> None:
    """From the start on."""
    line = FakeChannel("dead_man")
    ping(line, heard, [""], 200.0)

    assert [0.0, 60.0, 120.0, 180.0] == [when for when, _ in line.took]
    assert [("dead_man", "sent")] * 4 == heard.outcomes


def test_a_lost_ping_is_soon_made_good(heard: Heard) -> None:
    """One lost packet should alarm nobody."""
    line = FakeChannel("dead_man", fails=2)
    ping(line, heard, [""], 100.0)

    assert [20.0, 80.0] == [when for when, _ in line.took]


def test_a_stalled_engine_does_not_ping(heard: Heard) -> None:
    """That is what the one outside waits for; it begins again when the engine lives."""
    line, stalled = FakeChannel("dead_man"), ["engine has been silent for 200 s"]
    ping(line, heard, stalled, 600.0)
    assert [] == line.tried

    stalled[0] = ""
    ping(line, heard, stalled, 1.0)
    assert 1 == len(line.took)


def test_a_hung_ping_is_cut_off(heard: Heard) -> None:
    """It counts as failed."""
    ping(FakeChannel("dead_man", hangs=True), heard, [""], 65.0)

    assert [("dead_man", "failed")] == heard.outcomes
