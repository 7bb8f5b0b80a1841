"""What follows from a judged world: acts, refusals, holds, reports, changes, and their order."""

from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

import pytest

from healer.core.deciding import decide
from healer.core.facts import (
    Act,
    Changed,
    Decision,
    GaveUp,
    Held,
    IncidentOpened,
    Outcome,
    Rearmed,
    Refused,
    Reported,
    Rule,
    State,
    Verified,
)
from healer.core.ladders import Budget, Remedy, Rung
from healer.core.ledger import Attempt, Hold, Incident, Ledger
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Trouble, Verification, View, World
from tests.unit.core.night import Night, ill
from tests.unit.core.worlds import (
    NOW,
    POLICY,
    act_of,
    remembering,
    seeing,
    tried,
    trouble_of,
    world_of,
)

TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
UNLOADED = Finding(Reason.BR_NETFILTER_MISSING, "no such file")
STOPPED = Finding(Reason.TALOS_STOPPED, "exited")
SILENT = Finding(Reason.DOCKER_SILENT, "no answer")
LOST = Finding(
    Reason.POD_UNKNOWN, "Unknown", "joelclaw/a@1", fingerprint="f1", event="e1", owner="a"
)
UNTAINT = act_of(Remedy.UNTAINT, Reason.NODE_TAINTED)
STARTED = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)


D = TypeVar("D", bound=Decision)


def said(decisions: tuple[Decision, ...], kind: type[D]) -> list[D]:
    """The decisions of one kind."""
    return [one for one in decisions if isinstance(one, kind)]


def shown(world: World, **states: State) -> World:
    """The same world, of which a person was shown these states an hour ago; else they are ok."""
    shown_as = {layer: states.get(layer.value, State.OK) for layer in Layer}
    return replace(world, states=shown_as, since=dict.fromkeys(Layer, NOW - 3600.0))


def laddered(*rungs: Rung, reason: Reason = Reason.NODE_TAINTED, **changes: object) -> Policy:
    """A policy in which these rungs answer a reason."""
    ladder = replace(POLICY.ladders[reason], rungs=rungs, **changes)  # type: ignore[arg-type]
    return replace(POLICY, ladders=MappingProxyType({**POLICY.ladders, reason: ladder}))


def test_an_act_carries_all_that_it_is_for() -> None:
    """Its number, what was seen, and the incident that it belongs to."""
    incident = Incident("old-i1", NOW, frozenset({Layer.PODS}))
    world = replace(world_of(LOST, targets=9), serial=6, incidents=(incident,))
    after, decisions = decide(shown(world, pods=State.FAILING), NOW, POLICY)
    act = Act(
        "t-7",
        Remedy.DELETE_POD,
        Layer.PODS,
        Reason.POD_UNKNOWN,
        "Unknown",
        target="joelclaw/a@1",
        event="e1",
        owner="a",
        fingerprint="f1",
        incident="old-i1",
    )

    assert [act] == said(decisions, Act)
    assert (act,) == after.acting
    assert (Attempt(act, NOW),) == after.ledger.attempts
    assert 7 == after.serial


def test_acts_go_on_beside_each_other() -> None:
    """On two layers that do not stand on each other, each with its number and its stamp."""
    after, decisions = decide(shown(world_of(UNLOADED, STOPPED)), NOW, POLICY)
    acts = said(decisions, Act)

    assert [Remedy.LOAD_MODULES, Remedy.START_CONTAINER] == [one.remedy for one in acts]
    assert tuple(acts) == after.acting
    assert ["t-2", "t-3"] == [one.id for one in acts]
    assert [NOW, NOW] == [one.at for one in after.ledger.attempts]


