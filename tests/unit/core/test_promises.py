"""The promises of design §4, each on the pure core."""

from dataclasses import replace

import pytest

from healer.core.facts import (
    Act,
    GaveUp,
    Held,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Observed,
    Outcome,
    Pause,
    Paused,
    Refused,
    Reported,
    Resumed,
    State,
    Verified,
    WasReset,
    Woke,
)
from healer.core.ladders import LIMITS, Remedy
from healer.core.ledger import Attempt, Hold, Ledger
from healer.core.observation import (
    Component,
    Finding,
    ForeignOperation,
    Observation,
)
from healer.core.outlook import awaited, exit_code
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.unit.core.night import (
    BY_API,
    BY_MUX,
    BY_PORT,
    BY_SSH,
    POLICY,
    Night,
    alive,
    dead,
    everything_dead,
    ill,
    well,
)

ZOMBIE = replace(ill(Reason.COLIMA_ZOMBIE), signs=tuple(everything_dead()))
STOPPED = ill(Reason.COLIMA_STOPPED)


def unknown(layer: Layer) -> Observation:
    """A layer that could not be looked at."""
    return Observation(layer, unknown="could not look")


def test_healthy_tower_is_left_alone() -> None:
    """I8: an hour of a healthy tower brings no act, no refusal and exit code 0."""
    night = Night().run(3600.0, every=10.0)

    assert [] == night.acts
    assert [] == night.said(Refused)
    assert 0 == exit_code(night.world, night.now, POLICY)


def test_healthy_tower_needs_one_look() -> None:
    """A pass over a healthy tower awaits nothing after the first look (design §5)."""
    night = Night()
    night.look()

    assert () == awaited(night.world, night.now, POLICY)


def test_unknown_causes_no_act() -> None:
    """I1: a tower that cannot be looked at is left alone and exits 3."""
    night = Night().see(*(unknown(layer) for layer in Layer)).run(600.0)

    assert [] == night.acts
    assert 3 == exit_code(night.world, night.now, POLICY)


def test_stopped_vm_is_started_after_two_looks_over_five_seconds() -> None:
    """A stopped VM needs no witnesses, only its confirmation."""
    night = Night().see(STOPPED).run(4.0)
    assert [] == night.acts

    night.run(2.0)

    assert [Remedy.START_VM] == night.acts


def test_nothing_is_done_above_a_failing_layer() -> None:
    """I2: with the VM stopped, a taint and a dead flannel above wait."""
    night = Night().see(STOPPED, ill(Reason.NODE_TAINTED), ill(Reason.FLANNEL_CRASHING))
    night.run(60.0)

    assert [Remedy.START_VM] == night.acts
    assert State.BLOCKED == night.world.states[Layer.NODE]


def test_looks_while_blocked_are_no_evidence() -> None:
    """A layer that was blocked is confirmed anew once what is below it is well."""
    night = Night().see(STOPPED, ill(Reason.NODE_TAINTED)).run(30.0)
    night.finish().see(well(Layer.COLIMA))
    began = night.now
    night.run(20.0)
    untaint = next(
        at for at, one in night.decided if isinstance(one, Act) and one.remedy is Remedy.UNTAINT
    )

    assert untaint - began >= 5.0


def test_layer_above_may_act_while_the_vm_is_verified() -> None:
    """The VM's 90 s window runs beside the repairs above it (design §10)."""
    night = Night().see(STOPPED).run(6.0).finish()
    night.see(well(Layer.COLIMA), ill(Reason.NODE_TAINTED)).run(10.0)

    assert [Remedy.START_VM, Remedy.UNTAINT] == night.acts
    assert State.VERIFYING == night.world.states[Layer.COLIMA]


def test_pause_forbids_every_act_and_ends_by_itself() -> None:
    """I3: while paused nothing is done; when the pause is over it is."""
    night = Night()
    night.tell(Paused(Pause(None, night.now + 60.0, "joel", "moving house")))
    night.see(STOPPED).run(50.0)
    assert [] == night.acts
    assert State.PAUSED == night.world.states[Layer.COLIMA]

    night.run(20.0)

    assert [Remedy.START_VM] == night.acts


