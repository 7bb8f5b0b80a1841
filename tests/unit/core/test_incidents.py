"""When an incident opens, what it takes in, and when it is over."""

from dataclasses import replace

import pytest

from healer.core.facts import IncidentOpened, IncidentResolved, State
from healer.core.incidents import follow_incidents, incident_of, resolving
from healer.core.judging import Judgement
from healer.core.ledger import Incident
from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from tests.unit.core.worlds import NOW, POLICY, world_of

TAINTED = Finding(Reason.NODE_TAINTED, "tainted")
SKEWED = Finding(Reason.NETWORK_NOT_READY, "no cni")
STOPPED = Finding(Reason.COLIMA_STOPPED, "stopped")
UNLOADED = Finding(Reason.BR_NETFILTER_MISSING, "no such file")


def judged(states: dict[Layer, State], rest: State = State.OK) -> dict[Layer, Judgement]:
    """These layers in these states, all others in one."""
    return {layer: Judgement(states.get(layer, rest)) for layer in Layer}


@pytest.mark.parametrize("state", [State.FAILING, State.HELD, State.GAVE_UP])
def test_a_confirmed_root_opens_an_incident(state: State) -> None:
    """With a number of its own, its first gating reason and its evidence."""
    world = replace(world_of(SKEWED, TAINTED), serial=6)
    after, said = follow_incidents(world, judged({Layer.NODE: state}), NOW, POLICY)

    assert [IncidentOpened("t-i7", Layer.NODE, Reason.NODE_TAINTED, "tainted")] == said
    assert (Incident("t-i7", NOW, frozenset({Layer.NODE})),) == after.incidents
    assert 7 == after.serial


@pytest.mark.parametrize(
    "state", sorted(set(State) - {State.FAILING, State.HELD, State.GAVE_UP}, key=str)
)
def test_nothing_else_opens_one(state: State) -> None:
    """What is not confirmed, or hangs on something else, is no root."""
    _, said = follow_incidents(world_of(TAINTED), judged({Layer.NODE: state}), NOW, POLICY)

    assert [] == said


def test_two_roots_apart_are_two_incidents() -> None:
    """A job of launchd's and a silent port carry nothing in common."""
    job = Finding(Reason.JOB_NOT_RUNNING, "exit code 1", "com.joel.caddy")
    states = judged({Layer.SERVICES: State.FAILING, Layer.LAUNCHD: State.FAILING})
    after, said = follow_incidents(world_of(SILENT, job), states, NOW, POLICY)

    assert [Layer.SERVICES, Layer.LAUNCHD] == [
        one.layer for one in said if isinstance(one, IncidentOpened)
    ]
    assert ["t-i1", "t-i2"] == [one.id for one in after.incidents]


ALL_OK = dict.fromkeys(Layer, State.OK)
ELSEWHERE = Incident("old-i1", NOW - 50.0, frozenset({Layer.KERNEL}))


@pytest.mark.parametrize("root", [Layer.NODE, Layer.FLANNEL, Layer.COLIMA, Layer.SERVICES])
def test_a_root_above_or_below_an_open_one_is_a_part_of_it(root: Layer) -> None:
    """One root cause and what it uncovers are one incident (design §2)."""
    open_one = Incident("old-i2", NOW - 60.0, frozenset({Layer.NODE}))
    world = replace(world_of(TAINTED), incidents=(open_one,))
    states = judged({root: State.FAILING, Layer.NODE: State.FAILING})
    after, said = follow_incidents(world, states, NOW, POLICY)

    assert [] == said
    assert (replace(open_one, layers=frozenset({Layer.NODE, root})),) == after.incidents
    assert 0 == after.serial


def test_only_the_incident_that_is_near_grows() -> None:
    """Talos stands on docker and not on the kernel."""
    near = Incident("old-i2", NOW - 60.0, frozenset({Layer.DOCKER}))
    world = replace(world_of(), incidents=(ELSEWHERE, near))
    ill = (Layer.KERNEL, Layer.DOCKER, Layer.TALOS)
    states = judged(dict.fromkeys(ill, State.FAILING))
    after, _ = follow_incidents(world, states, NOW, POLICY)

    wider = replace(near, layers=frozenset({Layer.DOCKER, Layer.TALOS}))
    assert (ELSEWHERE, wider) == after.incidents


@pytest.mark.parametrize(("ago", "incidents"), [(119.0, 1), (120.0, 2)])
def test_two_roots_that_carry_the_same_layers_are_one_event(ago: float, incidents: int) -> None:
    """A killed container and a missing module, one found soon after the other; later it is new."""
    earlier = Incident("old-i1", NOW - ago, frozenset({Layer.TALOS}))
    world = replace(world_of(UNLOADED), incidents=(earlier,))
    states = judged({Layer.TALOS: State.FAILING, Layer.KERNEL: State.FAILING})
    after, _ = follow_incidents(world, states, NOW, POLICY)

    assert incidents == len(after.incidents)


def test_a_layer_knows_its_incident() -> None:
    """Or that it has none."""
    world = World(incidents=(ELSEWHERE, Incident("old-i2", NOW, frozenset({Layer.NODE}))))

    assert ["old-i1", "old-i2", ""] == [
        incident_of(world, one) for one in (Layer.KERNEL, Layer.NODE, Layer.HOST)
    ]


def quiet(*incidents: Incident, **since: float) -> World:
    """Incidents, and every layer shown well for an hour, or since then."""
    shown = {layer: since.get(layer.value, NOW - 3600.0) for layer in Layer}
    return World(incidents=incidents, since=shown, states=ALL_OK)


