"""Each rule at its edge: the moment at which it begins and ends to refuse, and what it says."""

from dataclasses import replace

import pytest

from healer.core.facts import Outcome, Pause, Rule
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt, Hold
from healer.core.observation import Component, Finding, ForeignOperation, Observation, Sign
from healer.core.reasons import Reason
from healer.core.refusing import Refusal, refusal
from healer.core.tower import Layer
from healer.core.world import Foreign, SeenSign, Verification, View, World
from tests.unit.core.worlds import (
    NOW,
    POLICY,
    act_of,
    case_of,
    remembering,
    seeing,
    tried,
    world_of,
)

STOPPED = Finding(Reason.COLIMA_STOPPED, "stopped")
TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
UNLOADED = Finding(Reason.BR_NETFILTER_MISSING, "no such file")
ZOMBIE = Finding(Reason.COLIMA_ZOMBIE, "silent")
FLANNEL = Finding(Reason.FLANNEL_CRASHING, "restarts")
LOST = Finding(Reason.POD_UNKNOWN, "Unknown", target="joelclaw/a@1", owner="a")
DELETE = act_of(Remedy.DELETE_POD, Reason.POD_UNKNOWN, target="joelclaw/b@2", owner="b")
LOAD = act_of(Remedy.LOAD_MODULES, Reason.BR_NETFILTER_MISSING)
JUST_WOKEN = "just booted or woken, or the clock was set"


@pytest.mark.parametrize("finding", [STOPPED, TAINTED, UNLOADED, FLANNEL, LOST])
def test_a_sure_trouble_may_be_answered(finding: Finding) -> None:
    """No rule speaks where all is known and nothing stands in the way."""
    assert None is refusal(case_of(world_of(finding), finding))


def test_a_run_without_accounts_says_why() -> None:
    """The policy's own words are handed on."""
    policy = replace(POLICY, no_acts_because="disk full")

    assert Refusal(Rule.UNACCOUNTED, "disk full") == refusal(
        case_of(world_of(STOPPED), STOPPED, policy=policy)
    )


@pytest.mark.parametrize(
    ("age", "expected"),
    [(30.0, None), (30.5, Refusal(Rule.UNKNOWN, "the last look is too old"))],
)
def test_a_look_is_good_for_half_a_minute(age: float, expected: Refusal | None) -> None:
    """I1: what was seen before that is not known."""
    assert expected == refusal(case_of(world_of(STOPPED, seen=NOW - age), STOPPED))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (View(Observation(Layer.HOST), NOW - 30.0), None),
        (View(Observation(Layer.HOST), NOW - 30.5), "the host was not looked at lately"),
        (View(Observation(Layer.HOST, others_unseen="no ps"), NOW), "no ps"),
        (None, "the host was not looked at lately"),
    ],
)
def test_the_host_must_have_been_seen(host: View | None, expected: str | None) -> None:
    """Only its look tells who else is at work."""
    world = world_of(STOPPED)
    views: dict[Layer, View] = dict(world.views)
    del views[Layer.HOST]
    if host is not None:
        views[Layer.HOST] = host
    refused = refusal(case_of(replace(world, views=views), STOPPED))

    assert (None if expected is None else Refusal(Rule.REQUIREMENT_UNSEEN, expected)) == refused


def test_a_blocked_layer_names_what_blocks_it() -> None:
    """I2: the lowest ill layer, and how it is."""
    world = world_of(STOPPED, TAINTED)

    assert Refusal(Rule.BLOCKED, "colima is failing") == refusal(case_of(world, TAINTED))


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (NOW, None),
        (NOW + 1.0, Refusal(Rule.PAUSED, "paused by joel: moving house")),
        (None, Refusal(Rule.PAUSED, "paused by joel: moving house")),
    ],
)
def test_a_pause_ends_at_its_time(until: float | None, expected: Refusal | None) -> None:
    """I3: not a moment before."""
    pause = Pause(Layer.NODE, until, "joel", "moving house")
    world = world_of(TAINTED)
    world = replace(world, ledger=replace(world.ledger, pauses=(pause,)))

    assert expected == refusal(case_of(world, TAINTED))


@pytest.mark.parametrize(
    ("until", "expected"),
    [(NOW, None), (NOW + 1.0, Refusal(Rule.GRACE, JUST_WOKEN, NOW + 1.0))],
)
def test_the_grace_after_a_wake_ends_at_its_time(until: float, expected: Refusal | None) -> None:
    """I16: and a refusal says when."""
    world = replace(world_of(UNLOADED), grace_until=until)
    policy = replace(POLICY, one_pass=False)

    assert expected == refusal(case_of(world, UNLOADED, policy=policy))