def test_what_is_refused_is_told_once_per_rule() -> None:
    """I3 told once; the world keeps it while it lasts, and its newest words."""
    policy = replace(POLICY, no_acts_because="disk full")
    world, decisions = decide(shown(world_of(LOST)), NOW, policy)
    refused = Refused(
        Layer.PODS,
        Remedy.DELETE_POD,
        Reason.POD_UNKNOWN,
        "joelclaw/a@1",
        Rule.UNACCOUNTED,
        "disk full",
    )
    assert [refused] == said(decisions, Refused)
    assert {(Layer.PODS, "delete_pod", "joelclaw/a@1"): refused} == world.refusals

    again, decisions = decide(world, NOW, replace(policy, no_acts_because="disk gone"))
    assert [] == said(decisions, Refused)
    assert ["disk gone"] == [one.detail for one in again.refusals.values()]

    later = replace(POLICY, act_before=NOW)
    _, decisions = decide(again, NOW, later)
    assert [Rule.DEADLINE] == [one.rule for one in said(decisions, Refused)]

    free, _ = decide(again, NOW, POLICY)
    assert {} == free.refusals


def test_one_refusal_hides_no_other_trouble() -> None:
    """Each of a layer's troubles has its own answer."""
    other = replace(LOST, target="joelclaw/b@2", owner="b", ripe_in=60.0, event="e2")
    _, decisions = decide(shown(world_of(other, LOST, targets=9)), NOW, POLICY)

    assert [(Rule.NOT_RIPE, NOW + 60.0)] == [
        (one.rule, one.until) for one in said(decisions, Refused)
    ]
    assert ["joelclaw/a@1"] == [one.target for one in said(decisions, Act)]


def test_what_is_answered_hides_no_other_trouble() -> None:
    """A pod that is being proved, and one whose delete begins now, leave the others theirs."""
    second = replace(LOST, target="joelclaw/b@2", owner="b", event="e2")
    third = replace(LOST, target="joelclaw/c@3", owner="c", event="e3")
    proving = act_of(Remedy.DELETE_POD, Reason.POD_UNKNOWN, target="joelclaw/a@1", owner="a")
    world = world_of(LOST, second, third, targets=9)
    world = replace(shown(world), verifying=(Verification(proving, NOW - 9.0, NOW + 60.0),))
    _, decisions = decide(world, NOW, POLICY)

    assert ["joelclaw/b@2"] == [one.target for one in said(decisions, Act)]
    assert [("joelclaw/c@3", Rule.BUSY_LAYER)] == [
        (one.target, one.rule) for one in said(decisions, Refused)
    ]


@pytest.mark.parametrize("pending", ["acting", "verifying"])
def test_what_is_being_answered_is_not_answered_again(pending: str) -> None:
    """I10: neither refused nor begun; another trouble beside it is."""
    world = world_of(TAINTED, UNLOADED)
    one = UNTAINT if pending == "acting" else Verification(UNTAINT, NOW - 9.0, NOW + 60.0)
    world = replace(shown(world), **{pending: (one,)})  # type: ignore[arg-type]
    _, decisions = decide(world, NOW, POLICY)

    assert [Remedy.LOAD_MODULES] == [one.remedy for one in said(decisions, Act)]
    assert [] == said(decisions, Refused)


def failures(count: int, reason: Reason = Reason.NODE_TAINTED) -> tuple[Attempt, ...]:
    """Untaints that did not help, hours ago."""
    act = replace(UNTAINT, reason=reason, layer=reason.layer)
    return tuple(
        tried(replace(act, id=f"old-{n}"), NOW - 9e4 + n, verified=False) for n in range(count)
    )


GENTLE, STRONG = Rung(Remedy.UNTAINT, 2), Rung(Remedy.UNCORDON, 1)


@pytest.mark.parametrize(
    ("tries", "remedy"), [(1, Remedy.UNTAINT), (2, Remedy.UNCORDON), (3, None)]
)
def test_a_ladder_is_climbed_rung_by_rung(tries: int, remedy: Remedy | None) -> None:
    """And what is spent is not begun again."""
    world = remembering(shown(world_of(TAINTED)), *failures(tries))
    _, decisions = decide(world, NOW, laddered(GENTLE, STRONG))

    assert [remedy] * (remedy is not None) == [one.remedy for one in said(decisions, Act)]