def test_pause_of_one_layer_leaves_the_others_free() -> None:
    """I3 in scope: a paused livekit does not keep the node from being untainted."""
    night = Night()
    night.tell(Paused(Pause(Layer.LIVEKIT, None, "joel", "debugging")))
    night.see(ill(Reason.NODE_TAINTED)).run(10.0)

    assert [Remedy.UNTAINT] == night.acts


def test_resume_ends_a_pause() -> None:
    """`resume` takes back the pauses of its scope."""
    night = Night()
    night.tell(Paused(Pause(None, None, "joel", "moving house")))
    night.see(STOPPED).run(10.0)
    night.tell(Resumed(None))
    night.run(2.0)

    assert [Remedy.START_VM] == night.acts


def test_cooldown_outlives_the_process() -> None:
    """I4: an attempt in the journal of an earlier run still cools down."""
    act = Act("old-1", Remedy.DELETE_FLANNEL_POD, Layer.FLANNEL, Reason.FLANNEL_CRASHING, "x")
    old = Attempt(act, 990.0, Outcome.DONE, 991.0, verified=True)
    night = Night(ledger=Ledger(attempts=(old,))).see(ill(Reason.FLANNEL_CRASHING)).run(60.0)

    assert [] == night.acts
    assert ["cooldown"] == night.rules(Remedy.DELETE_FLANNEL_POD)


def test_budget_outlives_the_process() -> None:
    """I4: four starts within the hour hold the layer, whoever made them."""
    night = Night(ledger=Ledger(attempts=_starts(4, verified=True))).see(STOPPED).run(30.0)

    assert [] == night.acts
    assert [Layer.COLIMA] == [one.layer for one in night.said(Held)]
    assert 4 == exit_code(night.world, night.now, POLICY)


def _starts(count: int, *, verified: bool) -> tuple[Attempt, ...]:
    return tuple(
        Attempt(
            Act(f"old-{n}", Remedy.START_VM, Layer.COLIMA, Reason.COLIMA_STOPPED, "x"),
            100.0 + n,
            Outcome.DONE,
            200.0 + n,
            verified=verified,
        )
        for n in range(count)
    )


def test_zombie_is_cycled_only_on_two_groups_over_a_minute() -> None:
    """I5: two independent witnesses must have been silent for 60 s."""
    night = Night().see(ZOMBIE).run(58.0)
    assert [] == night.acts

    night.run(4.0)

    assert [Remedy.CYCLE_VM] == night.acts


def test_a_pass_waits_until_its_witnesses_have_been_silent_for_long_enough() -> None:
    """One that fell silent after the trouble was confirmed is waited for, and until when is told.

    Without that a pass gave up on a dead VM because a probe had looked a second later.
    """
    first = (dead(BY_SSH, "ssh"),)
    night = Night().see(replace(ill(Reason.COLIMA_ZOMBIE), signs=first)).run(70.0)
    night.see(replace(ill(Reason.COLIMA_ZOMBIE), signs=tuple(everything_dead())))
    began = night.now
    night.run(40.0)

    assert [] == night.acts
    waiting = [one.until for one in awaited(night.world, night.now, POLICY)]
    assert any(until is not None and abs(until - began - 60.0) <= 2.0 for until in waiting)
    assert [Remedy.CYCLE_VM] == night.run(24.0).acts


def test_ports_that_were_not_asked_have_not_been_silent() -> None:
    """I6: a VM is not stopped on the word of others while nobody asks its ports."""
    night = Night().see(replace(ill(Reason.COLIMA_ZOMBIE), signs=tuple(everything_dead())))
    for _ in range(60):
        night.now += 2.0
        for layer in (Layer.HOST, Layer.COLIMA):
            night.tell(Observed(night.seen[layer]))
    assert [] == night.acts
    assert "services was not asked" in night.said(Refused)[-1].detail

    night.run(2.0)

    assert [Remedy.CYCLE_VM] == night.acts


