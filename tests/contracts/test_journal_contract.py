"""What every journal promises, on a file and in memory alike."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import (
    Act,
    Changed,
    Decision,
    GaveUp,
    Held,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Outcome,
    Pause,
    Rearmed,
    Refused,
    Reported,
    Rule,
    State,
    Verified,
    VmBooted,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt, Hold, Incident, Ledger
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.ports import Journal, JournalError
from tests.fakes.mac_clock import MacClock
from tests.unit.adapters.journal_acts import an_act, an_untaint

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def clock() -> MacClock:
    """A clock that is moved by hand."""
    return MacClock()


@pytest.fixture(params=["file", "memory"])
def journal(
    request: pytest.FixtureRequest, clock: MacClock, tmp_path: Path
) -> Iterator[SqliteJournal]:
    """A new journal."""
    made = (
        SqliteJournal.open(tmp_path / "state" / "journal.sqlite", clock)
        if request.param == "file"
        else SqliteJournal.in_memory(clock)
    )
    yield made
    made.close()


def kinds(journal: SqliteJournal) -> list[str]:
    """What the journal remembers, by kind."""
    return [one.kind for one in journal.history(0.0)]


def test_a_new_journal_knows_nothing(journal: Journal) -> None:
    """Nothing was done yet, so no limit applies."""
    assert Ledger() == journal.ledger()


def test_an_intent_is_in_the_ledger_before_its_result(journal: Journal, clock: MacClock) -> None:
    """What is begun and not ended is found as unfinished, at the time of its intent (I10)."""
    journal.begin(an_act())
    clock.advance(5.0)

    assert (Attempt(an_act(), 1000.0),) == journal.ledger().unfinished()


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_result_ends_the_attempt(journal: Journal, clock: MacClock, outcome: Outcome) -> None:
    """Outcome, detail and the time of the end are kept."""
    journal.begin(an_act())
    clock.advance(42.0)
    journal.end(an_act(), outcome, "as it was said")

    expected = Attempt(an_act(), 1000.0, outcome, 1042.0, "as it was said")
    assert (expected,) == journal.ledger().attempts


def test_attempts_stand_in_the_order_of_their_intents(journal: Journal) -> None:
    """The oldest stands first, whichever ended first."""
    journal.begin(an_act(1))
    journal.begin(an_untaint(2))
    journal.end(an_untaint(2), Outcome.DONE, "")

    assert ["run-1", "run-u2"] == [one.act.id for one in journal.ledger().attempts]


def test_an_act_is_begun_only_once(journal: Journal) -> None:
    """A second intent of the same id is refused, and the first one stays as it was."""
    journal.begin(an_act())

    with pytest.raises(JournalError):
        journal.begin(an_act())

    assert 1 == len(journal.ledger().attempts)


def test_an_act_that_was_never_begun_cannot_end(journal: Journal) -> None:
    """A result without an intent would be an act that nobody could account for."""
    with pytest.raises(JournalError, match="never begun"):
        journal.end(an_act(), Outcome.DONE, "")
    with pytest.raises(JournalError, match="never begun"):
        journal.spawned(an_act(), 7, 1.0)


def test_the_child_of_an_act_is_remembered(journal: Journal) -> None:
    """A start that outlives its healer is known by pid and start time."""
    journal.begin(an_act())
    journal.spawned(an_act(), 4711, 1_700_000_001.5)

    (attempt,) = journal.ledger().attempts
    assert (4711, 1_700_000_001.5) == (attempt.child_pid, attempt.child_started)


@pytest.mark.parametrize("helped", [True, False])
def test_a_verdict_is_kept_with_the_attempt(journal: Journal, *, helped: bool) -> None:
    """Whether recovery followed decides on the next rung, across runs too."""
    journal.begin(an_act())
    journal.end(an_act(), Outcome.DONE, "")
    journal.record(Verified(an_act(), 1.0) if helped else NotVerified(an_act(), "still there"))

    (attempt,) = journal.ledger().attempts
    assert helped is attempt.verified


def test_a_verdict_ends_what_a_crash_left_open(journal: Journal) -> None:
    """After a crash the looks decide; the attempt is interrupted, not unfinished for ever."""
    journal.begin(an_act())
    journal.record(NotVerified(an_act(), "still there"))

    (attempt,) = journal.ledger().attempts
    assert (Outcome.INTERRUPTED, False) == (attempt.outcome, attempt.verified)


def test_a_hold_ends_at_its_time(journal: Journal, clock: MacClock) -> None:
    """A hold keeps its end, and an ended one stays known: a ladder begins anew there."""
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 1000.0 + 1800.0, "spent"))
    clock.advance(4000.0)

    expected = Hold(Layer.COLIMA, Reason.COLIMA_STOPPED, 2800.0, "spent")
    assert (expected,) == journal.ledger().holds


def test_a_hold_that_ended_long_ago_is_forgotten(journal: Journal, clock: MacClock) -> None:
    """What no limit can need any more is not read again."""
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 1000.0 + 1800.0, "spent"))
    clock.advance(9 * DAY)

    assert () == journal.ledger().holds


def test_giving_up_lasts_until_a_reset(journal: Journal, clock: MacClock) -> None:
    """A human is needed, however long it takes."""
    journal.record(GaveUp(Layer.NODE, Reason.NODE_TAINTED, "spent thrice", "do this"))
    clock.advance(60 * DAY)

    expected = Hold(Layer.NODE, Reason.NODE_TAINTED, None, "spent thrice")
    assert (expected,) == journal.ledger().holds
    assert 1 == journal.reset(Layer.NODE)
    assert () == journal.ledger().holds


def test_the_boots_of_the_vm_are_known(journal: Journal, clock: MacClock) -> None:
    """The crash-loop detector sees boots of earlier runs, oldest first."""
    clock.advance(100.0)
    journal.record(VmBooted(1090.0))
    journal.record(VmBooted(1010.0))

    assert (1010.0, 1090.0) == journal.ledger().vm_boots


def test_only_a_week_of_attempts_is_read(journal: SqliteJournal, clock: MacClock) -> None:
    """Limits look back a day, the judgement of a remedy a week; all is still remembered."""
    journal.begin(an_act(1))
    clock.advance(8 * DAY - 1)
    journal.begin(an_act(2))
    clock.advance(1)

    assert ["run-2"] == [one.act.id for one in journal.ledger().attempts]
    assert ["run-1", "run-2"] == [one.act.id for one in journal.attempts()]


@pytest.mark.parametrize("scope", [None, Layer.NODE])
def test_a_pause_is_kept_as_it_was_said(
    journal: Journal, clock: MacClock, scope: Layer | None
) -> None:
    """Scope, end, author and reason come back."""
    pause = Pause(scope, clock.now() + HOUR, "joel", "moving the Mac")
    journal.pause(pause)

    assert (pause,) == journal.ledger().pauses


def test_a_pause_ends_by_itself(journal: Journal, clock: MacClock) -> None:
    """Nobody needs to remember to resume."""
    journal.pause(Pause(None, clock.now() + HOUR, "joel", "x"))
    clock.advance(HOUR)

    assert () == journal.ledger().pauses


def test_a_pause_without_an_end_waits_for_resume(journal: Journal, clock: MacClock) -> None:
    """Until `resume` means until `resume`."""
    pause = Pause(None, None, "joel", "x")
    journal.pause(pause)
    clock.advance(60 * DAY)

    assert (pause,) == journal.ledger().pauses
    assert 1 == journal.resume(None)
    assert () == journal.ledger().pauses


def test_resume_ends_the_pauses_of_its_scope_only(journal: Journal) -> None:
    """A layer's resume leaves the others; without a scope all end; what ended is not counted."""
    for scope in (None, Layer.NODE, Layer.NODE, Layer.PODS):
        journal.pause(Pause(scope, None, "joel", "x"))

    assert 2 == journal.resume(Layer.NODE)
    assert [None, Layer.PODS] == [one.scope for one in journal.ledger().pauses]
    assert 2 == journal.resume(None)
    assert 0 == journal.resume(None)


