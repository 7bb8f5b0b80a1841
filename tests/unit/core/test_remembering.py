"""What a run takes over from the runs before it, and what a lasting recovery forgets."""

from dataclasses import replace

import pytest

from healer.core.facts import (
    Act,
    GaveUp,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Outcome,
    Rearmed,
    Refused,
    Remembered,
    Verified,
)
from healer.core.ladders import LADDERS, LIMITS, Remedy
from healer.core.ledger import Attempt, Hold, Incident, Ledger
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.unit.core.night import Night, everything_dead, ill, well

STOPPED = ill(Reason.TALOS_STOPPED)
GIVEN_UP = Hold(Layer.TALOS, Reason.TALOS_STOPPED, None, "3 runs did not help")
START = Act("old-1", Remedy.START_CONTAINER, Layer.TALOS, Reason.TALOS_STOPPED, "exited (137)")


def failed(number: int, at: float) -> Attempt:
    """A start that did not help."""
    act = replace(START, id=f"old-{number}")
    return Attempt(act, at, Outcome.DONE, at + 1.0, verified=False)


def test_a_recovery_that_lasts_ends_a_give_up() -> None:
    """Design §2: whoever mended the layer, healer may act on it again after a stable window."""
    night = Night(ledger=Ledger(holds=(GIVEN_UP,))).run(590.0, every=10.0)
    assert [] == night.said(Rearmed)

    night.run(20.0, every=10.0)
    assert [Layer.TALOS] == [one.layer for one in night.said(Rearmed)]
    assert () == night.world.ledger.holds

    night.see(STOPPED).run(20.0)
    assert [Remedy.START_CONTAINER] == night.acts


def test_a_recovery_that_does_not_last_ends_nothing() -> None:
    """A layer that is well only now and then stays given up, and nothing is done."""
    night = Night(ledger=Ledger(holds=(GIVEN_UP,)))
    for _ in range(4):
        night.see(well(Layer.TALOS)).run(400.0, every=10.0)
        night.see(STOPPED).run(20.0)

    assert [] == night.said(Rearmed)
    assert [] == night.acts


def test_a_layer_that_cannot_be_seen_is_no_recovery() -> None:
    """I1: not knowing re-arms nothing."""
    night = Night(ledger=Ledger(holds=(GIVEN_UP,)))
    night.see(replace(well(Layer.TALOS), unknown="could not look")).run(1200.0, every=10.0)

    assert [] == night.said(Rearmed)


def test_a_rearmed_layer_has_its_whole_ladder_again() -> None:
    """Old failures neither spend the new ladder nor bring the next give-up nearer."""
    old = tuple(failed(number, 100.0 * number) for number in range(1, 4))
    night = Night(ledger=Ledger(attempts=old, holds=(GIVEN_UP,)), now=90_000.0)
    night.run(620.0, every=10.0).see(STOPPED).run(20.0)

    assert [Remedy.START_CONTAINER] == night.acts
    assert [] == night.said(GaveUp)


def test_budgets_outlast_a_rearm() -> None:
    """I4: what was done within the hour still counts."""
    old = tuple(failed(number, 1000.0 + number) for number in range(1, 20))
    night = Night(ledger=Ledger(attempts=old, holds=(GIVEN_UP,)), now=1100.0)
    night.run(620.0, every=10.0).see(STOPPED).run(20.0)

    assert [] == night.acts


def test_an_open_incident_is_the_same_incident_after_a_restart() -> None:
    """One root cause, one incident, one notice, whatever happens to healer meanwhile."""
    known = Incident("old-i1", 900.0, frozenset({Layer.TALOS}))
    night = Night(ledger=Ledger(incidents=(known,))).see(STOPPED).run(20.0)
    assert [] == night.said(IncidentOpened)

    night.finish().see(well(Layer.TALOS)).run(120.0)
    assert ["old-i1"] == [one.incident for one in night.said(IncidentResolved)]


def test_an_incident_that_ended_meanwhile_is_resolved_by_good_looks() -> None:
    """A tower that is well when healer comes back, and stays so, leaves nothing open."""
    known = Incident("old-i1", 900.0, frozenset({Layer.TALOS}))
    night = Night(ledger=Ledger(incidents=(known,)))
    assert [] == night.said(IncidentResolved)

    night.look()
    assert [] == night.said(IncidentResolved)
    night.run(6.0)
    assert ["old-i1"] == [one.incident for one in night.said(IncidentResolved)]


def test_an_act_that_ended_before_a_restart_is_still_proved() -> None:
    """I10, I14: the run that comes after sees whether it helped, and does not repeat it."""
    done = Attempt(START, 990.0, Outcome.DONE, 995.0)
    night = Night(ledger=Ledger(attempts=(done,))).run(30.0)

    assert [START] == [one.act for one in night.said(Verified)]
    assert [] == night.acts


def test_an_act_that_ended_before_a_restart_is_still_disproved() -> None:
    """The trouble that outlives its time counts as a failure of that act."""
    done = Attempt(START, 990.0, Outcome.DONE, 995.0)
    night = Night(ledger=Ledger(attempts=(done,))).see(STOPPED).run(80.0)

    assert [START] == [one.act for one in night.said(NotVerified)]


def test_an_act_of_long_ago_is_neither_proved_nor_disproved() -> None:
    """Nobody looked in time, so nobody can say."""
    done = Attempt(START, 990.0, Outcome.DONE, 995.0)
    night = Night(ledger=Ledger(attempts=(done,)), now=9000.0).run(30.0)

    assert [] == [*night.said(Verified), *night.said(NotVerified)]


def test_what_somebody_else_wrote_counts_at_once() -> None:
    """A hold that another process lifted in the journal is lifted here."""
    night = Night(ledger=Ledger(holds=(GIVEN_UP,))).see(STOPPED).run(20.0)
    assert ["gave_up"] == [one.rule for one in night.said(Refused)]

    night.tell(Remembered(Ledger()))
    night.run(10.0)
    assert [Remedy.START_CONTAINER] == night.acts


def answering(remedy: Remedy) -> Reason:
    """A reason whose ladder has this remedy."""
    return next(
        reason
        for reason, ladder in LADDERS.items()
        if any(rung.remedy is remedy for rung in ladder.rungs)
    )


@pytest.mark.parametrize("remedy", Remedy)
def test_no_act_that_a_kill_cut_off_is_repeated_while_it_may_yet_help(remedy: Remedy) -> None:
    """I10, for each act there is: the trouble is still seen, and the act's time is not over."""
    reason, target = answering(remedy), "joelclaw/a@1"
    act = Act("old-1", remedy, reason.layer, reason, "seen", target=target, owner="a")
    seen = replace(ill(reason, target=target, owner="a"), signs=tuple(everything_dead()), targets=9)
    night = Night(ledger=Ledger(attempts=(Attempt(act, 999.0),))).see(seen)
    night.run(LIMITS[remedy].settle - 2.0)

    assert remedy not in night.acts
    assert [] == night.said(NotVerified)