def test_stop_after_the_boot_that_ours_led_to_is_a_humans() -> None:
    """I15: the first life was cut off in its cycle, and the VM had booted before the stop."""
    act = Act("old-1", Remedy.CYCLE_VM, Layer.COLIMA, Reason.COLIMA_ZOMBIE, "seen")
    ledger = Ledger((Attempt(act, 900.0),), vm_boots=(910.0,))
    stopped = ill(Reason.TALOS_STOPPED, human_ago=20.0)
    night = Night(ledger=ledger).see(well(Layer.SSH, uptime=90.0), stopped).run(14.0)
    assert [] == night.acts
    assert "human_stopped" in night.rules(Remedy.START_CONTAINER)

    before = Ledger((Attempt(act, 900.0),))
    cut_off = Night(ledger=before).see(well(Layer.SSH, uptime=5.0), stopped).run(14.0)

    assert [Remedy.START_CONTAINER] == cut_off.acts


def test_witnesses_of_one_way_are_not_enough() -> None:
    """I5: docker.sock and a mux-borne port are one vantage point."""
    signs = (
        dead(BY_MUX, "docker.sock"),
        dead(BY_PORT - {Component.HOSTAGENT} | BY_MUX, "port 6379"),
    )
    night = Night().see(replace(ill(Reason.COLIMA_ZOMBIE), signs=signs)).run(600.0)

    assert [] == night.acts
    assert ["witnesses_missing"] == night.rules(Remedy.CYCLE_VM)


@pytest.mark.parametrize("way", [BY_API, BY_PORT])
def test_any_answer_through_a_port_vetoes_vm_acts(way: frozenset[Component]) -> None:
    """I6: docker.sock and ssh dead, and one port answering: no VM act (R38)."""
    signs = (*everything_dead(), alive(way, "port 6443"))
    night = Night().see(replace(ill(Reason.COLIMA_ZOMBIE), signs=signs)).run(600.0)

    assert [] == night.acts
    assert ["witness_alive"] == night.rules(Remedy.CYCLE_VM)


def test_broken_vm_that_answers_is_reported_never_stopped() -> None:
    """A Broken VM whose ssh answers is left alone (facts/colima.md §8)."""
    signs = (alive(BY_SSH, "ssh"),)
    night = Night().see(replace(ill(Reason.COLIMA_BROKEN), signs=signs)).run(30.0)
    night.finish(Outcome.NOT_NEEDED)

    assert Remedy.FORCE_CYCLE_VM not in night.run(600.0).acts


def test_one_act_on_a_layer_at_a_time() -> None:
    """I7: a cordoned and tainted node is uncordoned first, and untainted after that."""
    both = Observation(
        Layer.NODE,
        findings=(Finding(Reason.NODE_TAINTED, "taint"), Finding(Reason.NODE_CORDONED, "cordon")),
    )
    night = Night().see(both).run(20.0)
    assert [Remedy.UNCORDON] == night.acts

    night.finish().run(2.0)

    assert [Remedy.UNCORDON, Remedy.UNTAINT] == night.acts


def test_crash_in_the_middle_is_verified_not_repeated() -> None:
    """I10: an intent without a result is watched until its deadline before anything else."""
    act = Act("old-1", Remedy.UNTAINT, Layer.NODE, Reason.NODE_TAINTED, "x")
    night = Night(ledger=Ledger(attempts=(Attempt(act, 990.0),))).see(ill(Reason.NODE_TAINTED))
    night.run(28.0)
    assert [] == night.acts

    night.run(4.0)

    assert [Remedy.UNTAINT] == night.acts
    assert ["old-1"] == [one.act.id for one in night.said(NotVerified)]


def test_one_event_causes_one_act() -> None:
    """I11: an old event that lingers does not delete the flannel pod again (incident 21)."""
    lingering = ill(Reason.SUBNET_ENV_MISSING, event="pod/FailedCreatePodSandBox/1")
    night = Night().see(lingering).run(10.0).finish().see(well(Layer.FLANNEL)).run(10.0)
    night.see(lingering).run(1200.0)

    assert [Remedy.DELETE_FLANNEL_POD] == night.acts
    assert "event_used" in night.rules(Remedy.DELETE_FLANNEL_POD)