def test_reset_forgets_what_held_one_layer_back(journal: SqliteJournal) -> None:
    """Attempts and holds of that layer count no more; others do, and nothing is deleted."""
    for act in (an_act(), an_untaint()):
        journal.begin(act)
        journal.end(act, Outcome.FAILED, "")
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 9000.0, "spent"))
    journal.record(Held(Layer.NODE, Reason.NODE_TAINTED, 9000.0, "spent"))

    assert 1 == journal.reset(Layer.COLIMA)

    ledger = journal.ledger()
    assert ["run-u1"] == [one.act.id for one in ledger.attempts]
    assert [Layer.NODE] == [one.layer for one in ledger.holds]
    assert ["run-1", "run-u1"] == [one.act.id for one in journal.attempts()]


def test_reset_without_a_layer_forgets_all(journal: Journal) -> None:
    """Every layer may be tried again; ended holds are not counted as ended by it."""
    journal.begin(an_act())
    journal.end(an_act(), Outcome.FAILED, "")
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 500.0, "ended already"))
    journal.record(GaveUp(Layer.NODE, Reason.NODE_TAINTED, "spent", "do this"))

    assert 1 == journal.reset(None)
    assert Ledger() == journal.ledger()


def test_what_follows_a_reset_counts(journal: Journal) -> None:
    """A reset is a mark in time, not a switch."""
    journal.reset(None)
    journal.begin(an_act())
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 9000.0, "spent"))

    assert (1, 1) == (len(journal.ledger().attempts), len(journal.ledger().holds))