def test_a_rung_without_a_budget_is_passed_over() -> None:
    """The next one may still help; a cooldown is waited for instead."""
    policy = laddered(GENTLE, STRONG)
    limits = dict(policy.limits)
    limits[Remedy.UNTAINT] = replace(limits[Remedy.UNTAINT], budget=Budget(1, 60.0), cooldown=0.0)
    policy = replace(policy, limits=limits)
    ran = tried(UNTAINT, NOW - 30.0, verified=True)
    world = remembering(shown(world_of(TAINTED)), ran)
    _, decisions = decide(world, NOW, policy)
    assert [Remedy.UNCORDON] == [one.remedy for one in said(decisions, Act)]

    limits[Remedy.UNTAINT] = replace(limits[Remedy.UNTAINT], budget=Budget(9, 60.0), cooldown=60.0)
    _, decisions = decide(world, NOW, replace(policy, limits=limits))
    assert [] == said(decisions, Act)
    assert [Rule.COOLDOWN] == [one.rule for one in said(decisions, Refused)]


def test_a_spent_ladder_holds_its_layer() -> None:
    """For as long as the ladder says, with the number of runs."""
    world = remembering(shown(world_of(TAINTED)), *failures(3))
    after, decisions = decide(world, NOW, POLICY)
    detail = "3 runs did not help"

    assert [Held(Layer.NODE, Reason.NODE_TAINTED, NOW + 1800.0, detail)] == said(decisions, Held)
    assert (Hold(Layer.NODE, Reason.NODE_TAINTED, NOW + 1800.0, detail),) == after.ledger.holds
    assert State.HELD is after.states[Layer.NODE]


def test_a_spent_budget_holds_until_it_opens() -> None:
    """The last rung's own words."""
    policy = laddered(GENTLE)
    limits = dict(policy.limits)
    limits[Remedy.UNTAINT] = replace(limits[Remedy.UNTAINT], budget=Budget(1, 60.0))
    world = remembering(shown(world_of(TAINTED)), tried(UNTAINT, NOW - 20.0, verified=True))
    _, decisions = decide(world, NOW, replace(policy, limits=limits))
    detail = "1 runs within 60 s; 1 allowed"

    assert [Held(Layer.NODE, Reason.NODE_TAINTED, NOW + 40.0, detail)] == said(decisions, Held)


def test_a_cooldown_holds_nothing() -> None:
    """It is over by itself."""
    policy = laddered(Rung(Remedy.DELETE_FLANNEL_POD))
    act = replace(UNTAINT, remedy=Remedy.DELETE_FLANNEL_POD)
    world = remembering(shown(world_of(TAINTED)), tried(act, NOW - 20.0, verified=True))
    _, decisions = decide(world, NOW, policy)

    assert [] == said(decisions, Held)


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (world_of(replace(TAINTED, reason=Reason.NODE_NOT_READY)), "no ladder"),
        (replace(world_of(TAINTED), acting=(UNTAINT,)), "an act is under way"),
    ],
)
def test_what_has_no_spent_ladder_is_not_held(world: World, why: str) -> None:
    """Though as many runs failed."""
    world = remembering(shown(world), *failures(3), *failures(3, Reason.NODE_NOT_READY))

    assert [] == said(decide(world, NOW, POLICY)[1], Held), why


def test_what_is_not_confirmed_is_not_held() -> None:
    """One look may err."""
    first = replace(trouble_of(TAINTED), samples=1)
    view = View(Observation(Layer.NODE, (TAINTED,)), NOW, {first.key: first})
    world = remembering(shown(seeing(world_of(), view)), *failures(3))

    assert [] == said(decide(world, NOW, POLICY)[1], Held)


def test_a_held_layer_is_not_held_again() -> None:
    """And its hold hides no other layer."""
    hold = Hold(Layer.NODE, Reason.NODE_TAINTED, NOW + 60.0, "spent")
    module = act_of(Remedy.LOAD_MODULES, Reason.BR_NETFILTER_MISSING)
    tries = tuple(
        tried(replace(module, id=f"m{n}"), NOW - 9e4 + n, verified=False) for n in range(3)
    )
    world = remembering(shown(world_of(TAINTED, UNLOADED)), *failures(3), *tries)
    world = replace(world, ledger=replace(world.ledger, holds=(hold,)))
    after, decisions = decide(world, NOW, POLICY)

    assert [Layer.KERNEL] == [one.layer for one in said(decisions, Held)]
    assert [hold.layer, Layer.KERNEL] == [one.layer for one in after.ledger.holds]