@pytest.mark.parametrize(
    ("states", "over"),
    [
        ({}, True),
        ({Layer.NODE: State.UNKNOWN}, False),
        ({Layer.NODE: State.VERIFYING}, False),
        ({Layer.PODS: State.UNKNOWN}, True),
        ({Layer.PODS: State.SUSPECT}, False),
        ({Layer.FLANNEL: State.BLOCKED}, False),
        ({Layer.HOST: State.SUSPECT}, True),
    ],
)
def test_an_incident_is_over_when_all_it_touched_is_well(
    states: dict[Layer, State], *, over: bool
) -> None:
    """Its own layers seen well, and what stands on them neither ill nor in doubt."""
    open_one = Incident("old-i2", NOW - 60.0, frozenset({Layer.NODE}))
    world = quiet(open_one)
    world = replace(world, states={**world.states, **states})
    after, said = follow_incidents(world, judged(states), NOW, POLICY)

    assert ([IncidentResolved("old-i2", 60.0)] if over else []) == said
    assert (() if over else (open_one,)) == after.incidents


def test_each_of_an_incidents_layers_must_be_well() -> None:
    """One of two is not enough; and another incident may end meanwhile."""
    both = Incident("old-i2", NOW - 60.0, frozenset({Layer.APISERVER, Layer.NODE}))
    world = quiet(both, ELSEWHERE)
    after, said = follow_incidents(world, judged({Layer.APISERVER: State.UNKNOWN}), NOW, POLICY)

    assert [IncidentResolved("old-i1", 50.0)] == said
    assert (both,) == after.incidents


@pytest.mark.parametrize(
    ("world", "over"),
    [
        (quiet(ELSEWHERE, kernel=NOW - 5.0), True),
        (quiet(ELSEWHERE, kernel=NOW - 4.5), False),
        (quiet(ELSEWHERE, flannel=NOW - 4.5), False),
        (quiet(ELSEWHERE, talos=NOW - 4.5), True),
        (replace(quiet(ELSEWHERE), since={}), False),
        (replace(quiet(ELSEWHERE), states={}), False),
        (replace(quiet(ELSEWHERE), states={**ALL_OK, Layer.PODS: State.SUSPECT}), False),
        (replace(quiet(ELSEWHERE), states={**ALL_OK, Layer.TALOS: State.SUSPECT}), True),
    ],
)
def test_an_incident_is_over_when_all_has_been_quiet_for_a_moment(
    world: World, *, over: bool
) -> None:
    """An API that has just come back shows the tower as it was before the end."""
    _, said = follow_incidents(world, judged({}), NOW, POLICY)

    assert ([IncidentResolved("old-i1", 50.0)] if over else []) == said


def test_what_will_be_over_soon_says_when() -> None:
    """By its lowest layer; what is still ill says nothing."""
    both = Incident("old-i2", NOW, frozenset({Layer.APISERVER, Layer.NODE}))
    world = quiet(ELSEWHERE, both, kernel=NOW - 3.0, pods=NOW - 2.0)
    expected = {Layer.KERNEL: NOW + 3.0, min(both.layers): NOW + 3.0}

    assert expected == resolving(world, judged({}), NOW)
    assert {Layer.KERNEL: NOW + 3.0} == resolving(world, judged({Layer.NODE: State.SUSPECT}), NOW)


REDIS = "joelclaw/Service/redis"
SILENT = Finding(Reason.SERVICE_NO_ENDPOINTS, "redis: refused", "6379", owner=REDIS)


@pytest.mark.parametrize("starved", [Reason.LIVEKIT_REDIS_ILL, Reason.LIVEKIT_NODE_STALE])
def test_a_livekit_that_starves_is_a_part_of_redis_own_incident(starved: Reason) -> None:
    """Whichever of the two is found first: the same illness is told once."""
    world = world_of(SILENT, Finding(starved, "406", cause=REDIS))
    for first, second in (
        (Layer.SERVICES, Layer.LIVEKIT),
        (Layer.LIVEKIT, Layer.SERVICES),
    ):
        before, said = follow_incidents(world, judged({first: State.FAILING}), NOW, POLICY)
        assert 1 == len(said)
        both = judged({first: State.FAILING, second: State.FAILING})
        after, said = follow_incidents(before, both, NOW + 1.0, POLICY)
        assert [] == said
        assert [{first, second}] == [set(one.layers) for one in after.incidents]


@pytest.mark.parametrize("owner", ["joelclaw/Service/typesense", ""])
def test_a_livekit_without_redis_joins_no_incident_but_that_of_redis(owner: str) -> None:
    """Another service's silence has another cause, and is another incident."""
    silent = Finding(Reason.SERVICE_NO_ENDPOINTS, "refused", "8108", owner=owner)
    world = world_of(silent, Finding(Reason.LIVEKIT_NODE_STALE, "406", cause=REDIS))
    states = judged({Layer.LIVEKIT: State.FAILING, Layer.SERVICES: State.FAILING})
    after, said = follow_incidents(world, states, NOW, POLICY)

    assert (2, 2) == (len(said), len(after.incidents))


def test_a_livekit_with_an_illness_of_its_own_is_an_incident_of_its_own() -> None:
    """What it does not owe to Redis is told beside it."""
    world = world_of(SILENT, Finding(Reason.LIVEKIT_UNHEALTHY, "it does not answer"))
    states = judged({Layer.LIVEKIT: State.FAILING, Layer.SERVICES: State.FAILING})
    after, said = follow_incidents(world, states, NOW, POLICY)

    assert (2, 2) == (len(said), len(after.incidents))