def theirs(layer: Layer, at: float = NOW) -> Foreign:
    """Somebody's start of a layer."""
    return Foreign(ForeignOperation(layer, "colima start", 4242, 3.0), at, at - 3.0)


@pytest.mark.parametrize(
    ("layers", "held"),
    [
        ((Layer.NODE,), True),
        ((Layer.COLIMA,), True),
        ((Layer.FLANNEL,), False),
        ((Layer.FLANNEL, Layer.COLIMA), True),
    ],
)
def test_somebodys_operation_holds_its_layer_and_all_above(
    layers: tuple[Layer, ...], *, held: bool
) -> None:
    """Design §10: what stands below it is not touched by it."""
    world = replace(world_of(TAINTED), foreign=tuple(theirs(one) for one in layers))
    said = Refusal(Rule.YIELDING, "waiting for `colima start` (pid 4242), not ours")

    assert (said if held else None) == refusal(case_of(world, TAINTED))


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ((theirs(Layer.COLIMA, NOW - 20.0),), None),
        ((theirs(Layer.COLIMA, NOW - 19.0),), NOW + 1.0),
        ((theirs(Layer.FLANNEL, NOW),), None),
        ((theirs(Layer.FLANNEL, NOW), theirs(Layer.DOCKER, NOW)), NOW + 20.0),
    ],
)
def test_what_somebody_started_is_given_time(
    ended: tuple[Foreign, ...], expected: float | None
) -> None:
    """For twenty seconds after their operation has ended."""
    world = replace(world_of(TAINTED), foreign_ended=ended)
    detail = "`colima start` has just ended, and was not ours"
    said = None if expected is None else Refusal(Rule.YIELDING, detail, expected)

    assert said == refusal(case_of(world, TAINTED))


@pytest.mark.parametrize(
    ("until", "rule"), [(None, Rule.GAVE_UP), (NOW + 60.0, Rule.HELD), (NOW, None)]
)
def test_a_held_layer_rests(until: float | None, rule: Rule | None) -> None:
    """Until its time, or for ever."""
    world = world_of(TAINTED)
    hold = Hold(Layer.NODE, Reason.NODE_TAINTED, until, "3 runs did not help")
    world = replace(world, ledger=replace(world.ledger, holds=(hold,)))
    said = None if rule is None else Refusal(rule, "3 runs did not help", until)

    assert said == refusal(case_of(world, TAINTED))


@pytest.mark.parametrize(
    ("seen", "ago", "until"),
    [(NOW, 600.0, None), (NOW, 599.0, NOW + 1.0), (NOW - 10.0, 595.0, None), (NOW, None, None)],
)
def test_a_humans_stop_is_respected_for_its_patience(
    seen: float, ago: float | None, until: float | None
) -> None:
    """I15: counted from the stop itself, not from the look that saw it."""
    finding = replace(STOPPED, human_ago=ago)
    detail = "stopped on purpose; started after a while"
    said = None if until is None else Refusal(Rule.HUMAN_STOPPED, detail, until)

    assert said == refusal(case_of(world_of(finding, seen=seen), finding))


CYCLE = act_of(Remedy.CYCLE_VM, Reason.COLIMA_ZOMBIE)
CYCLE_CAP = POLICY.limits[Remedy.CYCLE_VM].cap


@pytest.mark.parametrize(
    ("attempt", "ours"),
    [
        (tried(CYCLE, NOW - 59.0, ended=NOW), True),
        (tried(CYCLE, NOW - 58.5, ended=NOW), False),
        (tried(CYCLE, NOW - 90.0, ended=NOW - 61.0), True),
        (tried(CYCLE, NOW - 90.0, ended=NOW - 61.5), False),
        (tried(CYCLE, NOW - 61.0 - CYCLE_CAP, None), True),
        (tried(CYCLE, NOW - 61.5 - CYCLE_CAP, None), False),
        (tried(CYCLE, NOW - 90.0, Outcome.NOT_NEEDED, ended=NOW), False),
        (tried(replace(CYCLE, remedy=Remedy.START_VM), NOW - 90.0, ended=NOW), False),
        (tried(replace(CYCLE, remedy=Remedy.RESTART_CONTAINER), NOW - 90.0, ended=NOW), False),
        (tried(replace(CYCLE, remedy=Remedy.FORCE_CYCLE_VM), NOW - 90.0, ended=NOW), True),
    ],
)
def test_a_stop_within_our_own_cycle_is_no_humans(attempt: Attempt, *, ours: bool) -> None:
    """One second of rounding on either side; without an end, as long as it may have taken."""
    finding = replace(STOPPED, human_ago=60.0)
    world = remembering(world_of(finding), tried(LOAD, NOW - 90.0, ended=NOW), attempt)
    refused = refusal(case_of(world, finding))
    detail = "stopped on purpose; started after a while"

    assert (None if ours else Refusal(Rule.HUMAN_STOPPED, detail, NOW + 540.0)) == refused