def test_reset_does_not_hide_an_act_under_way(journal: Journal) -> None:
    """What is unfinished must still be found after a crash, or it would be done twice (I10)."""
    journal.begin(an_act())
    journal.reset(Layer.COLIMA)

    assert 1 == len(journal.ledger().unfinished())


DECISIONS: list[Decision] = [
    Refused(Layer.PODS, Remedy.DELETE_POD, Reason.POD_UNKNOWN, "a/b@c", Rule.COOLDOWN, "wait", 7.0),
    Changed(Layer.NODE, State.OK, State.SUSPECT, "taint"),
    IncidentOpened("run-i1", Layer.NODE, Reason.NODE_TAINTED, "the taint"),
    IncidentResolved("run-i1", 12.5),
    Verified(an_act(), 90.0),
    NotVerified(an_act(), "still there"),
    Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 9000.0, "spent"),
    GaveUp(Layer.NODE, Reason.NODE_TAINTED, "spent", "do this"),
    Reported(Layer.PODS, Reason.POD_PENDING, "a/b", "no room", "kubectl describe"),
    VmBooted(900.0),
]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda one: type(one).__name__)
def test_every_decision_is_remembered(journal: SqliteJournal, decision: Decision) -> None:
    """Kind, layer and all fields can be read again, for `explain` and for replay."""
    journal.record(decision)

    (line,) = journal.history(0.0)
    assert type(decision).__name__ == line.kind
    assert set(type(decision).__dataclass_fields__) == set(json.loads(line.body))
    act = getattr(decision, "act", None)
    assert line.layer == (act.layer if isinstance(act, Act) else getattr(decision, "layer", ""))


def test_an_act_is_remembered_with_what_became_of_it(journal: SqliteJournal) -> None:
    """An intent is one line of the past, not two, and it carries its own result."""
    journal.record(an_act())
    journal.begin(an_act())
    journal.end(an_act(), Outcome.DONE, "started")
    journal.record(Verified(an_act(), 90.0))

    act, _ = journal.history(0.0)
    body = json.loads(act.body)
    assert ("Act", "colima", 1_700_000_000.0) == (act.kind, act.layer, act.wall)
    assert ("start_vm", "colima.stopped", "done", "started", 1) == tuple(
        body[key] for key in ("remedy", "reason", "outcome", "detail", "verified")
    )


def test_a_humans_words_are_remembered(journal: SqliteJournal) -> None:
    """Who paused, and why, can be read later."""
    journal.pause(Pause(Layer.NODE, None, "joel", "an upgrade"))
    journal.resume(None)
    journal.reset(Layer.PODS)

    assert ["Paused", "Resumed", "WasReset"] == kinds(journal)
    paused = journal.history(0.0)[0]
    assert ("node", "joel") == (paused.layer, json.loads(paused.body)["author"])