def test_refused_act_leaves_its_event_unused() -> None:
    """A patch that the API refused changed nothing, so it is tried again (I12)."""
    drifted = ill(Reason.LIVEKIT_PROBE_DRIFT, event="livekit/generation-7")
    night = Night().see(drifted).run(10.0).finish(Outcome.FAILED).run(200.0)
    assert [Remedy.PATCH_LIVEKIT] * 2 == night.acts

    night.finish().see(well(Layer.LIVEKIT)).run(20.0)

    assert State.OK == night.world.states[Layer.LIVEKIT]


def test_event_whose_answer_did_not_help_is_told_of() -> None:
    """I13: nothing more may be done for this event, so it is held, and given up in the end."""
    drifted = ill(Reason.LIVEKIT_PROBE_DRIFT, event="livekit/generation-7")
    night = Night().see(drifted).run(10.0).finish(Outcome.TIMED_OUT)
    for _ in range(400):
        night.run(20.0, every=20.0)

    assert [Remedy.PATCH_LIVEKIT] == night.acts
    assert "answered once" in night.said(Held)[0].detail
    assert 1 == len(night.said(GaveUp))


def test_rung_that_its_witnesses_forbid_spends_the_ladder() -> None:
    """I12: the VM lives, so it is not cycled; the gentle rung rests and is tried anew."""
    forward = ill(Reason.DOCKER_FORWARD_DEAD)
    machine = replace(well(Layer.SSH), signs=(alive(BY_SSH, "ssh"),))
    night = Night().see(machine, forward)
    for _ in range(10):
        night.run(60.0).finish()
    assert [Remedy.REFORWARD] * 3 == night.acts
    assert "no cycle_vm while ssh answers" in night.said(Held)[0].detail

    night.run(2400.0)

    assert [Remedy.REFORWARD] * 4 == night.acts


def test_gives_up_once_and_stays_quiet() -> None:
    """I13: a trouble that no remedy cures ends in one notice and in silence."""
    night = Night().see(ill(Reason.BR_NETFILTER_MISSING))
    for _ in range(500):
        night.run(20.0, every=20.0).finish()

    assert 1 == len(night.said(GaveUp))
    assert 1 == len(night.said(IncidentOpened))
    assert State.GAVE_UP == night.world.states[Layer.KERNEL]
    assert len(night.acts) <= 15


def test_reset_rearms_a_layer_that_was_given_up() -> None:
    """`healer reset` is a human's word that it may be tried again."""
    night = Night().see(ill(Reason.BR_NETFILTER_MISSING))
    for _ in range(500):
        night.run(20.0, every=20.0).finish()
    before = len(night.acts)
    night.tell(WasReset(Layer.KERNEL))
    night.run(10.0)

    assert before + 1 == len(night.acts)


def test_success_is_told_only_after_the_window() -> None:
    """I14: a VM that is up is verified by six looks over 90 s, not by the first."""
    night = Night().see(STOPPED).run(6.0).finish().see(well(Layer.COLIMA))
    first_good_look = night.now
    night.run(120.0)
    verified_at = next(at for at, one in night.decided if isinstance(one, Verified))

    assert 89.9 < verified_at - first_good_look <= 92.1


def test_relapse_within_the_window_is_no_success() -> None:
    """I14: green for a minute and then gone is `healer theatre` (incident 24)."""
    night = Night().see(STOPPED).run(6.0).finish().see(well(Layer.COLIMA)).run(60.0)
    night.see(STOPPED).run(120.0)

    assert [] == night.said(Verified)
    assert [Remedy.START_VM] == [one.act.remedy for one in night.said(NotVerified)][:1]


def test_human_cordon_is_reported_once_and_left() -> None:
    """I15: a cordon without Talos' own mark stays, and does not make the tower ill."""
    night = Night().see(ill(Reason.CORDONED_BY_HUMAN)).run(3600.0, every=10.0)

    assert [] == night.acts
    assert [Reason.CORDONED_BY_HUMAN] == [one.reason for one in night.said(Reported)]
    assert 0 == exit_code(night.world, night.now, POLICY)