@pytest.mark.parametrize(
    ("boot", "ours"),
    [(NOW - 91.5, True), (NOW - 91.0, False), (NOW - 62.0, False), (NOW - 61.0, True)],
)
def test_a_stop_after_the_boot_that_ours_led_to_is_a_humans(boot: float, *, ours: bool) -> None:
    """I15: a boot between our act and the stop, each told to the second, ends what was ours."""
    finding = replace(STOPPED, human_ago=60.0)
    world = remembering(world_of(finding), tried(CYCLE, NOW - 90.0, ended=NOW))
    world = replace(world, ledger=replace(world.ledger, vm_boots=(boot,)))
    detail = "stopped on purpose; started after a while"
    said = None if ours else Refusal(Rule.HUMAN_STOPPED, detail, NOW + 540.0)

    assert said == refusal(case_of(world, finding))


@pytest.mark.parametrize(
    ("ripe_in", "until"), [(0.0, None), (5.0, None), (5.5, NOW + 0.5), (60.0, NOW + 55.0)]
)
def test_a_pod_is_ripe_by_its_own_clock(ripe_in: float, until: float | None) -> None:
    """Counted from the look that said so."""
    finding = replace(LOST, ripe_in=ripe_in)
    said = None if until is None else Refusal(Rule.NOT_RIPE, "too early to touch it", until)

    assert said == refusal(case_of(world_of(finding, seen=NOW - 5.0), finding))


def test_who_is_at_work_on_it_is_named() -> None:
    """So that nobody reads of an act that is put off again and again."""
    finding = replace(LOST, ripe_in=15.0, waits_for="systemd: docker.service is activating")
    detail = "waiting: systemd: docker.service is activating"

    assert Refusal(Rule.NOT_RIPE, detail, NOW + 15.0) == refusal(
        case_of(world_of(finding), finding)
    )


@pytest.mark.parametrize(
    ("boots", "until"),
    [
        ((NOW - 900.0, NOW - 500.0, NOW - 100.0), None),
        ((NOW - 899.0, NOW - 500.0, NOW - 100.0), NOW + 1.0),
        ((NOW - 500.0, NOW - 100.0), None),
        ((NOW - 100.0, NOW - 29.0, NOW), NOW + 800.0),
    ],
)
def test_three_boots_within_a_quarter_of_an_hour_are_a_crash_loop(
    boots: tuple[float, ...], until: float | None
) -> None:
    """R18: no start until the first of them is long enough ago."""
    world = world_of(STOPPED)
    world = replace(world, ledger=replace(world.ledger, vm_boots=boots))
    detail = "the VM booted 3 times within 900 s"
    said = None if until is None else Refusal(Rule.CRASH_LOOP, detail, until)

    assert said == refusal(case_of(world, STOPPED))


def test_a_crash_loop_of_the_vm_forbids_nothing_inside_it() -> None:
    """A module is loaded whatever the VM did before."""
    world = world_of(UNLOADED)
    boots = (NOW - 3.0, NOW - 2.0, NOW - 1.0)
    world = replace(world, ledger=replace(world.ledger, vm_boots=boots))

    assert None is refusal(case_of(world, UNLOADED))


def test_a_requirement_must_be_known_to_be_well() -> None:
    """Flannel's delete needs the kernel seen (design §10)."""
    world = world_of(FLANNEL)
    blind = View(Observation(Layer.KERNEL, unknown="no ssh"), NOW)
    world = seeing(world, blind)

    assert Refusal(Rule.REQUIREMENT_UNSEEN, "kernel must be well, and is unknown") == refusal(
        case_of(world, FLANNEL)
    )


def test_a_requirement_that_is_being_proved_is_well_enough() -> None:
    """The VM's 90 s window runs beside the repairs above it (design §10)."""
    proving = Verification(LOAD, NOW - 9.0, NOW + 60.0, NOW - 5.0, 1)
    world = replace(world_of(FLANNEL), verifying=(proving,))

    assert None is refusal(case_of(world, FLANNEL))


