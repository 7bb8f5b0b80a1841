"""The outbox in the journal: queued once for ever, delivered or known as not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import (
    GaveUp,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Outcome,
    Verified,
)
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.notice import Delivery, Ended, Kind, PastAct, PastIncident
from healer.ports import JournalError
from tests.fakes.channel import a_notice
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act, an_untaint

DAY = 86_400.0
BOTH = ("command", "webhook")


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


@pytest.fixture
def journal(tmp_path: Path, clock: MacClock) -> Iterator[SqliteJournal]:
    """In a file."""
    made = SqliteJournal.open(tmp_path / "state" / "journal.sqlite", clock)
    yield made
    made.close()


def test_a_notice_is_queued_once_for_ever(journal: SqliteJournal) -> None:
    """Incident and kind name it; other words do not make it another."""
    table = journal.notices()

    assert table.queue(a_notice(), BOTH)
    assert not table.queue(replace(a_notice(), title="again"), ("desktop",))
    assert table.queue(a_notice(kind=Kind.RESOLVED), BOTH)
    assert [a_notice(), a_notice(kind=Kind.RESOLVED)] == table.told()
    assert [(a_notice(), "command"), (a_notice(), "webhook")] == table.pending()[:2]


def test_each_channel_has_its_own_delivery(journal: SqliteJournal) -> None:
    """What one took the other still waits for."""
    table = journal.notices()
    table.queue(a_notice(), BOTH)
    table.failed(a_notice(), "webhook", "HTTP 500")
    table.delivered(a_notice(), "command", Delivery.SENT)
    assert [(a_notice(), "webhook")] == table.pending()

    table.dropped(a_notice(), "webhook", "too old")
    assert [] == table.pending()
    assert ("webhook: title 1",) == table.past(0.0).undelivered
    assert [a_notice()] == table.told()


def test_a_notice_for_nobody_is_told_and_not_pending(journal: SqliteJournal) -> None:
    """A day without news is noted so."""
    journal.notices().queue(a_notice(kind=Kind.DIGEST), ())

    assert [a_notice(kind=Kind.DIGEST)] == journal.notices().told()
    assert [] == journal.notices().pending()


def test_an_end_without_a_word_is_found(journal: SqliteJournal, clock: MacClock) -> None:
    """Only of what was told, only once, and not of days long past."""
    table = journal.notices()
    table.queue(a_notice(1), BOTH)
    table.queue(a_notice(1, kind=Kind.GAVE_UP), BOTH)
    table.queue(a_notice(2), BOTH)
    for number in (1, 3):
        journal.record(IncidentResolved(f"run-i{number}", 300.0))
    assert [("run-i1", 300.0)] == [(one.told.incident, one.seconds) for one in table.ended()]
    assert isinstance(table.ended()[0], Ended)

    clock.advance(2 * DAY)
    assert [] == table.ended()
    clock.advance(-2 * DAY)
    table.queue(a_notice(1, kind=Kind.RESOLVED), BOTH)
    assert [] == table.ended()


def test_the_past_tells_incidents_acts_and_give_ups(
    journal: SqliteJournal, clock: MacClock
) -> None:
    """Since a moment; acts that found nothing to do are none."""
    journal.record(IncidentOpened("old", Layer.NODE, Reason.NODE_TAINTED, "x"))
    clock.advance(DAY)
    since = clock.wall() - 1.0
    journal.record(IncidentOpened("run-i1", Layer.COLIMA, Reason.COLIMA_STOPPED, "x"))
    journal.record(IncidentOpened("run-i2", Layer.NODE, Reason.NODE_TAINTED, "x"))
    journal.record(IncidentResolved("run-i1", 42.0))
    journal.begin(an_act(1))
    journal.end(an_act(1), Outcome.DONE, "")
    journal.record(Verified(an_act(1), 5.0))
    journal.begin(an_act(2))
    journal.record(NotVerified(an_act(2), "still there"))
    journal.begin(an_untaint(3))
    journal.end(an_untaint(3), Outcome.NOT_NEEDED, "")
    journal.record(GaveUp(Layer.NODE, Reason.NODE_TAINTED, "spent", "look"))

    past, wall = journal.notices().past(since), clock.wall()
    assert (
        PastIncident("run-i1", "colima.stopped", wall, 42.0),
        PastIncident("run-i2", "node.tainted", wall, None),
    ) == past.incidents
    assert (
        PastAct("start_vm", "colima.stopped", "run-i1", wall, verified=True),
        PastAct("start_vm", "colima.stopped", "run-i1", wall, verified=False),
    ) == past.acts
    assert 1 == past.gave_up


def test_a_delivery_of_what_was_never_queued_changes_nothing(journal: SqliteJournal) -> None:
    """The journal was lost when it was made."""
    journal.notices().delivered(a_notice(), "webhook", Delivery.SENT)

    assert [] == journal.notices().told()


def test_old_notices_are_forgotten_with_the_rest(journal: SqliteJournal, clock: MacClock) -> None:
    """After 30 days, deliveries too."""
    journal.notices().queue(a_notice(), BOTH)
    clock.advance(31 * DAY)
    journal.prune()

    assert [] == journal.notices().told()
    assert [] == journal.notices().pending()


def test_a_notice_of_another_version_is_no_traceback(journal: SqliteJournal) -> None:
    """It is a journal that cannot be read."""
    journal.notices().queue(a_notice(), BOTH)
    journal._connection.execute("UPDATE notice SET body = json_set(body, '$.kind', 'fax')")

    with pytest.raises(JournalError, match="another version of healer"):
        journal.notices().told()


QUEUED_AND_KILLED = """
import sys
from pathlib import Path
from healer.adapters.journal import SqliteJournal
from tests.fakes.channel import a_notice
from tests.fakes.mac_clock import MacClock

table = SqliteJournal.open(Path(sys.argv[1]), MacClock()).notices()
for number in range(int(sys.argv[2])):
    table.queue(a_notice(number), ("webhook",))
print("queued", flush=True)
number = int(sys.argv[2])
while True:
    table.queue(a_notice(number), ("webhook",))
    table.delivered(a_notice(number), "webhook", Delivery.SENT)
    number += 1
"""


@pytest.mark.parametrize("waiting", [1, 3])
def test_sigkill_between_queued_and_delivered_loses_and_doubles_nothing(
    tmp_path: Path, waiting: int
) -> None:
    """Every notice is queued exactly once, and is pending until it was delivered."""
    path = tmp_path / "state" / "journal.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", QUEUED_AND_KILLED, str(path), str(waiting)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as child:
        assert child.stdout is not None
        assert b"queued\n" == child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    journal = SqliteJournal.open(path, MacClock())
    told, pending = journal.notices().told(), journal.notices().pending()
    journal.close()

    ids = [one.id for one, _ in pending]
    assert [f"run-i{number}.opened" for number in range(len(told))] == [one.id for one in told]
    assert [f"run-i{number}.opened" for number in range(waiting)] == ids[:waiting]
    assert ids[waiting:] in ([], [told[-1].id])
