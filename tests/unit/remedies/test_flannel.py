"""Deleting flannel's pod."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from healer.model.cluster import Pod
from healer.ports import Conflict, TargetIll, TargetSilent
from healer.probes.flannel import FlannelProbe
from healer.probes.flannel_need import FlannelNeed
from healer.remedies.flannel import DeleteFlannelPod
from tests.cluster_objects import (
    changed,
    flannel_pod,
    lost,
    pod,
    running,
    sandbox_event,
    stamp,
    waiting,
)
from tests.fakes.guest import WELL, FakeGuest
from tests.fakes.setup import FakeSetup
from tests.fakes_cluster import FakeCluster
from tests.unit.remedies.upper import hangs_until_cancelled, intent, perform

CRASHING = flannel_pod(waiting("CrashLoopBackOff"))
UP = flannel_pod(running("kube-flannel", ago=600))
STUCK = pod(waiting("ContainerCreating"), phase="Pending")


class Stage:
    """A cluster, a guest whose kernel is well, and the remedy over both."""

    def __init__(self, *pods: Pod) -> None:
        self.cluster, self.guest = FakeCluster(*pods), FakeGuest()
        self.setup = FakeSetup()
        self.setup.network = replace(self.setup.network, nftables=False)
        need = FlannelNeed(self.setup, self.cluster)
        self.remedy = DeleteFlannelPod(self.cluster, self.guest, self.cluster, need)
        self.probe = FlannelProbe(self.cluster)

    async def run(self) -> str:
        """Look, then act."""
        return await perform(self.remedy, await intent(self.probe, self.remedy))


async def test_a_crashing_pod_is_deleted_once() -> None:
    """Gracefully, that pod and no other; a second run does nothing."""
    stage = Stage(CRASHING, STUCK)
    act = await intent(stage.probe, stage.remedy)

    assert "deleted kube-flannel-x" == await perform(stage.remedy, act)
    assert [(CRASHING.uid, 30)] == stage.cluster.deleted
    assert "not needed: the pod that was ill is gone or on its way out" == await perform(
        stage.remedy, act
    )


async def test_a_pod_without_its_file_is_deleted() -> None:
    """It runs, and sandboxes fail."""
    stage = Stage(UP, STUCK)
    stage.cluster.events = [sandbox_event(10, STUCK)]

    assert "deleted kube-flannel-x" == await stage.run()


@pytest.mark.parametrize("missing", ["bridge_netfilter", "vxlan"])
async def test_the_kernel_comes_first(missing: str) -> None:
    """Another pod would only crash again (facts/talos-kubernetes.md §5)."""
    stage = Stage(CRASHING)
    stage.guest.inside = replace(
        WELL, bridge_netfilter=missing != "bridge_netfilter", vxlan=missing != "vxlan"
    )

    assert (await stage.run()).startswith("not needed: the kernel comes first")
    assert [] == stage.cluster.acts


async def test_a_module_that_flannel_does_not_use_holds_nothing_up() -> None:
    """With nftables it does not look for it; another cause is answered as ever."""
    stage = Stage(CRASHING)
    stage.setup.network = replace(stage.setup.network, nftables=True)
    stage.guest.inside = replace(WELL, bridge_netfilter=False)

    assert "deleted kube-flannel-x" == await stage.run()


def replaced(stage: Stage) -> None:
    """The DaemonSet has made another pod."""
    stage.cluster.pod_list = [flannel_pod(waiting("CrashLoopBackOff"), name="kube-flannel-y")]


def leaving(stage: Stage) -> None:
    """Somebody deleted it."""
    stage.cluster.pod_list = [changed(CRASHING, "metadata", "deletionTimestamp", value=stamp(1))]


def recovered(stage: Stage) -> None:
    """It runs by now."""
    stage.cluster.pod_list = [UP]


def finalized(stage: Stage) -> None:
    """A finalizer would keep it."""
    stage.cluster.pod_list = [changed(CRASHING, "metadata", "finalizers", value=["a/b"])]


def stranger(stage: Stage) -> None:
    """The pod is of another DaemonSet by now."""
    stage.cluster.daemonsets = [replace(stage.cluster.daemonsets[0], uid="uid-other")]


def fresh_loss(stage: Stage) -> None:
    """The kubelet may yet restart it."""
    stage.cluster.pod_list = [flannel_pod(lost(ago=10))]


@pytest.mark.parametrize("change", [replaced, leaving, recovered, finalized, stranger, fresh_loss])
async def test_what_changed_since_the_look_is_left_alone(change: Callable[[Stage], None]) -> None:
    """Each by itself, and also when nobody asked before the act."""
    stage = Stage(CRASHING)
    act = await intent(stage.probe, stage.remedy)
    change(stage)

    assert (await perform(stage.remedy, act)).startswith("not needed: ")
    with pytest.raises(Conflict):
        await stage.remedy.act(act)
    assert [] == stage.cluster.acts


async def test_a_file_that_is_back_needs_nothing() -> None:
    """The stuck pod runs: what the old event says is over (incident 21)."""
    stage = Stage(UP, STUCK)
    stage.cluster.events = [sandbox_event(10, STUCK)]
    act = await intent(stage.probe, stage.remedy)
    stage.cluster.pod_list = [UP, pod(running())]

    assert "not needed: no sandbox lacks subnet.env any more" == await perform(stage.remedy, act)


async def test_a_pod_that_changed_in_the_last_moment_is_a_conflict() -> None:
    """uid and resourceVersion go with the delete; nothing is retried."""
    stage = Stage(CRASHING)
    act = await intent(stage.probe, stage.remedy)
    newer = replace(CRASHING, resource_version="8")
    stage.cluster.meanwhile = lambda: stage.cluster.pod_list.__setitem__(0, newer)
    with pytest.raises(Conflict):
        await perform(stage.remedy, act)

    assert (1, []) == (len(stage.cluster.acts), stage.cluster.deleted)


async def test_a_pod_that_goes_in_the_last_moment_is_success() -> None:
    """Somebody else did it."""
    stage = Stage(CRASHING)
    act = await intent(stage.probe, stage.remedy)
    stage.cluster.meanwhile = stage.cluster.pod_list.clear

    assert "kube-system/kube-flannel-x was gone already" == await perform(stage.remedy, act)


@pytest.mark.parametrize(("part", "method"), [("guest", "facts"), ("cluster", "pods")])
async def test_what_cannot_be_seen_means_no_act(part: str, method: str) -> None:
    """The error goes to the engine as it is, before anything was done."""
    stage = Stage(CRASHING)
    act = await intent(stage.probe, stage.remedy)
    getattr(stage, part).faults[method] = TargetIll("ask", "garbage")
    with pytest.raises(TargetIll):
        await perform(stage.remedy, act)

    assert [] == stage.cluster.acts


async def test_killed_half_way_it_is_run_again() -> None:
    """Silence before the effect: done the next time. An answer lost after it: nothing is left."""
    stage = Stage(CRASHING)
    act = await intent(stage.probe, stage.remedy)

    assert await hangs_until_cancelled(stage.remedy, act, stage.guest, "facts")
    assert await hangs_until_cancelled(stage.remedy, act, stage.cluster, "delete_pod")
    stage.cluster.after = TargetSilent("DELETE pod", "connection reset")
    with pytest.raises(TargetSilent):
        await perform(stage.remedy, act)
    assert (await perform(stage.remedy, act)).startswith("not needed: ")
    assert [(CRASHING.uid, 30)] == stage.cluster.deleted