def test_history_begins_where_it_is_asked_to(journal: SqliteJournal, clock: MacClock) -> None:
    """Only what is not older than the given time is told, in the order in which it happened."""
    journal.record(VmBooted(1.0))
    clock.advance(HOUR)
    journal.begin(an_act())
    journal.record(IncidentResolved("i", 1.0))

    assert ["Act", "IncidentResolved"] == [one.kind for one in journal.history(clock.wall())]


def test_old_rows_are_forgotten_little_by_little(journal: SqliteJournal, clock: MacClock) -> None:
    """After 30 days a row may go; what still holds stays, however old it is."""
    for number in range(600):
        journal.record(VmBooted(float(number)))
    journal.begin(an_act())
    journal.pause(Pause(None, None, "joel", "until resume"))
    journal.record(GaveUp(Layer.NODE, Reason.NODE_TAINTED, "spent", "do this"))
    clock.advance(30 * DAY + 1)

    assert 1001 == journal.prune()
    assert 202 == journal.prune()
    assert 0 == journal.prune()
    assert [] == list(journal.attempts())
    assert 1 == len(journal.ledger().pauses)
    assert 1 == len(journal.ledger().holds)


def test_a_pruned_journal_does_not_mistake_new_acts_for_old(
    journal: SqliteJournal, clock: MacClock
) -> None:
    """After all rows are gone, an old reset hides no new attempt and no new hold."""
    journal.begin(an_act(1))
    journal.end(an_act(1), Outcome.DONE, "")
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, 1060.0, "spent"))
    journal.reset(None)
    clock.advance(31 * DAY)
    journal.prune()
    journal.begin(an_act(2))
    journal.end(an_act(2), Outcome.DONE, "")
    journal.record(Held(Layer.COLIMA, Reason.COLIMA_STOPPED, clock.now() + 60.0, "spent"))

    assert (1, 1) == (len(journal.ledger().attempts), len(journal.ledger().holds))


def test_megabytes_of_evidence_are_cut(journal: SqliteJournal) -> None:
    """A talkative target must not fill the disk that healer watches over."""
    journal.begin(an_act(evidence="x" * 1_000_000))
    journal.record(IncidentOpened("i", Layer.NODE, Reason.NODE_TAINTED, "y" * 1_000_000))

    (attempt,) = journal.ledger().attempts
    assert attempt.act.evidence.endswith("x… (996000 characters more)")
    assert all(len(one.body) < 10_000 for one in journal.history(0.0))


def test_text_that_is_no_unicode_is_kept_readable(journal: SqliteJournal) -> None:
    """Bytes that a broken tool printed are no reason to lose the record of an act."""
    journal.begin(an_act(evidence="a\udcff\0b"))

    (attempt,) = journal.ledger().attempts
    assert "a\\udcff\0b" == attempt.act.evidence


def test_a_recovery_ends_holds_and_nothing_else(journal: Journal, clock: MacClock) -> None:
    """A re-armed layer has no hold left; its runs go on to count."""
    journal.begin(an_act())
    journal.end(an_act(), Outcome.DONE, "")
    journal.record(GaveUp(an_act().layer, Reason.COLIMA_STOPPED, "spent", "look"))
    clock.advance(700.0)
    journal.record(Rearmed(an_act().layer, "it has been well for 600 s"))

    ledger = journal.ledger()
    assert () == ledger.holds
    assert 1 == len(ledger.attempts)
    assert clock.now() == ledger.rearmed_at(an_act().layer)


def test_an_incident_stays_open_until_it_is_resolved(journal: Journal, clock: MacClock) -> None:
    """The next run knows what the last one told, and only that."""
    opened_at = clock.now()
    for name in ("a-i1", "a-i2"):
        journal.record(IncidentOpened(name, Layer.COLIMA, Reason.COLIMA_STOPPED, "stopped"))
    journal.record(IncidentResolved("a-i1", 3.0))
    clock.advance(60.0)

    expected = Incident("a-i2", opened_at, frozenset({Layer.COLIMA}))
    assert (expected,) == journal.ledger().incidents
