"""Limits across reboots and set clocks (design §10, "Time and limits"; incidents S17)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healer.adapters.journal import SqliteJournal
from healer.core.facts import Held, Outcome, Pause, VmBooted
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act

DAY = 86_400.0
Reopen = Callable[[], SqliteJournal]


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


@pytest.fixture
def reopen(clock: MacClock, tmp_path: Path) -> Reopen:
    """The journal of the next run; the earlier one has ended."""
    opened: list[SqliteJournal] = []

    def open_again() -> SqliteJournal:
        for one in opened:
            one.close()
        opened[:] = [SqliteJournal.open(tmp_path / "journal.sqlite", clock)]
        return opened[0]

    return open_again


def age(journal: SqliteJournal, clock: MacClock) -> float:
    """How long ago the only attempt was begun, as limits see it."""
    (attempt,) = journal.ledger().attempts
    return clock.now() - attempt.at


@pytest.mark.parametrize("jump", [-10 * 365 * DAY, -DAY, -1.0, 1.0, DAY, 10 * 365 * DAY])
def test_a_wall_clock_that_is_set_changes_nothing_within_a_boot(
    reopen: Reopen, clock: MacClock, jump: float
) -> None:
    """Neither in the same run nor in a later one; even pruning does not believe it."""
    journal = reopen()
    journal.begin(an_act())
    clock.set_wall(jump)
    clock.advance(100.0)

    assert 100.0 == age(journal, clock)
    assert 100.0 == age(reopen(), clock)


def test_a_reboot_counts_the_time_that_passed(reopen: Reopen, clock: MacClock) -> None:
    """Across boots the wall clock tells how long ago an act was."""
    reopen().begin(an_act())
    clock.reboot(after=300.0)

    assert 300.0 == age(reopen(), clock)


def test_a_clock_that_was_ahead_prolongs_no_wait(reopen: Reopen, clock: MacClock) -> None:
    """A stamp from tomorrow ends after its own length, and not tomorrow, in however many runs."""
    clock.set_wall(DAY)
    reopen().begin(an_act())
    clock.reboot(after=-DAY)

    assert 0.0 == age(reopen(), clock)
    clock.advance(900.0)
    assert 900.0 == age(reopen(), clock)
    clock.reboot(after=50.0)
    assert 950.0 == age(reopen(), clock)


def test_a_clock_that_was_behind_skips_no_limit(reopen: Reopen, clock: MacClock) -> None:
    """A stamp of 1970, written before the time of the network came, still counts after that."""
    clock.set_wall(-clock.wall())
    reopen().begin(an_act())
    clock.advance(10.0)
    clock.set_wall(1_700_000_000.0)
    journal = reopen()

    assert 10.0 == age(journal, clock)
    assert 0 == journal.prune()


def test_the_wall_clock_counts_from_the_last_moment_that_was_noted(
    reopen: Reopen, clock: MacClock
) -> None:
    """A clock that was mended before the reboot is believed after it."""
    clock.set_wall(DAY)
    journal = reopen()
    journal.begin(an_act())
    clock.advance(100.0)
    clock.set_wall(-DAY)
    journal.end(an_act(), Outcome.DONE, "")
    clock.reboot(after=50.0)

    assert 150.0 == age(reopen(), clock)


def test_a_hold_is_never_longer_than_itself(reopen: Reopen, clock: MacClock) -> None:
    """Its rest goes on after a reboot, whatever the wall clock says."""
    until = clock.now() + 1800.0
    reopen().record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, until, "spent"))
    clock.reboot(after=-10 * DAY)

    (hold,) = reopen().ledger().holds
    assert hold.until is not None
    assert 1800.0 == hold.until - clock.now()
    clock.advance(600.0)
    (hold,) = reopen().ledger().holds
    assert hold.until is not None
    assert 1200.0 == hold.until - clock.now()


def test_a_pause_goes_on_after_a_reboot(reopen: Reopen, clock: MacClock) -> None:
    """A human's hour is an hour, boots included."""
    reopen().pause(Pause(None, clock.now() + 3600.0, "joel", "x"))
    clock.reboot(after=600.0)

    (pause,) = reopen().ledger().pauses
    assert pause.until is not None
    assert 3000.0 == pause.until - clock.now()


