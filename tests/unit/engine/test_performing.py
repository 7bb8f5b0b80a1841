"""One act from intent to result: nothing without its intent, and every end is a fact (I10)."""

from collections.abc import Awaitable, Callable

import anyio
import pytest

from healer.core.facts import Act, Finished, Outcome
from healer.core.ladders import LIMITS, Remedy
from healer.core.reasons import Reason
from healer.engine.performing import MARGIN, Performer
from healer.ports import ActFailed, CannotLook, JournalError, NotThere, PortError, TargetSilent
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import Cure, Scribe, act_of

ACT = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)


async def done() -> str:
    """An act that works."""
    await anyio.lowlevel.checkpoint()
    return "done it"


async def hang() -> str:
    """An act that never ends."""
    await anyio.sleep_forever()
    return "never"


def raising(error: Exception) -> Callable[[], Awaitable[str]]:
    """An act that ends in an error."""

    async def act() -> str:
        await anyio.lowlevel.checkpoint()
        raise error

    return act


def perform(
    cure: Cure,
    journal: Scribe,
    lost: list[JournalError] | None = None,
    *,
    too_late: bool = False,
) -> Finished:
    """Perform the act on virtual time; the journal's and the remedy's calls share a log."""
    cure.log = journal.calls
    told = [] if lost is None else lost
    performer = Performer({cure.remedy: cure}, LIMITS, journal, told.append, lambda: too_late)
    return run_virtually(lambda: performer.perform(ACT))


def test_the_intent_is_written_before_the_act_and_its_end_after() -> None:
    """I10: begin, a last look, the act, end; in this order and each once."""
    journal = Scribe()

    finished = perform(Cure(ACT.remedy, done), journal)

    assert Finished(ACT, Outcome.DONE, "done it") == finished
    assert [
        "begin start_container",
        "needed start_container",
        "act start_container",
        "end start_container done",
    ] == journal.calls


def test_what_is_not_needed_any_more_is_not_done() -> None:
    """The last look decides, and its words are kept."""
    journal = Scribe()

    finished = perform(Cure(ACT.remedy, done, why_not="it runs"), journal)

    assert Finished(ACT, Outcome.NOT_NEEDED, "it runs") == finished
    assert "act start_container" not in journal.calls


def test_an_end_that_comes_during_the_last_look_stops_the_act() -> None:
    """The look takes seconds; an act that began after a SIGTERM would outlive healer."""
    journal = Scribe()

    finished = perform(Cure(ACT.remedy, done), journal, too_late=True)

    assert Finished(ACT, Outcome.NOT_NEEDED, "not done: no act may begin any more") == finished
    assert "needed start_container" in journal.calls
    assert "act start_container" not in journal.calls


@pytest.mark.parametrize(
    "error", [TargetSilent("docker", "no answer in 5 s"), CannotLook("colima list", "garbage")]
)
def test_a_last_look_without_an_answer_is_no_permission(error: PortError) -> None:
    """Whether it is needed is not known, so nothing is done (I1)."""

    class Blind(Cure):
        async def needed(self, act: Act) -> str:
            await super().needed(act)
            raise error

    journal = Scribe()

    finished = perform(Blind(ACT.remedy, done), journal)

    assert Finished(ACT, Outcome.FAILED, str(error)) == finished
    assert "act start_container" not in journal.calls


@pytest.mark.parametrize(
    ("error", "outcome", "detail"),
    [
        (ActFailed("docker start", "no"), Outcome.FAILED, "docker start: no"),
        (CannotLook("process table", "not there"), Outcome.FAILED, "process table: not there"),
        (NotThere("pod", "404"), Outcome.DONE, "already gone: pod: 404"),
        (KeyError("spec"), Outcome.FAILED, "KeyError: 'spec'"),
        (TimeoutError("its own"), Outcome.FAILED, "TimeoutError: its own"),
    ],
)
def test_every_error_of_a_remedy_ends_as_a_fact(
    error: Exception, outcome: Outcome, detail: str
) -> None:
    """A port's error, an object that is gone, and a remedy's own bug."""
    journal = Scribe()

    finished = perform(Cure(ACT.remedy, raising(error)), journal)

    assert Finished(ACT, outcome, detail) == finished
    assert f"end start_container {outcome}" == journal.calls[-1]


def test_an_act_that_hangs_is_ended_from_outside() -> None:
    """No adapter may hang the engine: past the remedy's own cap it is cut off."""
    finished = perform(Cure(ACT.remedy, hang), Scribe())

    cap = LIMITS[ACT.remedy].cap + MARGIN
    assert Finished(ACT, Outcome.TIMED_OUT, f"not done after {cap:.0f} s") == finished


def test_without_a_written_intent_nothing_is_done() -> None:
    """Design §6: what cannot be accounted for is not done, and who performs is told."""
    journal, lost = Scribe(refuses=frozenset({"begin"})), list[JournalError]()

    finished = perform(Cure(ACT.remedy, done), journal, lost)

    assert Outcome.NOT_NEEDED is finished.outcome
    assert "not done: journal: disk full; free space" == finished.detail
    assert ["begin start_container"] == journal.calls
    assert ["journal: disk full; free space"] == [str(one) for one in lost]


def test_an_act_whose_end_cannot_be_written_was_still_done() -> None:
    """What happened is told as it happened; the lost journal is a fact of its own."""
    journal, lost = Scribe(refuses=frozenset({"end"})), list[JournalError]()

    finished = perform(Cure(ACT.remedy, done), journal, lost)

    assert Finished(ACT, Outcome.DONE, "done it") == finished
    assert 1 == len(lost)