def holds(*ends: float | None, layer: Layer = Layer.NODE) -> tuple[Hold, ...]:
    """Holds of a layer by their ends."""
    return tuple(Hold(layer, Reason.NODE_TAINTED, end, "spent") for end in ends)


@pytest.mark.parametrize(
    ("ledger", "gives_up"),
    [
        (Ledger(holds=holds(100.0, 200.0)), True),
        (Ledger(holds=holds(100.0)), False),
        (Ledger(holds=(*holds(100.0), *holds(200.0, layer=Layer.TALOS))), False),
        (Ledger(holds=holds(100.0, 200.0), rearmed=((Layer.NODE, 100.0),)), False),
        (Ledger(holds=holds(100.0, 200.0), rearmed=((Layer.NODE, 99.0),)), True),
        (Ledger(holds=holds(100.0, 200.0), rearmed=((Layer.TALOS, 500.0),)), True),
        (
            Ledger(holds=holds(100.0, 200.0), attempts=(tried(UNTAINT, 150.0, verified=True),)),
            False,
        ),
        (
            Ledger(
                holds=holds(100.0, 200.0),
                attempts=(
                    tried(replace(UNTAINT, layer=Layer.TALOS), 150.0, verified=True),
                    tried(replace(UNTAINT, id="x"), 150.0, verified=None),
                ),
            ),
            True,
        ),
    ],
)
def test_the_third_hold_without_a_recovery_gives_up(ledger: Ledger, *, gives_up: bool) -> None:
    """Design §10: of this layer, since its last recovery."""
    attempts = (*ledger.attempts, *failures_after(250.0, 3))
    world = shown(world_of(TAINTED), node=State.FAILING)
    world = replace(world, ledger=replace(ledger, attempts=attempts))
    after, decisions = decide(world, NOW, POLICY)

    assert int(gives_up) == len(said(decisions, GaveUp))
    assert int(not gives_up) == len(said(decisions, Held))
    assert gives_up is (after.ledger.holds[-1].until is None)


def failures_after(at: float, count: int) -> tuple[Attempt, ...]:
    """Untaints that did not help since then."""
    return tuple(
        tried(replace(UNTAINT, id=f"new-{n}"), at + 1.0 + n, verified=False) for n in range(count)
    )


@pytest.mark.parametrize(
    ("advice", "told"), [("", POLICY.ladders[Reason.NODE_TAINTED].advice), ("do it", "do it")]
)
def test_giving_up_comes_with_advice(advice: str, told: str) -> None:
    """The finding's own, or else the table's."""
    world = remembering(shown(world_of(replace(TAINTED, advice=advice))), *failures(3))
    _, decisions = decide(world, NOW, replace(POLICY, holds_before_giving_up=1))
    detail = "3 runs did not help"

    assert [GaveUp(Layer.NODE, Reason.NODE_TAINTED, detail, told)] == said(decisions, GaveUp)


def vetoed(rule: Rule = Rule.WITNESS_ALIVE, *, last: float = NOW - 300.0) -> World:
    """A run failed, and the next rung was refused."""
    refused = Refused(
        Layer.NODE, Remedy.UNTAINT, Reason.NODE_TAINTED, "", rule, "port 6443 answers"
    )
    run = tried(UNTAINT, NOW - 9e4, ended=last, verified=False)
    world = remembering(shown(world_of(TAINTED)), run)
    return replace(world, refusals={(Layer.NODE, "untaint", ""): refused})


