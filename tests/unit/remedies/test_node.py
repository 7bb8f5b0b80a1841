"""Uncordon and untaint."""

from dataclasses import replace

import pytest

from healer.model.cluster import CONTROL_PLANE_TAINT, Node, Taint
from healer.ports import Conflict, NotThere, TargetIll, TargetSilent
from healer.probes.node import NodeProbe
from healer.remedies.node import TRIES, Uncordon, Untaint
from tests.cluster_objects import DEDICATED, NODE, ONE, node, ready
from tests.fakes_cluster import FakeCluster
from tests.unit.remedies.upper import hangs_until_cancelled, intent, perform

PRESSURE = Taint("node.kubernetes.io/disk-pressure", "NoSchedule")
ALIKE = Taint(CONTROL_PLANE_TAINT, "NoExecute")


def tower(one: Node) -> FakeCluster:
    """A cluster of that node."""
    cluster = FakeCluster()
    cluster.nodes = [one]
    return cluster


def write_taint(cluster: FakeCluster, *names: str) -> None:
    """Let somebody put these taints first in the list, one before each hand."""
    if names:
        now = cluster.nodes[0]
        cluster.nodes = [replace(now, taints=(Taint(names[0], "NoSchedule"), *now.taints))]
        cluster.meanwhile = lambda: write_taint(cluster, *names[1:])


async def test_the_one_taint_is_removed_and_no_other() -> None:
    """Whatever stands beside it; a second run does nothing."""
    cluster = tower(node(None, PRESSURE, ALIKE, ONE, DEDICATED))
    remedy = Untaint(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)

    assert f"removed {CONTROL_PLANE_TAINT}" == await perform(remedy, act)
    assert (PRESSURE, ALIKE, DEDICATED) == cluster.nodes[0].taints
    assert (await perform(remedy, act)).startswith(f"not needed: {NODE} has no taint")
    assert (await remedy.act(act)).startswith("not done: ")
    assert ["untaint 2"] == cluster.acts


@pytest.mark.parametrize(
    "one",
    [
        node(None, PRESSURE, ALIKE, DEDICATED),
        node(ready("False", message="PLEG is not healthy"), ONE),
        node(None, ONE, by_talos=True),
    ],
)
async def test_the_taint_is_left_where_it_is_not_to_be_removed(one: Node) -> None:
    """Absent, or about to come back: Ready and uncordon go first."""
    cluster = tower(node(None, ONE))
    remedy = Untaint(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)
    cluster.nodes = [one]

    assert (await perform(remedy, act)).startswith("not needed: ")
    assert (await remedy.act(act)).startswith("not done: ")
    assert [] == cluster.acts


async def test_a_human_s_cordon_does_not_keep_the_taint() -> None:
    """It is Talos' taint all the same, and the cordon stays."""
    cluster = tower(node(None, ONE, cordoned=True))
    remedy = Untaint(cluster, cluster)
    await perform(remedy, await intent(NodeProbe(cluster), Uncordon(cluster, cluster)))

    assert ((), True) == (cluster.nodes[0].taints, cluster.nodes[0].unschedulable)


async def test_taints_written_meanwhile_survive() -> None:
    """A moved index fails the test, and the list is read anew."""
    cluster = tower(node(None, ONE))
    remedy = Untaint(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)
    cluster.meanwhile = lambda: write_taint(cluster, "a", "b")
    await perform(remedy, act)

    assert ["b", "a"] == [one.key for one in cluster.nodes[0].taints]
    assert ["untaint 0", "untaint 1", "untaint 2"] == cluster.acts


async def test_a_writer_that_never_rests_ends_in_a_conflict() -> None:
    """After three tries somebody else decides, and no taint of the writer's is lost."""
    cluster = tower(node(None, ONE))
    remedy = Untaint(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)
    cluster.meanwhile = lambda: write_taint(cluster, *"abcd")
    with pytest.raises(Conflict):
        await perform(remedy, act)

    assert TRIES == len(cluster.acts)
    assert ["c", "b", "a", CONTROL_PLANE_TAINT] == [one.key for one in cluster.nodes[0].taints]


