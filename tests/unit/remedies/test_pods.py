"""Deleting one pod, and forcing an overdue delete."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from healer.model.cluster import Owner, Pod
from healer.ports import Conflict, TargetIll, TargetSilent
from healer.probes.pods import PodsProbe
from healer.remedies.pods import DeletePod, ForceDeletePod
from tests.cluster_objects import (
    changed,
    daemonset,
    livekit,
    lost_pod,
    node,
    pod,
    ready,
    running,
    sandbox_event,
    stamp,
    terminating,
)
from tests.fakes_cluster import FakeCluster
from tests.unit.remedies.upper import hangs_until_cancelled, intent, perform

LOST = lost_pod()
STUCK = terminating(900)
UP = pod(running(), name="up-5d9f-x")
"""A pod that has been running for an hour, so the node has been up for as long."""
STATEFUL = Owner("StatefulSet", "redis", "uid-sts")
MIRROR = {"kubernetes.io/config.mirror": "x"}


class Stage:
    """A cluster with both remedies and their probe."""

    def __init__(self, *pods: Pod, stateful_sets: bool = False) -> None:
        self.cluster = FakeCluster(*pods, UP)
        self.delete = DeletePod(self.cluster, self.cluster)
        self.force = ForceDeletePod(self.cluster, self.cluster, stateful_sets=stateful_sets)
        self.probe = PodsProbe(self.cluster, force_stateful_sets=stateful_sets)


async def test_a_lost_pod_is_deleted_gracefully_and_alone() -> None:
    """Grace 30, that uid; a second run does nothing."""
    other = lost_pod(name="other-5d9f-x")
    stage = Stage(LOST, other)
    act = await intent(stage.probe, stage.delete)

    assert f"deleted {LOST.name}" == await perform(stage.delete, act)
    assert "not needed: that pod is gone" == await perform(stage.delete, act)
    assert ([(LOST.uid, 30)], [other, UP]) == (stage.cluster.deleted, stage.cluster.pod_list)


async def test_a_lost_stateful_sets_pod_is_deleted_gracefully() -> None:
    """A graceful delete waits for the kubelet, so at most one pod writes."""
    stage = Stage(lost_pod(name="redis-0", owner=STATEFUL))

    assert "deleted redis-0" == await perform(stage.delete, await intent(stage.probe, stage.delete))


async def test_an_overdue_pod_is_forced() -> None:
    """Grace 0, that uid; a second run does nothing."""
    stage = Stage(STUCK)
    act = await intent(stage.probe, stage.force)

    assert f"deleted {STUCK.name}" == await perform(stage.force, act)
    assert [(STUCK.uid, 0)] == stage.cluster.deleted
    assert "not needed: that pod is gone" == await perform(stage.force, act)


async def test_an_overdue_stateful_sets_pod_is_forced_only_if_allowed() -> None:
    """Then, and only then."""
    allowed = Stage(terminating(900, owner=STATEFUL), stateful_sets=True)
    act = await intent(allowed.probe, allowed.force)
    strict = Stage(terminating(900, owner=STATEFUL))

    assert "StatefulSet" in await perform(strict.force, act)
    assert "StatefulSet" in await ForceDeletePod(strict.cluster, strict.cluster).needed(act)
    assert [] == strict.cluster.acts
    assert (await perform(allowed.force, act)).startswith("deleted")


def now_is(one: Pod) -> Callable[[FakeCluster], None]:
    """The pod of that name is another by now."""

    def change(cluster: FakeCluster) -> None:
        cluster.pod_list = [one, UP]

    return change


def node_is(ago: float, status: str = "True") -> Callable[[FakeCluster], None]:
    """The node's Ready condition changed so long ago."""

    def change(cluster: FakeCluster) -> None:
        cluster.nodes = [node(ready(status, ago))]

    return change


def just_started(cluster: FakeCluster) -> None:
    """Nothing has been running for two minutes."""
    cluster.pod_list = [STUCK, pod(running(ago=119), name="up-5d9f-x")]


def earlier(cluster: FakeCluster) -> None:
    """By the server's own clock its grace is not over for long."""
    cluster.now -= 800


def flannel_down(cluster: FakeCluster) -> None:
    """No pod of flannel's is available."""
    cluster.daemonsets = [daemonset(1, 0)]


def sandboxes_fail(cluster: FakeCluster) -> None:
    """The network fails just now."""
    cluster.events = [sandbox_event(5, LOST)]


def orphaned(cluster: FakeCluster) -> None:
    """Its controller was deleted."""
    cluster.orphans = {"uid-rs"}


def flannels(cluster: FakeCluster) -> None:
    """The DaemonSet turns out to be its owner."""
    cluster.daemonsets = [replace(daemonset(), uid="uid-rs")]


def livekits(cluster: FakeCluster) -> None:
    """LiveKit's Deployment turns out to be its owner."""
    cluster.deployments = [replace(livekit(), name="web")]