@pytest.mark.parametrize(
    ("world", "held"),
    [
        (vetoed(), True),
        (vetoed(Rule.WITNESSES_MISSING), True),
        (vetoed(Rule.COOLDOWN), False),
        (vetoed(last=NOW - 299.0), False),
        (replace(vetoed(), refusals={}), False),
        (replace(vetoed(), ledger=Ledger()), False),
        (remembering(vetoed(), tried(STARTED, NOW - 9e4, verified=False)), False),
    ],
)
def test_a_rung_that_its_witnesses_forbid_for_long_is_spent(world: World, *, held: bool) -> None:
    """What answers goes on answering, and the gentle rungs rest."""
    detail = "1 runs did not help; no untaint while port 6443 answers"
    expected = [Held(Layer.NODE, Reason.NODE_TAINTED, NOW + 1800.0, detail)]

    assert (expected if held else []) == said(decide(world, NOW, POLICY)[1], Held)


def test_patience_with_a_veto_is_counted_from_the_last_failure() -> None:
    """From its stamp where its end is not known."""
    first = tried(replace(UNTAINT, id="first"), NOW - 9e4, verified=False)
    last = replace(tried(UNTAINT, NOW - 299.0, verified=False), ended=None)
    world = remembering(vetoed(), first, last)
    assert [] == said(decide(world, NOW, POLICY)[1], Held)

    old = replace(last, at=NOW - 300.0)
    assert 1 == len(said(decide(remembering(world, first, old), NOW, POLICY)[1], Held))


@pytest.mark.parametrize(("verified", "held"), [(False, True), (None, False), (True, False)])
def test_an_event_that_was_answered_in_vain_holds(verified: bool | None, *, held: bool) -> None:  # noqa: FBT001  (a verdict is what it is)
    """I11: it will not be answered again."""
    finding = replace(TAINTED, event="e1")
    run = tried(replace(UNTAINT, event="e1"), NOW - 9e4, verified=verified)
    world = remembering(shown(world_of(finding)), run)
    detail = "its event was answered once, which did not help"
    expected = [Held(Layer.NODE, Reason.NODE_TAINTED, NOW + 1800.0, detail)]

    assert (expected if held else []) == said(decide(world, NOW, POLICY)[1], Held)


def given_up(state: State = State.OK, since: float | None = NOW - 600.0) -> World:
    """Talos and the node given up; the node has been shown in a state since then."""
    world = shown(world_of(), node=state)
    moments = {} if since is None else {Layer.NODE: since}
    ledger = Ledger(holds=(*holds(None, layer=Layer.TALOS), *holds(5.0, None)))
    return replace(world, ledger=ledger, since={Layer.TALOS: NOW, **moments})


@pytest.mark.parametrize(
    ("world", "rearmed"),
    [
        (given_up(), True),
        (given_up(since=NOW - 599.0), False),
        (given_up(State.VERIFYING), False),
        (given_up(since=None), False),
        (replace(given_up(), states={}), False),
        (replace(given_up(), ledger=Ledger(holds=holds(NOW + 60.0))), False),
    ],
)
def test_a_recovery_that_lasts_rearms_its_layer(world: World, *, rearmed: bool) -> None:
    """Design §2: after ten minutes; all of its holds end, and no other layer's."""
    after, decisions = decide(world, NOW, POLICY)

    assert [Rearmed(Layer.NODE, "it has been well for 600 s")] * rearmed == said(decisions, Rearmed)
    assert ((Layer.NODE, NOW),) * rearmed == after.ledger.rearmed
    left = holds(None, layer=Layer.TALOS) if rearmed else world.ledger.holds
    assert left == after.ledger.holds


def test_earlier_recoveries_are_not_forgotten() -> None:
    """Each layer's own counts."""
    world = given_up()
    world = replace(world, ledger=replace(world.ledger, rearmed=((Layer.TALOS, 7.0),)))

    assert ((Layer.TALOS, 7.0), (Layer.NODE, NOW)) == decide(world, NOW, POLICY)[0].ledger.rearmed