def lost_pods(ill: int, targets: int) -> World:
    """So many pods lost, each of another owner, of so many owners in all."""
    others = (
        Finding(Reason.POD_UNKNOWN, "Unknown", target=f"joelclaw/p{n}@{n}", owner=f"o{n}")
        for n in range(1, ill)
    )
    return world_of(LOST, *others, targets=targets)


STORM = Refusal(Rule.STORM_BRAKE, "most workloads are ill at once; one at a time")
PROVING = Verification(DELETE, NOW - 9.0, NOW + 60.0)


@pytest.mark.parametrize(
    ("ill", "targets", "brake"),
    [(4, 7, True), (4, 8, False), (3, 3, False), (5, 8, True)],
)
def test_a_storm_is_four_owners_and_more_than_half(ill: int, targets: int, *, brake: bool) -> None:
    """Design §10: then one delete at a time."""
    world = replace(lost_pods(ill, targets), verifying=(PROVING,))

    assert (STORM if brake else None) == refusal(case_of(world, LOST))


def test_a_storm_counts_what_healer_may_not_delete() -> None:
    """Eight of twelve fail, and only one of them is healer's: the cause lies below all the same."""
    others = (
        Finding(reason, "ill", target=f"joelclaw/p{n}@{n}", owner=f"o{n}")
        for n, reason in enumerate((Reason.POD_UNMANAGED, Reason.POD_CRASH_LOOP) * 4)
    )
    setup = Finding(Reason.STORAGE_CLASS, "none is the default", owner="a setting")
    world = replace(world_of(LOST, *others, setup, targets=17), verifying=(PROVING,))
    calmer = replace(world_of(LOST, *others, setup, targets=18), verifying=(PROVING,))

    assert STORM == refusal(case_of(world, LOST))
    assert None is refusal(case_of(calmer, LOST))


def test_pods_of_one_owner_are_no_storm() -> None:
    """The brake counts owners; a finding without one counts for none."""
    one_owner = tuple(replace(LOST, target=f"joelclaw/a@{n}") for n in range(2, 6))
    nobodys = tuple(replace(LOST, target=f"joelclaw/x@{n}", owner="") for n in range(3))
    three = tuple(replace(LOST, target=f"joelclaw/{n}@9", owner=f"o{n}") for n in range(2))
    world = replace(world_of(LOST, *one_owner, *nobodys, *three, targets=3), verifying=(PROVING,))

    assert None is refusal(case_of(world, LOST))


@pytest.mark.parametrize(
    ("attempt", "brake"),
    [
        (tried(DELETE, NOW - 599.0, verified=False), True),
        (tried(DELETE, NOW - 600.0, verified=False), False),
        (tried(DELETE, NOW - 100.0, verified=True), False),
        (tried(DELETE, NOW - 100.0, verified=None), False),
        (tried(LOAD, NOW - 100.0, verified=False), False),
    ],
)
def test_a_delete_that_failed_lately_keeps_the_brake_on(attempt: Attempt, *, brake: bool) -> None:
    """One delete per verified recovery, for ten minutes."""
    world = remembering(lost_pods(5, 6), attempt)

    assert (STORM if brake else None) == refusal(case_of(world, LOST))


def test_the_first_delete_in_a_storm_is_allowed() -> None:
    """And a proof of something else is no delete."""
    proving_else = replace(PROVING, act=LOAD)
    world = replace(lost_pods(5, 6), verifying=(proving_else,))

    assert None is refusal(case_of(world, LOST))


def test_a_storm_of_pods_brakes_nothing_else() -> None:
    """Only deletes of pods wait for one another."""
    findings = [one.finding for one in lost_pods(5, 6).views[Layer.PODS].ordered]
    world = replace(world_of(TAINTED, *findings, targets=6), verifying=(PROVING,))

    assert None is refusal(case_of(world, TAINTED))


def deletes(*owners: str) -> World:
    """A lost pod, and deletes for these owners that are being proved."""
    waiting = tuple(
        Verification(replace(DELETE, id=f"old-{n}", owner=owner), NOW - 9.0, NOW + 60.0)
        for n, owner in enumerate(owners)
    )
    return replace(world_of(LOST, targets=9), verifying=waiting)


@pytest.mark.parametrize(
    ("world", "detail"),
    [
        (deletes("b", "c"), None),
        (deletes("b", "c", "d"), "3 deletes are being verified"),
        (deletes("b", "a"), "another pod of this owner is being verified"),
        (replace(deletes(), verifying=(replace(PROVING, act=replace(LOAD, owner="a")),)), None),
    ],
)
def test_deletes_prove_themselves_a_few_at_a_time(world: World, detail: str | None) -> None:
    """Three in all, one an owner (facts/talos-kubernetes.md §4)."""
    said = None if detail is None else Refusal(Rule.OWNER_BUSY, detail)

    assert said == refusal(case_of(world, LOST))


