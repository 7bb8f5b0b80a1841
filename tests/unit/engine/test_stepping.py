"""The stepper: which looks count, what is journalled, what an earlier run left behind."""

from dataclasses import replace

import anyio
import pytest

from healer.core.facts import Act, Fact, Finished, Held, Observed, Outcome
from healer.core.ladders import LIMITS, Remedy
from healer.core.ledger import Attempt, Ledger
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.parts import Parts
from healer.engine.performing import MARGIN
from healer.engine.stepping import Stepper
from healer.ports import CannotLook, JournalError, PortError
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import POLICY, Ears, LoopClock, Scribe, act_of

START = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)
SEEN = Observed(Observation(Layer.TALOS, findings=(Finding(Reason.TALOS_STOPPED, "exited"),)))
WHILE_STARTING = replace(START, remedy=Remedy.START_VM, layer=Layer.COLIMA)


def parts_of(journal: Scribe | None = None, **others: object) -> Parts:
    """An engine without probes and remedies."""
    made: dict[str, object] = {
        "probes": (),
        "remedies": {},
        "journal": journal or Scribe(),
        "clock": LoopClock(),
        "listener": Ears(),
    }
    return Parts(**{**made, **others})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("began", "counts"), [(9.9, False), (10.0, True), (10.1, True)], ids=["before", "at", "after"]
)
@pytest.mark.parametrize("act", [START, WHILE_STARTING], ids=["same layer", "a layer below"])
def test_a_look_counts_only_if_it_began_after_the_last_act_ended(
    act: Act, began: float, *, counts: bool
) -> None:
    """A look that began earlier saw the tower as it was before the act, here and above it."""

    async def stepped() -> object:
        stepper = Stepper(parts_of(), POLICY)
        await stepper.begin()
        await anyio.sleep(10.0)
        stepper.take(Finished(act, Outcome.DONE, "done"), 0.0)
        await anyio.sleep(1.0)
        return stepper.take(SEEN, began)

    assert counts == (run_virtually(stepped) is not None)


def test_an_act_voids_no_look_at_a_layer_below_it() -> None:
    """What was done to the container changed nothing about the VM under it."""

    async def stepped() -> object:
        stepper = Stepper(parts_of(), POLICY)
        await stepper.begin()
        await anyio.sleep(10.0)
        stepper.take(Finished(START, Outcome.DONE, "done"), 0.0)
        return stepper.take(Observed(Observation(Layer.COLIMA)), 9.0)

    assert run_virtually(stepped) is not None


@pytest.mark.parametrize("layer", [Layer.TALOS, Layer.NODE])
def test_every_hold_is_journalled(layer: Layer) -> None:
    """A hold that only this process knew of would end with it."""
    journal = Scribe()
    stepper = Stepper(parts_of(journal), POLICY)

    stepper._carry_out(Held(layer, Reason.TALOS_STOPPED, 1800.0, "the ladder is spent"))

    assert ["record Held"] == journal.calls


@pytest.mark.parametrize(
    ("child", "error", "goes_on"),
    [
        (4242, CannotLook("processes", "not readable"), True),
        (None, CannotLook("processes", "not readable"), False),
    ],
    ids=["with a child", "without a child"],
)
def test_an_unfinished_act_that_cannot_be_looked_for_goes_on(
    child: int | None, error: PortError, *, goes_on: bool
) -> None:
    """A `colima start` of an earlier run may be alive: nothing is begun beside it."""
    attempt = Attempt(START, 0.0, child_pid=child)

    async def cannot_look(one: Attempt) -> bool:
        del one
        raise error

    async def begun() -> tuple[Act, ...]:
        journal = Scribe(kept=Ledger(attempts=(attempt,)))
        stepper = Stepper(parts_of(journal, still_running=cannot_look), POLICY)
        await anyio.sleep(1.0)
        await stepper.begin()
        return stepper.world.acting

    assert goes_on == (START in run_virtually(begun))


@pytest.mark.parametrize(("after", "goes_on"), [(-0.1, True), (0.0, False)])
def test_no_act_goes_on_past_its_bound(after: float, *, goes_on: bool) -> None:
    """What still runs then is somebody's operation, and is nobody's act any more."""
    attempt = Attempt(START, 0.0, child_pid=4242)

    async def lives(one: Attempt) -> bool:
        del one
        return True

    async def begun() -> tuple[Act, ...]:
        journal = Scribe(kept=Ledger(attempts=(attempt,)))
        stepper = Stepper(parts_of(journal, still_running=lives), POLICY)
        await anyio.sleep(LIMITS[START.remedy].cap + MARGIN + after)
        await stepper.begin()
        return stepper.world.acting

    assert goes_on == (START in run_virtually(begun))


def test_acts_are_allowed_again_without_a_word_of_the_fault() -> None:
    """The report of a journal that works again names no error."""
    stepper = Stepper(parts_of(), POLICY)

    stepper.forbid_acts(JournalError("journal: disk full; free space"))
    stepper.allow_acts()

    assert ("", "") == (stepper.journal_error, stepper.policy.no_acts_because)


def test_an_act_of_an_earlier_run_is_waited_for_until_its_bound() -> None:
    """Whoever could not be looked for is given up on when no act may run any more."""
    attempt = Attempt(START, 0.0, child_pid=4242)

    async def cannot_look(one: Attempt) -> bool:
        del one
        raise CannotLook("processes", "not readable")

    async def waited() -> tuple[Fact, float]:
        journal = Scribe(kept=Ledger(attempts=(attempt,)))
        stepper = Stepper(parts_of(journal, still_running=cannot_look), POLICY)
        send, receive = anyio.create_memory_object_stream[tuple[Fact, float]](1)
        await stepper.begin()
        async with anyio.create_task_group() as tasks, send, receive:
            stepper.start(tasks, send)
            fact, _ = await receive.receive()
        return fact, anyio.current_time()

    fact, at = run_virtually(waited)

    assert isinstance(fact, Finished)
    assert (Outcome.INTERRUPTED, "it went on after healer had ended") == (
        fact.outcome,
        fact.detail,
    )
    bound = LIMITS[START.remedy].cap + MARGIN
    assert bound <= at <= bound + 1.0