def test_what_has_no_remedy_is_reported_once() -> None:
    """Per fingerprint; with the finding's own advice or the table's."""
    table = POLICY.ladders[Reason.DOCKER_SILENT].advice
    world, decisions = decide(shown(world_of(SILENT)), NOW, POLICY)
    assert [Reported(Layer.DOCKER, Reason.DOCKER_SILENT, "", "no answer", table)] == said(
        decisions, Reported
    )
    assert [] == said(decide(world, NOW, POLICY)[1], Reported)

    anew = replace(SILENT, fingerprint="2", advice="look there")
    view = View(Observation(Layer.DOCKER, (anew,)), NOW, {(anew.reason, ""): trouble_of(anew)})
    world, decisions = decide(seeing(world, view), NOW, POLICY)
    assert ["look there"] == [one.advice for one in said(decisions, Reported)]
    assert frozenset({(SILENT.reason, "", ""), (SILENT.reason, "", "2")}) == world.reported


def test_reports_wait_for_confirmation_and_for_what_lies_below() -> None:
    """And hide no other layer's."""
    first = Finding(Reason.NODE_NOT_READY, "not ready")
    pressed = Finding(Reason.NODE_PRESSURE, "memory")
    skew, job = Finding(Reason.CLOCK_SKEW, "9 s"), Finding(Reason.JOB_FAILED, "exit code 3")
    world = shown(world_of(SILENT, first, pressed, skew, job))
    assert [Layer.SSH, Layer.DOCKER, Layer.LAUNCHD] == sorted(
        (one.layer for one in said(decide(world, NOW, POLICY)[1], Reported)),
        key=list(Layer).index,
    )

    view = world_of(first, pressed).views[Layer.NODE]
    doubt: Trouble = replace(trouble_of(first), samples=1)
    world = seeing(shown(world_of()), replace(view, troubles={**view.troubles, doubt.key: doubt}))
    assert [Reason.NODE_PRESSURE] == [
        one.reason for one in said(decide(world, NOW, POLICY)[1], Reported)
    ]


def test_advice_is_not_told_beside_what_brought_it_about() -> None:
    """A Caddy that is down is told by its job, where there is one that launchd knows of."""
    caddy = Finding(Reason.CADDY_DOWN, "no `caddy run`", cause="com.joel.caddy")
    job = Finding(Reason.JOB_FAILED, "exit code 1", "com.joel.caddy", owner="com.joel.caddy")
    other = replace(job, target="com.joel.other", owner="com.joel.other")

    for beside, told in ((job, [Layer.LAUNCHD]), (other, [Layer.SERVICES, Layer.LAUNCHD])):
        _, decisions = decide(shown(world_of(caddy, beside)), NOW + 90.0, POLICY)
        reported = [one.layer for one in said(decisions, Reported)]
        assert sorted(told) == sorted(reported)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.DOCKER_FORWARD_DEAD,
        Reason.DOCKER_SILENT,
        Reason.API_UNREACHABLE,
        Reason.SERVICE_FORWARD_DEAD,
    ],
)
def test_silence_is_believed_the_third_time(reason: Reason) -> None:
    """Two answers in a row get lost on a tower that is well; nothing is done for that (I8)."""
    night = Night().see(ill(reason, evidence="no answer within 5 s"))
    night.run(6.0, every=6.0)
    assert [] == [*night.said(IncidentOpened), *night.said(Act)]

    night.now += 6.0
    night.look()
    assert [reason] == [one.reason for one in night.said(IncidentOpened)]


def test_what_has_a_remedy_is_not_reported() -> None:
    """It is answered; and hides no report beside it."""
    pressed = Finding(Reason.NODE_PRESSURE, "memory")
    _, decisions = decide(shown(world_of(TAINTED, pressed)), NOW, POLICY)

    assert [Reason.NODE_PRESSURE] == [one.reason for one in said(decisions, Reported)]


def test_changes_are_told_first_and_with_their_reason() -> None:
    """Each once; what stayed as it was is not told."""
    world = shown(world_of(SILENT), node=State.FAILING)
    after, decisions = decide(world, NOW, POLICY)

    assert (
        Changed(Layer.DOCKER, State.OK, State.FAILING, "no answer"),
        Changed(Layer.NODE, State.FAILING, State.OK, ""),
    ) == decisions[:2]
    assert 2 == len(said(decisions, Changed))
    assert (NOW, NOW) == (after.since[Layer.DOCKER], after.since[Layer.NODE])
    assert NOW - 3600.0 == after.since[Layer.HOST]
    assert (NOW, NOW) == (after.last_progress, after.recovered_at)


