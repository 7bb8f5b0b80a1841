"""What a ledger tells of the acts, holds and recoveries in it."""

from dataclasses import replace

from healer.core.facts import Outcome
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.unit.core.worlds import act_of, tried

POD = act_of(Remedy.DELETE_POD, Reason.POD_UNKNOWN, target="joelclaw/a@1")
DONE = tried(POD, 100.0)
IDLE = tried(replace(POD, id="old-2"), 200.0, Outcome.NOT_NEEDED)
AGAIN = tried(replace(POD, id="old-3"), 300.0, Outcome.NOT_NEEDED)
OTHER_POD = tried(replace(POD, id="old-4", target="joelclaw/b@2"), 400.0)
FORCED = tried(replace(POD, id="old-5", remedy=Remedy.FORCE_DELETE_POD), 500.0)
CUT_OFF = tried(replace(POD, id="old-6"), 600.0, None)


def test_runs_are_told_by_remedy_and_target() -> None:
    """What found nothing to do does not count; what was cut off does."""
    ledger = Ledger(attempts=(DONE, IDLE, OTHER_POD, FORCED, CUT_OFF))

    assert (DONE, CUT_OFF) == ledger.of(Remedy.DELETE_POD, "joelclaw/a@1")
    assert () == ledger.of(Remedy.DELETE_POD)
    whole = tried(act_of(Remedy.LOAD_MODULES, Reason.BR_NETFILTER_MISSING), 100.0)
    assert (whole,) == Ledger(attempts=(DONE, whole)).of(Remedy.LOAD_MODULES)


def test_needless_runs_are_told_while_they_last() -> None:
    """A run that did something ends the row; another target's does not."""
    mine = (Remedy.DELETE_POD, "joelclaw/a@1")

    assert (IDLE, AGAIN) == Ledger(attempts=(DONE, IDLE, OTHER_POD, FORCED, AGAIN)).needless(*mine)
    assert (AGAIN,) == Ledger(attempts=(IDLE, DONE, AGAIN)).needless(*mine)
    assert () == Ledger(attempts=(IDLE, AGAIN, DONE)).needless(*mine)


def test_what_has_no_outcome_is_unfinished() -> None:
    """I10: an intent without a result."""
    assert (CUT_OFF,) == Ledger(attempts=(DONE, CUT_OFF, IDLE)).unfinished()


def test_an_attempt_replaces_its_own_and_no_other() -> None:
    """By its id; the newest stands last."""
    ended = replace(CUT_OFF, outcome=Outcome.DONE)

    assert (DONE, ended) == Ledger(attempts=(CUT_OFF, DONE)).with_attempt(ended).attempts
    assert (DONE, CUT_OFF) == Ledger(attempts=(DONE,)).with_attempt(CUT_OFF).attempts


def test_the_last_recovery_of_a_layer_rearmed_it() -> None:
    """Whatever stands in whatever order; a layer that never recovered was never re-armed."""
    ledger = Ledger(rearmed=((Layer.NODE, 200.0), (Layer.NODE, 100.0), (Layer.PODS, 900.0)))

    assert 200.0 == ledger.rearmed_at(Layer.NODE)
    assert float("-inf") == ledger.rearmed_at(Layer.TALOS)