def test_clean_stop_by_a_human_is_respected_for_ten_minutes() -> None:
    """I15: a VM that somebody stopped a minute ago is started nine minutes later."""
    night = Night()
    began = night.now
    while night.now < began + 560.0:
        ago = 60.0 + night.now - began
        night.see(ill(Reason.COLIMA_STOPPED, human_ago=ago)).run(10.0, every=5.0)

    start = next(at for at, one in night.decided if isinstance(one, Act))
    assert 540.0 <= start - began <= 550.0
    assert ["human_stopped"] == night.rules(Remedy.START_VM)


def test_our_own_interrupted_stop_is_not_a_humans() -> None:
    """A stop inside our own cycle does not hold the start back for ten minutes."""
    act = Act("old-1", Remedy.CYCLE_VM, Layer.COLIMA, Reason.COLIMA_ZOMBIE, "x")
    ledger = Ledger(attempts=(Attempt(act, 900.0, Outcome.INTERRUPTED, 990.0, verified=False),))
    night = Night(ledger=ledger).see(ill(Reason.COLIMA_STOPPED, human_ago=50.0)).run(6.0)

    assert [Remedy.START_VM] == night.acts


def test_waking_up_alone_causes_nothing() -> None:
    """I16: within the grace after a wake nothing is done; after it real faults are."""
    night = Night(policy=replace(POLICY, one_pass=False))
    night.tell(Woke(75.0))
    night.see(STOPPED).run(70.0)
    assert [] == night.acts

    night.run(10.0)

    assert [Remedy.START_VM] == night.acts


def test_one_pass_skips_the_grace_after_a_wake() -> None:
    """`--once` by hand skips boot and wake grace, nothing else (design §10)."""
    night = Night()
    night.tell(Woke(75.0))

    assert [Remedy.START_VM] == night.see(STOPPED).run(10.0).acts


def test_somebody_elses_start_holds_the_tower() -> None:
    """While a `colima start` that is not ours runs, nothing is done, and it is named."""
    theirs = ForeignOperation(Layer.COLIMA, "colima start", 4242, 3.0)
    host = Observation(Layer.HOST, foreign=(theirs,))
    night = Night().see(host, STOPPED, ill(Reason.NODE_TAINTED)).run(600.0)
    assert [] == night.acts
    assert "4242" in night.said(Refused)[0].detail

    night.see(well(Layer.HOST)).run(18.0)
    assert [] == night.acts
    night.run(10.0)
    assert [Remedy.START_VM] == night.acts


def test_somebody_elses_start_that_hangs_is_reported_once_and_left_alone() -> None:
    """After 15 minutes a human is told whose it is; nothing is done all the same."""
    theirs = ForeignOperation(Layer.COLIMA, "colima start", 4242, 3.0)
    night = Night().see(Observation(Layer.HOST, foreign=(theirs,)), STOPPED)
    assert [] == night.run(880.0).said(Reported)

    (said,) = night.run(1800.0).said(Reported)
    assert Reason.OPERATION_LASTS is said.reason
    assert "`colima start` (pid 4242)" in said.evidence
    assert [] == night.acts


def test_nothing_is_done_while_nobody_knows_who_else_is_at_work() -> None:
    """A process list that cannot be read ends no operation and hides none (design §10)."""
    theirs = ForeignOperation(Layer.COLIMA, "colima start", 4242, 3.0)
    blind = Observation(Layer.HOST, unknown="ps failed", others_unseen="ps failed")
    night = Night().see(Observation(Layer.HOST, foreign=(theirs,)), STOPPED).run(10.0)

    night.see(blind).run(100.0)
    assert [] == night.acts
    assert ["colima start"] == [one.operation.command for one in night.world.foreign]

    night.see(well(Layer.HOST)).run(30.0)
    assert [Remedy.START_VM] == night.acts