CORDONED = Finding(Reason.CORDONED_BY_HUMAN, "unschedulable")
DRIFTED = Finding(Reason.LIVEKIT_PROBE_DRIFT, "differs")
STUCK = Finding(Reason.POD_STUCK_TERMINATING, "hangs", target="joelclaw/a@1", owner="a")
NO_PLACE = Refusal(Rule.NO_PLACE, "the node is cordoned by a human; a new pod would stay Pending")


@pytest.mark.parametrize(
    ("finding", "expected"),
    [(LOST, NO_PLACE), (DRIFTED, NO_PLACE), (STUCK, None), (FLANNEL, None), (TAINTED, None)],
)
def test_no_pod_is_replaced_while_a_human_s_cordon_stands(
    finding: Finding, expected: Refusal | None
) -> None:
    """Its successor would find no node; flannel tolerates a cordon, a hanging pod is gone."""
    world = world_of(CORDONED, finding)

    assert expected == refusal(case_of(world, finding))


def test_a_layer_above_does_not_wait_for_deletes() -> None:
    """An owner's delete holds back other deletes only."""
    finding = replace(TAINTED, owner="a")
    world = replace(
        world_of(finding), verifying=(replace(PROVING, act=replace(DELETE, owner="a")),)
    )

    assert None is refusal(case_of(world, finding))


def seen_sign(
    what: str,
    *depends_on: Component,
    alive: bool = False,
    since: float = NOW - 60.0,
    at: float = NOW,
) -> SeenSign:
    """What one question heard."""
    return SeenSign(Sign(what, frozenset(depends_on), alive), since, at)


VM = (Component.DRIVER, Component.GUEST)
SSH = (Component.USERNET, Component.SSHD, *VM)
SOCKET = (Component.MUX, Component.USERNET, Component.DOCKERD, *VM)
BY_MUX = (*SOCKET, Component.PORT_FORWARDER, Component.CONTAINER)
BY_GRPC = (
    Component.HOSTAGENT,
    Component.PORT_FORWARDER,
    Component.DOCKERD,
    Component.CONTAINER,
    *VM,
)
SSH_DEAD = seen_sign("ssh", *SSH)
MUX_DEAD = seen_sign("mux", *SOCKET)
PORT_DEAD = seen_sign("port", *BY_GRPC)
USERNET = seen_sign("usernet", Component.USERNET, alive=True)
NO_USERNET = seen_sign("usernet", Component.USERNET)
NO_DRIVER = seen_sign("driver", Component.DRIVER)
DRIVER = seen_sign("driver", Component.DRIVER, alive=True)
NO_HOSTAGENT = seen_sign("hostagent", Component.HOSTAGENT)


def by_what(*signs: SeenSign) -> dict[str, SeenSign]:
    """Signs as a world keeps them."""
    return {one.sign.what: one for one in signs}


def witnessed(*signs: SeenSign, finding: Finding = ZOMBIE) -> Refusal | None:
    """What is said of a restart of the VM on the word of these."""
    return refusal(case_of(replace(world_of(finding), signs=by_what(*signs)), finding))


@pytest.mark.parametrize(
    ("signs", "have"),
    [
        ((), "none"),
        ((SSH_DEAD,), "ssh"),
        ((SSH_DEAD, seen_sign("ssh again", *SSH)), "ssh"),
        ((SSH_DEAD, MUX_DEAD), "ssh; usernet alone may silence all of them"),
        ((SSH_DEAD, MUX_DEAD, NO_USERNET), "none; usernet is dead, which explains silence"),
        (
            (SSH_DEAD, MUX_DEAD, seen_sign("port", *BY_MUX), NO_USERNET, NO_HOSTAGENT),
            "none; usernet is dead, which explains silence",
        ),
        (
            (SSH_DEAD, MUX_DEAD, PORT_DEAD, NO_USERNET),
            "port; usernet is dead, which explains silence",
        ),
        (
            (SSH_DEAD, PORT_DEAD, NO_HOSTAGENT),
            "ssh; hostagent is dead, which explains silence",
        ),
        ((SSH_DEAD, NO_HOSTAGENT), "ssh"),
        (
            (SSH_DEAD, PORT_DEAD, NO_USERNET, NO_HOSTAGENT),
            "none; hostagent and usernet is dead, which explains silence",
        ),
        (
            (MUX_DEAD, seen_sign("port", *BY_MUX)),
            "mux; dockerd or mux or usernet alone may silence all of them",
        ),
        ((MUX_DEAD, PORT_DEAD), "mux; dockerd alone may silence all of them"),
        ((SSH_DEAD, replace(MUX_DEAD, at=NOW - 30.5), USERNET), "ssh"),
        ((SSH_DEAD, MUX_DEAD, replace(USERNET, at=NOW - 30.5)), "ssh; usernet alone"),
        ((SSH_DEAD, seen_sign("API", Component.API_SERVER)), "ssh"),
        ((NO_DRIVER,), "driver"),
    ],
)
def test_silences_of_one_cause_are_one_witness(signs: tuple[SeenSign, ...], have: str) -> None:
    """I5: however many they are, and though the cause itself is seen to be dead."""
    refused = witnessed(*signs)

    assert refused is not None
    assert (Rule.WITNESSES_MISSING, None) == (refused.rule, refused.until)
    assert f"2 independent witnesses of death needed; have {have}" in refused.detail


