"""What stands, and what will be done next unless something changes."""

from dataclasses import replace

from healer.core.facts import GaveUp, Held, IncidentOpened, Refused, Reported, Rule
from healer.core.ladders import Remedy
from healer.core.ledger import Hold, Incident
from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from healer.telemetry.foresight import coming, standing
from tests.unit.telemetry.decisions import seeing
from tests.unit.telemetry.nights import (
    BEGAN,
    DEAD,
    POLICY,
    acting,
    failed,
    for_a_while,
    healthy,
    looked,
    paused,
    stopped_by_hand,
)

NOW = BEGAN + 20.0


def test_a_healthy_tower_expects_nothing() -> None:
    """Nothing stands and nothing comes."""
    assert ((), ()) == (coming(healthy(), NOW, POLICY), standing(healthy(), NOW, POLICY))


def test_a_container_that_a_human_stopped_is_announced() -> None:
    """What, why not yet, and when (issue: says so beforehand in `status`)."""
    (one,) = coming(stopped_by_hand(), NOW, POLICY)

    assert (Remedy.START_CONTAINER, Rule.HUMAN_STOPPED) == (one.remedy, one.rule)
    assert one.until == NOW - 12.0 + 60.0


def test_what_was_seen_once_is_announced_with_its_confirmation() -> None:
    """So a person sees it coming before anything is done."""
    (one,) = coming(looked(healthy(), NOW, DEAD), NOW, POLICY)
    ladder = POLICY.ladders[DEAD.reason]

    assert (Rule.NOT_CONFIRMED, f"seen 1 of {ladder.samples} times") == (one.rule, one.detail)
    assert NOW + ladder.over == one.until


def test_what_is_expected_after_a_start_comes_at_the_end_of_its_grace() -> None:
    """dockerd in a VM that came up 20 s ago, of the 60 s that it may take."""
    down = Finding(Reason.DOCKER_ENGINE_DOWN, "no dockerd in the VM")
    world = looked(healthy(), NOW, down)
    view = world.views[Layer.SSH]
    young = replace(view, observation=replace(view.observation, uptime=20.0))
    (one,) = coming(seeing(world, Layer.SSH, young), NOW, POLICY)

    assert (Rule.GRACE, NOW + 40.0) == (one.rule, one.until)


def test_a_pause_and_a_lost_journal_stand_before_time() -> None:
    """Time alone will not bring the act about."""
    world = paused(None, None, looked(healthy(), NOW, DEAD))
    (held_back,) = coming(world, NOW, POLICY)
    blind = replace(POLICY, no_acts_because="disk full")
    (lost,) = coming(looked(healthy(), NOW, DEAD), NOW, blind)

    assert (Rule.PAUSED, None) == (held_back.rule, held_back.until)
    assert (Rule.UNACCOUNTED, "disk full", None) == (lost.rule, lost.detail, lost.until)


def test_what_is_being_done_is_not_to_come() -> None:
    """Neither under way, nor blocked, nor only reported, nor held."""
    node = Finding(Reason.NODE_TAINTED, "control-plane:NoSchedule")
    rival = Finding(Reason.RIVAL_LOADED, "com.joel.colima")
    hold = Hold(Layer.TALOS, Reason.TALOS_STOPPED, None, "3 runs did not help")
    once = looked(healthy(), NOW, DEAD)
    held = replace(once, ledger=replace(once.ledger, holds=(hold,)))

    view = acting().views[Layer.TALOS]
    doubtful = {key: replace(one, samples=1) for key, one in view.troubles.items()}
    seen_anew = seeing(acting(), Layer.TALOS, replace(view, troubles=doubtful))

    assert () == coming(acting(), NOW, POLICY)
    assert () == coming(seen_anew, NOW, POLICY)
    assert () == coming(for_a_while(acting(), NOW, 2.0, DEAD, node, rival), NOW + 2.0, POLICY)
    assert () == coming(held, NOW, POLICY)


def test_the_soonest_comes_first() -> None:
    """And what waits for more than time comes last."""
    node = Finding(Reason.NODE_TAINTED, "control-plane:NoSchedule")
    kernel = Finding(Reason.BR_NETFILTER_MISSING, "no bridge-nf-call-iptables")
    world = paused(Layer.KERNEL, None, looked(healthy(), NOW, node, kernel))
    found = coming(world, NOW, POLICY)

    assert [Layer.NODE, Layer.KERNEL] == [one.layer for one in found]


def test_what_stands_is_told_to_whoever_comes_late() -> None:
    """Incidents, refusals, reports and holds as the decisions that they were."""
    rival = Finding(Reason.RIVAL_LOADED, "com.joel.colima", advice="bootout")
    human = for_a_while(stopped_by_hand(), NOW, 4.0, replace(DEAD, human_ago=16.0), rival)
    found = standing(human, NOW + 4.0, POLICY)

    assert [IncidentOpened, Refused, Reported] == [type(one) for one in found]
    assert "bootout" == getattr(found[2], "advice", "")
    holds = (
        Hold(Layer.TALOS, Reason.TALOS_STOPPED, NOW + 60.0, "3 runs did not help"),
        Hold(Layer.NODE, Reason.NODE_TAINTED, None, "3 holds"),
        Hold(Layer.NODE, Reason.NODE_TAINTED, NOW - 60.0, "over"),
    )
    ledger = replace(World().ledger, holds=holds)
    kinds = [type(one) for one in standing(World(ledger=ledger), NOW, POLICY)]
    assert [Held, GaveUp] == kinds


def test_an_incident_that_looks_well_has_no_reason_now() -> None:
    """It is being verified: there is nothing to tell a late listener but its layers."""
    incident = Incident("t-i1", NOW, frozenset({Layer.TALOS}))
    world = replace(healthy(), incidents=(incident,))

    assert () == standing(world, NOW, POLICY)
    assert () != standing(replace(failed(), incidents=(incident,)), BEGAN + 90.0, POLICY)