def test_crash_loop_of_the_vm_stops_the_starts() -> None:
    """R18: a VM that boots again and again is not started once more."""
    night = Night()
    for _ in range(3):
        night.see(well(Layer.SSH, uptime=1.0)).look()
        night.now += 100.0
    night.see(STOPPED).run(60.0)

    assert [] == night.acts
    assert ["crash_loop"] == night.rules(Remedy.START_VM)


def test_storm_brake_allows_one_delete_per_verified_recovery() -> None:
    """Most workloads ill at once: one delete, and none after it failed (design §10)."""
    findings = tuple(
        Finding(Reason.POD_UNKNOWN, "Unknown", target=f"joelclaw/p{n}@u{n}", owner=f"o{n}")
        for n in range(5)
    )
    night = Night().see(Observation(Layer.PODS, findings=findings, targets=6))
    for _ in range(60):
        night.run(4.0).finish()

    assert 1 == len(night.acts)
    assert "storm_brake" in night.rules(Remedy.DELETE_POD)


def test_requirement_must_have_been_seen() -> None:
    """Flannel's delete waits while the kernel could not be looked at (design §10)."""
    night = Night().see(unknown(Layer.KERNEL), ill(Reason.FLANNEL_CRASHING)).run(60.0)

    assert [] == night.acts
    assert ["requirement_unseen"] == night.rules(Remedy.DELETE_FLANNEL_POD)


def test_no_pod_is_replaced_under_a_human_s_cordon() -> None:
    """LiveKit's patch waits for the human: the new pod would find no node."""
    night = Night().see(ill(Reason.CORDONED_BY_HUMAN), ill(Reason.LIVEKIT_PROBE_DRIFT)).run(60.0)

    assert [] == night.acts
    assert ["no_place"] == night.rules(Remedy.PATCH_LIVEKIT)


def test_reboot_with_five_causes_is_one_incident() -> None:
    """One root cause and what it uncovers are one incident, opened and resolved once."""
    night = Night().see(STOPPED).run(6.0).finish()
    night.see(well(Layer.COLIMA), ill(Reason.BR_NETFILTER_MISSING), ill(Reason.TALOS_STOPPED))
    night.run(6.0).finish().see(well(Layer.KERNEL), well(Layer.TALOS), ill(Reason.NODE_TAINTED))
    night.run(6.0).finish().see(well(Layer.NODE)).run(200.0)

    assert 4 == len(night.acts)
    assert 1 == len(night.said(IncidentOpened))
    assert 1 == len(night.said(IncidentResolved))
    assert 0 == exit_code(night.world, night.now, POLICY)


def test_remedy_that_never_helps_is_disabled() -> None:
    """R46: after five runs without effect a remedy is not tried again."""
    starts = tuple(replace(one, at=one.at - 9000.0) for one in _starts(5, verified=False))
    night = Night(ledger=Ledger(attempts=starts)).see(STOPPED).run(30.0)

    assert [] == night.acts


def test_nothing_is_done_without_a_journal() -> None:
    """What cannot be accounted for is not done (design §6)."""
    night = Night(policy=replace(POLICY, no_acts_because="disk full")).see(STOPPED).run(60.0)

    assert [] == night.acts
    assert ["unaccounted"] == night.rules(Remedy.START_VM)


def test_no_act_after_the_deadline() -> None:
    """After its deadline a pass begins no act."""
    night = Night(policy=replace(POLICY, act_before=1000.0)).see(STOPPED).run(60.0)

    assert [] == night.acts
    assert ["deadline"] == night.rules(Remedy.START_VM)


UPDATE = ill(Reason.RESTART_POLICY)
"""An advisory finding with a remedy: its layer is well, so only the rules speak for it."""


def test_what_was_seen_long_ago_causes_no_act() -> None:
    """I1: a probe that fell silent a minute ago tells nothing of now."""
    night = Night()
    night.tell(Paused(Pause(Layer.TALOS, None, "joel", "comparing limits")))
    night.see(UPDATE).run(4.0)
    night.now += 60.0
    night.tell(Resumed(Layer.TALOS))
    for layer in Layer:
        if layer is not Layer.TALOS:
            night.tell(Observed(night.seen[layer]))

    assert [] == night.acts
    assert ["paused", "unknown"] == night.rules(Remedy.SET_RESTART_POLICY)