async def test_a_taint_that_goes_meanwhile_takes_no_other_with_it() -> None:
    """The index then names another taint, and the test fails."""
    cluster = tower(node(None, ONE, DEDICATED))
    remedy = Untaint(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)

    def gone() -> None:
        cluster.nodes = [replace(cluster.nodes[0], taints=(DEDICATED,))]

    cluster.meanwhile = gone

    assert (await perform(remedy, act)).startswith("not done: ")
    assert (DEDICATED,) == cluster.nodes[0].taints


async def test_a_leftover_cordon_of_talos_is_taken_back() -> None:
    """Annotation there, Ready for two minutes; a second run does nothing."""
    cluster = tower(node(ready(ago=120), by_talos=True))
    remedy = Uncordon(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)

    assert "uncordoned" == await perform(remedy, act)
    assert not cluster.nodes[0].unschedulable
    assert f"not needed: {NODE} is schedulable" == await perform(remedy, act)
    assert ["uncordon"] == cluster.acts


@pytest.mark.parametrize(
    ("why", "one"),
    [
        ("somebody else than Talos", node(cordoned=True)),
        ("schedulable", node()),
        ("1 s more", node(ready(ago=119), by_talos=True)),
        ("120 s more", node(ready("False"), by_talos=True)),
    ],
)
async def test_any_other_cordon_is_left_alone(why: str, one: Node) -> None:
    """A human's, none, or one that is too young to be a leftover."""
    cluster = tower(node(by_talos=True))
    remedy = Uncordon(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)
    cluster.nodes = [one]

    assert why in await perform(remedy, act)
    assert [] == cluster.acts


async def test_a_human_who_cordons_meanwhile_is_respected() -> None:
    """Between look and act the cordon became a human's: read anew, judged anew, left alone."""
    cluster = tower(node(by_talos=True))
    remedy = Uncordon(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)

    def cordon_by_hand() -> None:
        cluster.nodes = [node(cordoned=True)]

    cluster.meanwhile = cordon_by_hand

    assert (await perform(remedy, act)).startswith("not done: ")
    assert cluster.nodes[0].unschedulable


@pytest.mark.parametrize("kind", [Uncordon, Untaint])
async def test_a_node_that_is_gone_ends_it(kind: type[Uncordon] | type[Untaint]) -> None:
    """Before the look it is not needed, in the middle the port says so."""
    cluster = tower(node(None, ONE) if kind is Untaint else node(by_talos=True))
    remedy = kind(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)

    def gone() -> None:
        cluster.nodes = []

    cluster.meanwhile = gone
    with pytest.raises(NotThere):
        await perform(remedy, act)

    assert "not needed: the node is not there" == await perform(remedy, act)
    assert (await remedy.act(act)).startswith("not done: ")


@pytest.mark.parametrize("kind", [Uncordon, Untaint])
@pytest.mark.parametrize(
    "error", [TargetIll("GET node", "garbage"), TargetSilent("GET node", "no answer within 5 s")]
)
async def test_an_api_that_cannot_be_asked_means_no_act(
    kind: type[Uncordon] | type[Untaint], error: TargetIll
) -> None:
    """The error goes to the engine as it is, before anything was done."""
    cluster = tower(node(None, ONE) if kind is Untaint else node(by_talos=True))
    remedy = kind(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)
    cluster.faults["node"] = error
    with pytest.raises(type(error)):
        await perform(remedy, act)

    assert [] == cluster.acts


@pytest.mark.parametrize(("kind", "hand"), [(Uncordon, "uncordon"), (Untaint, "untaint")])
async def test_killed_half_way_it_is_run_again(
    kind: type[Uncordon] | type[Untaint], hand: str
) -> None:
    """Silence before the effect: done the next time. An answer lost after it: nothing is left."""
    cluster = tower(node(None, ONE) if kind is Untaint else node(by_talos=True))
    remedy = kind(cluster, cluster)
    act = await intent(NodeProbe(cluster), remedy)

    assert await hangs_until_cancelled(remedy, act, cluster, hand)
    cluster.after = TargetSilent("PATCH node", "connection reset")
    with pytest.raises(TargetSilent):
        await perform(remedy, act)
    assert (await perform(remedy, act)).startswith("not needed: ")