BOTH = {
    "controller gone": orphaned,
    "flannel's": flannels,
    "LiveKit's": livekits,
    "node not Ready": node_is(9000, "False"),
}
FOR_LOST = {
    "other uid": now_is(replace(LOST, uid="uid-2")),
    "runs again": now_is(pod(running())),
    "lost anew": now_is(lost_pod(ago=400)),
    "bare": now_is(replace(LOST, owner=None)),
    "mirror": now_is(changed(LOST, "metadata", "annotations", value=MIRROR)),
    "finalizer": now_is(changed(LOST, "metadata", "finalizers", value=["a/b"])),
    "leaving": now_is(changed(LOST, "metadata", "deletionTimestamp", value=stamp(1))),
    "final": now_is(changed(LOST, "status", "phase", value="Failed")),
    "debugged": now_is(replace(LOST, labels={"app.kubernetes.io/managed-by": "kubectl-debug"})),
    "node young": node_is(299),
    "flannel down": flannel_down,
    "sandboxes fail": sandboxes_fail,
}
FOR_STUCK = {
    "other uid": now_is(replace(STUCK, uid="uid-2")),
    "other deletion": now_is(terminating(500)),
    "in its grace": earlier,
    "not leaving": now_is(pod(running())),
    "bare": now_is(replace(STUCK, owner=None)),
    "finalizer": now_is(changed(STUCK, "metadata", "finalizers", value=["a/b"])),
    "node young": node_is(119),
    "just started": just_started,
}


@pytest.mark.parametrize("change", [*BOTH.values(), *FOR_LOST.values()], ids=[*BOTH, *FOR_LOST])
async def test_each_safeguard_keeps_a_lost_pod(change: Callable[[FakeCluster], None]) -> None:
    """Each by itself, found in the last look; also when nobody asked before the act."""
    stage = Stage(LOST)
    act = await intent(stage.probe, stage.delete)
    change(stage.cluster)

    assert (await perform(stage.delete, act)).startswith("not needed: ")
    with pytest.raises(Conflict):
        await stage.delete.act(act)
    assert [] == stage.cluster.acts


@pytest.mark.parametrize("change", [*BOTH.values(), *FOR_STUCK.values()], ids=[*BOTH, *FOR_STUCK])
async def test_each_safeguard_keeps_an_overdue_pod(change: Callable[[FakeCluster], None]) -> None:
    """Each by itself, found in the last look; also when nobody asked before the act."""
    stage = Stage(STUCK)
    act = await intent(stage.probe, stage.force)
    change(stage.cluster)

    assert (await perform(stage.force, act)).startswith("not needed: ")
    with pytest.raises(Conflict):
        await stage.force.act(act)
    assert [] == stage.cluster.acts


async def test_another_namespace_list_is_obeyed() -> None:
    """The settings decide where pods may be deleted."""
    stage = Stage(LOST)
    act = await intent(stage.probe, stage.delete)
    elsewhere = DeletePod(stage.cluster, stage.cluster, frozenset({"default"}))

    assert "namespace joelclaw" in await perform(elsewhere, act)


async def test_another_namespace_list_is_obeyed_by_force_too() -> None:
    """A stuck pod elsewhere is somebody else's."""
    stage = Stage(STUCK)
    act = await intent(stage.probe, stage.force)
    elsewhere = ForceDeletePod(stage.cluster, stage.cluster, frozenset({"default"}))

    assert "namespace joelclaw" in await perform(elsewhere, act)
    assert [] == stage.cluster.deleted


async def test_a_stateful_sets_new_pod_of_the_same_name_is_never_hit() -> None:
    """Recreated between read and delete: the uid in the body does not match."""
    old = lost_pod(name="redis-0", owner=STATEFUL)
    stage = Stage(old)
    act = await intent(stage.probe, stage.delete)
    young = replace(pod(running(), name="redis-0", owner=STATEFUL), uid="uid-new")
    stage.cluster.meanwhile = lambda: stage.cluster.pod_list.__setitem__(0, young)
    with pytest.raises(Conflict):
        await perform(stage.delete, act)

    assert ([], [young, UP]) == (stage.cluster.deleted, stage.cluster.pod_list)


async def test_a_status_written_in_the_last_moment_is_a_conflict() -> None:
    """The decision rests on the status just read; nothing is retried blindly."""
    stage = Stage(LOST)
    act = await intent(stage.probe, stage.delete)
    newer = replace(LOST, resource_version="8")
    stage.cluster.meanwhile = lambda: stage.cluster.pod_list.__setitem__(0, newer)
    with pytest.raises(Conflict):
        await perform(stage.delete, act)

    assert (1, []) == (len(stage.cluster.acts), stage.cluster.deleted)


async def test_a_pod_that_goes_in_the_last_moment_is_success() -> None:
    """Somebody else did it."""
    stage = Stage(LOST)
    act = await intent(stage.probe, stage.delete)
    stage.cluster.meanwhile = stage.cluster.pod_list.clear

    assert f"joelclaw/{LOST.name} was gone already" == await perform(stage.delete, act)


@pytest.mark.parametrize(
    "method", ["pods", "node", "flannel", "livekit", "warnings", "owner_exists"]
)
async def test_what_cannot_be_seen_means_no_act(method: str) -> None:
    """One question without an answer is enough."""
    stage = Stage(LOST)
    act = await intent(stage.probe, stage.delete)
    stage.cluster.faults[method] = TargetIll("GET", "garbage")
    with pytest.raises(TargetIll):
        await perform(stage.delete, act)

    assert [] == stage.cluster.acts


async def test_killed_half_way_it_is_run_again() -> None:
    """Silence before the effect: done the next time. An answer lost after it: nothing is left."""
    stage = Stage(LOST)
    act = await intent(stage.probe, stage.delete)

    assert await hangs_until_cancelled(stage.delete, act, stage.cluster, "warnings")
    assert await hangs_until_cancelled(stage.delete, act, stage.cluster, "delete_pod")
    stage.cluster.after = TargetSilent("DELETE pod", "connection reset")
    with pytest.raises(TargetSilent):
        await perform(stage.delete, act)
    assert "not needed: that pod is gone" == await perform(stage.delete, act)
    assert [(LOST.uid, 30)] == stage.cluster.deleted