@pytest.mark.parametrize(
    ("was", "progress", "recovered"),
    [(State.UNKNOWN, NOW, 7.0), (State.HEALING, NOW, NOW), (State.OK, 0.0, 7.0)],
)
def test_only_what_was_ill_has_recovered(was: State, progress: float, recovered: float) -> None:
    """A layer that is first seen well is progress, and no recovery."""
    world = replace(shown(world_of(), node=was), recovered_at=7.0)
    after, _ = decide(world, NOW, POLICY)

    assert (progress, recovered) == (after.last_progress, after.recovered_at)


def test_a_layer_that_was_never_shown_was_unknown() -> None:
    """So the first look at a well layer changes it."""
    world = world_of()
    _, decisions = decide(world, NOW, POLICY)

    assert [(State.UNKNOWN, State.OK)] * len(Layer) == [
        (one.was, one.now) for one in said(decisions, Changed)
    ]


def test_a_layer_is_shown_healing_in_the_step_that_begins_its_act() -> None:
    """And its incident was opened before."""
    after, decisions = decide(shown(world_of(TAINTED)), NOW, POLICY)

    assert Changed(Layer.NODE, State.OK, State.HEALING, "untaint is under way") == decisions[0]
    assert State.HEALING is after.states[Layer.NODE]
    assert [IncidentOpened, Act] == [type(one) for one in decisions[1:]]
    assert "t-i1" == said(decisions, Act)[0].incident


def test_everything_that_follows_is_said_in_its_order() -> None:
    """What ended, held, re-armed; incidents, acts and refusals, reports; changes before all."""
    proved = act_of(Remedy.START_VM, Reason.COLIMA_STOPPED)
    world = shown(world_of(SILENT, UNLOADED, replace(TAINTED, reason=Reason.NODE_PRESSURE)))
    module = act_of(Remedy.LOAD_MODULES, Reason.BR_NETFILTER_MISSING)
    tries = tuple(
        tried(replace(module, id=f"m{n}"), NOW - 9e4 + n, verified=False) for n in range(3)
    )
    world = remembering(world, *tries)
    world = replace(
        world,
        verifying=(Verification(proved, NOW - 200.0, NOW - 80.0, NOW - 95.0, 9),),
        ledger=replace(world.ledger, holds=holds(None, layer=Layer.SERVICES)),
    )
    _, decisions = decide(world, NOW, POLICY)
    kinds = [type(one) for one in decisions if not isinstance(one, Changed)]

    assert [
        Verified,
        Held,
        Rearmed,
        IncidentOpened,
        Refused,
        Reported,
    ] == kinds
    assert isinstance(decisions[0], Changed)


def blocked_after_looks(samples: int = 3) -> World:
    """A tainted node above a silent docker; the taint was seen often."""
    world = world_of(SILENT, TAINTED)
    view = world.views[Layer.NODE]
    trouble = replace(trouble_of(TAINTED), samples=samples)
    return seeing(shown(world), replace(view, troubles={trouble.key: trouble}))


def test_looks_at_a_blocked_layer_are_taken_back() -> None:
    """I2: its troubles are followed, and nothing is counted; what blocks it keeps its own."""
    after, _ = decide(blocked_after_looks(), NOW, POLICY)
    (node,) = after.views[Layer.NODE].ordered
    (docker,) = after.views[Layer.DOCKER].ordered

    assert (TAINTED, NOW - 600.0, NOW, 0) == (node.finding, node.since, node.seen, node.samples)
    assert 99 == docker.samples
    assert set(Layer) == set(after.views)


def test_outcomes_do_not_matter_to_what_is_unfinished() -> None:
    """A run that was cut off and judged counts like any other."""
    runs = tuple(replace(one, outcome=Outcome.INTERRUPTED) for one in failures(3))
    world = remembering(shown(world_of(TAINTED)), *runs)

    assert 1 == len(said(decide(world, NOW, POLICY)[1], Held))