@pytest.mark.parametrize(
    "signs",
    [
        (SSH_DEAD, MUX_DEAD, USERNET),
        (SSH_DEAD, MUX_DEAD, replace(USERNET, at=NOW - 30.0)),
        (SSH_DEAD, replace(MUX_DEAD, at=NOW - 30.0), USERNET),
        (SSH_DEAD, PORT_DEAD),
        (SSH_DEAD, MUX_DEAD, PORT_DEAD, USERNET, NO_HOSTAGENT),
        (MUX_DEAD, NO_DRIVER),
        (SSH_DEAD, PORT_DEAD, DRIVER),
    ],
)
def test_two_silences_that_no_other_cause_explains_are_enough(signs: tuple[SeenSign, ...]) -> None:
    """I5: a living process proves nothing of the guest in it."""
    assert None is witnessed(*signs)


@pytest.mark.parametrize("last", [SSH_DEAD, MUX_DEAD, PORT_DEAD, seen_sign("late", *BY_GRPC)])
def test_what_fell_silent_last_must_have_lasted(last: SeenSign) -> None:
    """I5: others may have been silent for long, but this one answered a moment ago."""
    signs = (SSH_DEAD, MUX_DEAD, PORT_DEAD, USERNET, replace(last, since=NOW - 59.0))
    detail = "60 s of silence needed; silent: mux, ssh"

    assert Refusal(Rule.WITNESSES_MISSING, detail, NOW + 1.0) == witnessed(*signs)
    assert None is witnessed(*signs[:-1], replace(last, since=NOW - 60.0))


@pytest.mark.parametrize(("age", "asked"), [(30.0, True), (30.5, False), (None, False)])
def test_ports_must_have_been_asked_before_a_disruption(age: float | None, *, asked: bool) -> None:
    """I6: who was not asked within the time that a sign is fresh for has not been silent."""
    world = replace(world_of(ZOMBIE), signs=by_what(SSH_DEAD, MUX_DEAD, USERNET))
    views: dict[Layer, View] = dict(world.views)
    del views[Layer.SERVICES]
    if age is not None:
        views[Layer.SERVICES] = View(Observation(Layer.SERVICES), NOW - age)
    detail = "services was not asked lately"
    said = None if asked else Refusal(Rule.WITNESSES_MISSING, detail)

    assert said == refusal(case_of(replace(world, views=views), ZOMBIE))


@pytest.mark.parametrize(
    ("unknown", "signs", "refused"),
    [
        ("ssh: not on PATH", (SSH_DEAD, PORT_DEAD), True),
        ("ssh: not on PATH", (NO_DRIVER, MUX_DEAD), False),
        ("", (SSH_DEAD, PORT_DEAD), False),
    ],
)
def test_a_blind_look_at_the_way_forbids_what_it_may_explain(
    unknown: str, signs: tuple[SeenSign, ...], *, refused: bool
) -> None:
    """Only ssh's look sees a dead usernet; a driver that is seen dead needs no other proof."""
    world = replace(world_of(ZOMBIE), signs=by_what(*signs))
    world = seeing(world, View(Observation(Layer.SSH, unknown=unknown), NOW))
    detail = "ssh could not be seen, and may know of another cause: ssh: not on PATH"
    said = Refusal(Rule.WITNESSES_MISSING, detail) if refused else None

    assert said == refusal(case_of(world, ZOMBIE))


def test_a_way_that_nobody_ever_looked_at_is_blind_too() -> None:
    """A daemon that has just begun knows nothing of it."""
    world = replace(world_of(ZOMBIE), signs=by_what(SSH_DEAD, PORT_DEAD))
    views: dict[Layer, View] = dict(world.views)
    del views[Layer.SSH]
    detail = "ssh could not be seen, and may know of another cause: never looked at"

    assert Refusal(Rule.WITNESSES_MISSING, detail) == refusal(
        case_of(replace(world, views=views), ZOMBIE)
    )