def test_what_an_act_took_is_kept_across_boots(reopen: Reopen, clock: MacClock) -> None:
    """Its end lies as long after its beginning as it did."""
    journal = reopen()
    journal.begin(an_act())
    clock.advance(42.0)
    journal.end(an_act(), Outcome.DONE, "")
    clock.reboot(after=300.0)

    (attempt,) = reopen().ledger().attempts
    assert attempt.ended is not None
    assert 42.0 == attempt.ended - attempt.at


def test_boots_of_the_vm_move_too(reopen: Reopen, clock: MacClock) -> None:
    """A VM that booted before the Mac did, did so before this boot's clock began."""
    reopen().record(VmBooted(clock.now() - 20.0))
    clock.reboot(after=60.0, since_boot=30.0)

    assert (clock.now() - 80.0,) == reopen().ledger().vm_boots


def test_a_stamp_from_the_future_counts_as_now(reopen: Reopen, clock: MacClock) -> None:
    """Even a boot clock that went back within a boot can only delay, by no more than the wait."""
    reopen().begin(an_act())
    clock.advance(-500.0)

    assert 0.0 == age(reopen(), clock)


def test_reading_alone_knows_the_time_of_a_new_boot(
    reopen: Reopen, clock: MacClock, tmp_path: Path
) -> None:
    """A dry run, the first after a reboot, sees the same ages, and leaves no mark."""
    reopen().begin(an_act())
    clock.reboot(after=300.0)
    reader = SqliteJournal.for_reading(tmp_path / "journal.sqlite", clock)

    assert reader is not None
    assert 300.0 == age(reader, clock)
    reader.close()
    clock.advance(5.0)
    assert 305.0 == age(reopen(), clock)


def test_two_processes_of_a_boot_agree_on_the_time(clock: MacClock, tmp_path: Path) -> None:
    """A pause typed beside a running healer is seen by it, with the same end."""
    first = SqliteJournal.open(tmp_path / "journal.sqlite", clock)
    clock.reboot(after=-DAY)
    running = SqliteJournal.open(tmp_path / "journal.sqlite", clock)
    clock.set_wall(3 * DAY)
    beside = SqliteJournal.open(tmp_path / "journal.sqlite", clock)
    pause = Pause(None, clock.now() + 60.0, "joel", "x")
    beside.pause(pause)

    assert (pause,) == running.ledger().pauses
    for one in (first, running, beside):
        one.close()


Moves = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.floats(0.0, 5000.0)),
        st.tuples(st.just("set"), st.floats(-1e6, 1e6)),
        st.tuples(st.just("reboot"), st.floats(-1e6, 1e6)),
    ),
    max_size=12,
)


@given(Moves)
def test_no_move_of_any_clock_makes_an_act_younger(moves: list[tuple[str, float]]) -> None:
    """Each second of a boot ages it by a second, and no reboot takes noted age away (I4)."""
    clock = MacClock()
    journal = SqliteJournal.in_memory(clock)
    journal.begin(an_act())
    noted, since = 0.0, 0.0
    for move, amount in moves:
        if move == "advance":
            clock.advance(amount)
            since += amount
        elif move == "set":
            clock.set_wall(amount)
        else:
            clock.reboot(after=amount)
            journal = _next_run(journal, clock)
            before, noted, since = noted, _age_of_all(journal, clock), 0.0
            assert noted >= before - 1e-3
        assert pytest.approx(noted + since, abs=1e-3) == _age_of_all(journal, clock)
    journal.close()


def _next_run(journal: SqliteJournal, clock: MacClock) -> SqliteJournal:
    """Another process over the same rows."""
    return SqliteJournal(Path(":memory:"), clock, journal._connection, writable=True)


def _age_of_all(journal: SqliteJournal, clock: MacClock) -> float:
    """Also of an act that is too old for the ledger."""
    (attempt,) = journal.attempts()
    return clock.now() - attempt.at