def test_nothing_is_done_while_the_host_is_unseen() -> None:
    """Only the host's probe knows who else is at work; without its look nothing is done."""
    night = Night().see(ill(Reason.NODE_TAINTED))
    for _ in range(10):
        for layer in Layer:
            if layer is not Layer.HOST:
                night.tell(Observed(night.seen[layer]))
        night.now += 2.0

    assert [] == night.acts
    assert "requirement_unseen" in night.rules(Remedy.UNTAINT)


def test_advice_above_a_failing_layer_waits() -> None:
    """I2: an advisory remedy too waits for what is below its layer."""
    night = Night().see(STOPPED, UPDATE).run(60.0)

    assert Remedy.SET_RESTART_POLICY not in night.acts


def test_pause_of_one_layer_keeps_its_advice_too() -> None:
    """I3: a paused layer that is well is not even updated."""
    night = Night()
    night.tell(Paused(Pause(Layer.TALOS, None, "joel", "comparing limits")))
    night.see(UPDATE).run(60.0)

    assert [] == night.acts
    assert ["paused"] == night.rules(Remedy.SET_RESTART_POLICY)


def test_waking_up_keeps_even_gentle_updates_back() -> None:
    """I16: within the grace after a wake nothing at all is done."""
    night = Night(policy=replace(POLICY, one_pass=False))
    night.tell(Woke(75.0))
    night.see(UPDATE).run(70.0)

    assert [] == night.acts


def test_held_layer_is_not_even_updated() -> None:
    """A layer that rests after a failed recovery is left alone by every remedy."""
    night = Night()
    hold = Hold(Layer.TALOS, Reason.TALOS_STOPPED, night.now + 1800.0, "2 runs did not help")
    night = Night(ledger=Ledger(holds=(hold,))).see(UPDATE).run(60.0)

    assert [] == night.acts
    assert ["held"] == night.rules(Remedy.SET_RESTART_POLICY)


def test_pod_is_not_touched_before_it_is_ripe() -> None:
    """A pod that may yet heal by itself is waited for (facts/talos-kubernetes.md §3)."""
    night = Night().see(ill(Reason.POD_UNKNOWN, target="joelclaw/a@1", owner="a", ripe_in=100.0))
    night.run(60.0)

    assert [] == night.acts
    assert ["not_ripe"] == night.rules(Remedy.DELETE_POD)


def test_one_pod_of_an_owner_at_a_time() -> None:
    """Two lost pods of one owner: the second waits until the first has proved itself."""
    both = tuple(
        Finding(Reason.POD_UNKNOWN, "Unknown", target=f"joelclaw/p{n}@u{n}", owner="one")
        for n in range(2)
    )
    night = Night().see(Observation(Layer.PODS, findings=both, targets=9)).run(6.0).finish()
    night.run(20.0)

    assert 1 == len(night.acts)
    assert "owner_busy" in night.rules(Remedy.DELETE_POD)


def test_remedy_that_finds_nothing_to_do_is_not_asked_for_ever() -> None:
    """Where probe and remedy disagree, a pass asks a few times and then ends."""
    night = Night().see(ill(Reason.BR_NETFILTER_MISSING))
    for _ in range(150):
        night.run(2.0).finish(Outcome.NOT_NEEDED)

    assert 3 <= len(night.acts) <= 6
    assert () == awaited(night.world, night.now, POLICY)
    assert 1 == exit_code(night.world, night.now, POLICY)


def test_every_remedy_has_limits_that_can_be_reached() -> None:
    """A backoff cap beyond the budget's window would make the budget unreachable."""
    for remedy in Remedy:
        limits = LIMITS[remedy]
        if limits.backoff is not None:
            assert limits.backoff.cap * 2 <= limits.budget.window * limits.budget.count
        assert limits.cooldown <= limits.budget.window