def test_witnesses_are_named_in_a_fixed_order() -> None:
    """I17: the same words however the set was filled."""
    ladders = dict(POLICY.ladders)
    ladder = ladders[Reason.COLIMA_ZOMBIE]
    asked = ladder.rungs[0].witnesses
    assert asked is not None
    rung = replace(ladder.rungs[0], witnesses=replace(asked, count=3))
    ladders[Reason.COLIMA_ZOMBIE] = replace(ladder, rungs=(rung,))
    world = replace(world_of(ZOMBIE), signs=by_what(SSH_DEAD, MUX_DEAD, USERNET))
    detail = "3 independent witnesses of death needed; have mux, ssh"

    assert Refusal(Rule.WITNESSES_MISSING, detail) == refusal(
        case_of(world, ZOMBIE, policy=replace(POLICY, ladders=ladders))
    )


WEDGED = Finding(Reason.DOCKER_MUX_WEDGED, "silent")
ENGINE_INSIDE = seen_sign("engine", *SSH, Component.DOCKERD, alive=True)


@pytest.mark.parametrize(
    ("signs", "detail"),
    [
        ((MUX_DEAD, ENGINE_INSIDE), None),
        ((MUX_DEAD,), "nothing proves that dockerd lives"),
        ((ENGINE_INSIDE,), "1 independent witnesses of death needed; have none"),
    ],
)
def test_a_master_is_accused_by_what_answers_behind_it(
    signs: tuple[SeenSign, ...], detail: str | None
) -> None:
    """One silence is enough where all else on its way is proved to live."""
    said = None if detail is None else Refusal(Rule.WITNESSES_MISSING, detail)

    assert said == witnessed(*signs, finding=WEDGED)


@pytest.mark.parametrize(
    ("sign", "vetoes"),
    [
        (seen_sign("life", *BY_GRPC, alive=True), True),
        (seen_sign("life", *BY_GRPC, alive=True, since=NOW), True),
        (seen_sign("life", *BY_GRPC, alive=True, at=NOW - 30.0), True),
        (seen_sign("life", *BY_GRPC, alive=True, at=NOW - 30.5), False),
        (seen_sign("life", Component.HOSTAGENT, alive=True), False),
        (seen_sign("life", Component.DRIVER, alive=True), False),
        (seen_sign("life", *SSH, alive=True), True),
    ],
)
def test_a_fresh_sign_of_life_vetoes(sign: SeenSign, *, vetoes: bool) -> None:
    """I6: whatever the dead say; what does not come out of the guest proves nothing of it."""
    said = Refusal(Rule.WITNESS_ALIVE, "life answers")

    assert (said if vetoes else None) == witnessed(SSH_DEAD, MUX_DEAD, USERNET, sign)


@pytest.mark.parametrize(
    ("attempt", "used"),
    [
        (tried(act_of(Remedy.UNTAINT, Reason.NODE_TAINTED, event="u/1"), 1.0, None), True),
        (tried(act_of(Remedy.UNTAINT, Reason.NODE_TAINTED, event="u/2"), 1.0), False),
        (
            tried(
                act_of(Remedy.UNTAINT, Reason.NODE_TAINTED, event="u/1"), 1.0, Outcome.NOT_NEEDED
            ),
            False,
        ),
    ],
)
def test_an_event_is_used_once(attempt: Attempt, *, used: bool) -> None:
    """I11: a run that found nothing to do does not use it up."""
    finding = replace(FLANNEL, event="u/1")
    said = Refusal(Rule.EVENT_USED, "this event was answered already")

    assert (said if used else None) == refusal(
        case_of(remembering(world_of(finding), attempt), finding)
    )


def test_what_has_no_event_may_be_answered_again() -> None:
    """Attempts without an event share no event."""
    world = remembering(world_of(TAINTED), tried(act_of(Remedy.UNTAINT, Reason.NODE_TAINTED), 1.0))

    assert None is refusal(case_of(world, TAINTED))


def needless(*ends: float, outcome: Outcome = Outcome.NOT_NEEDED) -> tuple[Attempt, ...]:
    """Runs that found nothing to do, and when each ended."""
    return tuple(
        tried(replace(LOAD, id=f"old-{n}"), end - 1.0, outcome, ended=end)
        for n, end in enumerate(ends)
    )


@pytest.mark.parametrize(
    ("runs", "refused", "until"),
    [
        (needless(NOW - 10.0), False, None),
        (needless(NOW - 9.0), True, NOW + 1.0),
        (needless(NOW - 99.0, NOW - 20.0), False, None),
        (needless(NOW - 99.0, NOW - 19.0), True, NOW + 1.0),
        (needless(NOW - 1999.0, NOW - 1960.0, NOW - 1799.0), True, None),
        (needless(NOW - 1999.0, NOW - 1960.0, NOW - 1800.0), False, None),
        (needless(NOW - 3600.0, NOW - 19.0), False, None),
        (needless(NOW - 3598.5, NOW - 19.0), True, NOW + 1.0),
        (needless(NOW - 3599.0, NOW - 15.0), False, None),
        ((replace(needless(NOW)[0], at=NOW - 9.0, ended=None),), True, NOW + 1.0),
    ],
)
def test_what_was_found_needless_is_asked_again_later_and_later(
    runs: tuple[Attempt, ...], until: float | None, *, refused: bool
) -> None:
    """After 10 and 20 s; from the third time on after half an hour, for which nobody waits."""
    world = remembering(world_of(UNLOADED), *runs)
    said = Refusal(Rule.NOT_NEEDED, "it said so", until)

    assert (said if refused else None) == refusal(case_of(world, UNLOADED))


def test_a_limit_refuses_in_its_own_words() -> None:
    """Rule, detail and end are those of the limit."""
    run = tried(act_of(Remedy.DELETE_FLANNEL_POD, Reason.FLANNEL_CRASHING), NOW - 20.0)
    world = remembering(world_of(FLANNEL), run)

    assert Refusal(Rule.COOLDOWN, "120 s lie between two runs", NOW + 100.0) == refusal(
        case_of(world, FLANNEL)
    )


def test_a_limit_counts_by_target() -> None:
    """A cooldown of one pod is none of another."""
    elsewhere = tried(DELETE, NOW - 1.0, verified=True)

    assert None is refusal(case_of(remembering(world_of(LOST), elsewhere), LOST))


def test_a_busy_layer_names_its_act() -> None:
    """I7: one act a layer."""
    uncordon = act_of(Remedy.UNCORDON, Reason.CORDONED_BY_HUMAN)
    world = replace(world_of(TAINTED), acting=(LOAD, uncordon))

    assert Refusal(Rule.BUSY_LAYER, "uncordon is under way") == refusal(case_of(world, TAINTED))


@pytest.mark.parametrize(
    ("under_way", "refused"),
    [(Remedy.RESTART_CONTAINER, True), (Remedy.SET_MEMORY_LIMIT, False)],
)
def test_one_disruption_in_all(under_way: Remedy, *, refused: bool) -> None:
    """I7: the VM is not cycled while Talos is being restarted."""
    elsewhere = act_of(under_way, Reason.MEMORY_LIMIT)
    signs = by_what(SSH_DEAD, MUX_DEAD, USERNET)
    world = replace(world_of(ZOMBIE), acting=(elsewhere,), signs=signs)
    said = Refusal(Rule.BUSY_DISRUPTIVE, "restart_container is under way")

    assert (said if refused else None) == refusal(case_of(world, ZOMBIE))


def test_a_disruption_elsewhere_lets_a_gentle_act_be() -> None:
    """I7: gentle acts on other layers go on."""
    elsewhere = act_of(Remedy.RESTART_CONTAINER, Reason.MEMORY_LIMIT)
    world = replace(world_of(STOPPED), acting=(elsewhere,))

    assert None is refusal(case_of(world, STOPPED))


@pytest.mark.parametrize("before", [None, NOW + 1.0, NOW])
def test_the_deadline_is_the_first_moment_without_acts(before: float | None) -> None:
    """A pass begins nothing from then on."""
    said = Refusal(Rule.DEADLINE, "the deadline of this pass is over") if before == NOW else None
    policy = replace(POLICY, act_before=before)

    assert said == refusal(case_of(world_of(STOPPED), STOPPED, policy=policy))


@pytest.mark.parametrize("remedy", [Remedy.RESTART_CONTAINER, Remedy.CYCLE_VM])
def test_what_stands_on_a_restarted_part_stops_with_it(remedy: Remedy) -> None:
    """The container within our restart of it, and within our cycle of the VM below it."""
    finding = Finding(Reason.TALOS_STOPPED, "exited", human_ago=5.0)
    ours = tried(act_of(remedy, Reason.TALOS_WEDGED), NOW - 9.0, ended=NOW)

    assert None is refusal(case_of(remembering(world_of(finding), ours), finding))
