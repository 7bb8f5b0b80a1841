"""Every condition under which a pod may be deleted, each by itself."""

from dataclasses import replace

import pytest

from healer.model.cluster import Owner, Pod
from healer.model.pod_safety import (
    SETTLED,
    Surroundings,
    Wait,
    blames_network,
    deletable,
    force_deletable,
    identity_of_loss,
    oldest_start,
    overdue,
    wait_to_delete,
    wait_to_force,
)
from tests.cluster_objects import (
    NOW,
    as_pod,
    changed,
    daemonset,
    ended,
    lost,
    lost_pod,
    node,
    pod,
    pod_json,
    ready,
    running,
    sandbox_event,
    stamp,
    terminating,
)

AROUND = Surroundings(NOW, node(), daemonset(), up_since=NOW - 3600)
MIRROR = {"kubernetes.io/config.mirror": "abc"}
STATEFUL = Owner("StatefulSet", "redis", "uid-sts")


def test_a_pod_lost_in_a_crash_may_be_deleted() -> None:
    """With every condition fulfilled nothing forbids it and nothing is awaited."""
    assert "" == deletable(lost_pod())
    assert Wait() == wait_to_delete(lost_pod(), AROUND)


@pytest.mark.parametrize("kind", ["ReplicaSet", "StatefulSet", "DaemonSet", "Job"])
def test_pods_of_controllers_may_be_deleted(kind: str) -> None:
    """Each controller that makes a new pod for a deleted one will do."""
    assert "" == deletable(lost_pod(owner=Owner(kind, "some", "uid")))


def test_an_init_container_lost_in_a_crash_counts_too() -> None:
    """Init:Unknown is the other exact match."""
    assert "" == deletable(pod(inits=(lost(name="setup"),)))


_GUEST = [{"name": "debugger", "state": {"running": {}}}]
FORBIDDEN = [
    ("mirrors a static pod", changed(lost_pod(), "metadata", "annotations", value=MIRROR)),
    (
        "mirrors a static pod",
        changed(
            lost_pod(owner=Owner("Node", "n", "u"), namespace="kube-system"),
            "metadata",
            "annotations",
            value=MIRROR,
        ),
    ),
    ("namespace kube-system", lost_pod(namespace="kube-system")),
    ("no controller", lost_pod(owner=None)),
    ("a Node", lost_pod(owner=Owner("Node", "n", "u"))),
    ("a RemoteThing", lost_pod(owner=Owner("RemoteThing", "n", "u"))),
    (
        "finalizers: example/keep",
        changed(lost_pod(), "metadata", "finalizers", value=["example/keep"]),
    ),
    ("debugs", lost_pod(labels={"app.kubernetes.io/managed-by": "kubectl-debug"})),
    ("debugs", changed(lost_pod(), "status", "ephemeralContainerStatuses", value=_GUEST)),
]


@pytest.mark.parametrize(("why", "ill"), FORBIDDEN)
def test_each_rule_forbids_by_itself(why: str, ill: Pod) -> None:
    """One rule that protects a pod protects it from both kinds of delete."""
    assert why in deletable(ill)
    assert why in force_deletable(changed(ill, "metadata", "deletionTimestamp", value=stamp(900)))


@pytest.mark.parametrize(
    "other",
    [
        pod(running()),
        pod(ended("ContainerStatusUnknown", 137)),
        pod(ended("Unknown", 137)),
        lost_pod(phase="Failed"),
        pod(phase="Unknown"),
        changed(lost_pod(), "metadata", "deletionTimestamp", value=stamp(5)),
        changed(
            changed(lost_pod(), "status", "reason", value="NodeLost"),
            "metadata",
            "deletionTimestamp",
            value=stamp(5),
        ),
    ],
)
def test_only_form_a_is_deleted(other: Pod) -> None:
    """Not by substring, not by phase, not a final one, not one on its way out."""
    assert deletable(other)


@pytest.mark.parametrize(
    ("seconds", "why", "ill", "around"),
    [
        (200.0, "kubelet", lost_pod(100), AROUND),
        (
            260.0,
            "kubelet",
            changed(
                lost_pod(900),
                "status",
                "conditions",
                value=[{"type": "Ready", "status": "False", "lastTransitionTime": stamp(40)}],
            ),
            AROUND,
        ),
        (240.0, "node", lost_pod(), replace(AROUND, node=node(ready(ago=60)))),
        (300.0, "not Ready", lost_pod(), replace(AROUND, node=node(ready("False")))),
        (300.0, "not Ready", lost_pod(), replace(AROUND, node=None)),
        (300.0, "flannel", lost_pod(), replace(AROUND, flannel=daemonset(1, 0))),
        (300.0, "flannel", lost_pod(), replace(AROUND, flannel=daemonset(0, 0))),
        (300.0, "flannel", lost_pod(), replace(AROUND, flannel=None)),
        (
            290.0,
            "sandboxes",
            lost_pod(),
            replace(AROUND, warnings=(sandbox_event(10, lost_pod(name="other")),)),
        ),
    ],
)
def test_each_condition_is_waited_for(
    seconds: float, why: str, ill: Pod, around: Surroundings
) -> None:
    """What needs time says how much, by the server's clock, and the longest wait counts."""
    wait = wait_to_delete(ill, around)

    assert (seconds, True) == (wait.seconds, why in wait.why)


def test_a_loss_without_a_time_counts_from_the_pods_birth() -> None:
    """A zero finishedAt is no proof of age."""
    raw = lost_pod(created_ago=20).raw
    raw["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = None

    assert SETTLED - 20 == wait_to_delete(as_pod(raw), AROUND).seconds


def test_old_sandbox_failures_are_not_waited_for() -> None:
    """Events linger for an hour; five minutes are enough."""
    old = sandbox_event(301, lost_pod())

    assert Wait() == wait_to_delete(lost_pod(), replace(AROUND, warnings=(old,)))


def test_only_the_networks_failures_count() -> None:
    """A sandbox that failed for want of an image is not flannel's affair."""
    assert not blames_network(sandbox_event(1, lost_pod(), "failed to pull image pause:3.10"))
    assert blames_network(sandbox_event(1, lost_pod(), "cni plugin not initialized"))
    assert not blames_network(replace(sandbox_event(1, lost_pod()), reason="FailedMount"))


def test_another_loss_has_another_identity() -> None:
    """The container that crashed again since is not the one that was seen."""
    assert identity_of_loss(lost_pod(900).raw) != identity_of_loss(lost_pod(100).raw)
    assert identity_of_loss(lost_pod(900).raw) == identity_of_loss(lost_pod(900).raw)


@pytest.mark.parametrize(("expected", "ago"), [(False, 0.0), (False, 120.0), (True, 121.0)])
def test_a_delete_is_overdue_two_minutes_past_its_grace(expected: bool, ago: float) -> None:  # noqa: FBT001  (a case)
    """Deletion's timestamp is the end of the grace, not its beginning."""
    assert expected is overdue(terminating(ago).raw, NOW)


def test_a_pod_that_ended_is_never_overdue() -> None:
    """A finalizer may keep it for days; force does not help there."""
    done = pod_json(ended("Completed", 0), phase="Succeeded")
    done["metadata"]["deletionTimestamp"] = stamp(900)

    assert not overdue(done, NOW)


def test_a_stateful_sets_pod_is_forced_only_if_allowed() -> None:
    """Its old container may still write (facts/talos-kubernetes.md §4)."""
    stuck = terminating(900, owner=STATEFUL)

    assert "StatefulSet" in force_deletable(stuck)
    assert "" == force_deletable(stuck, stateful_sets=True)
    assert "" == force_deletable(terminating(900))
    assert "Running" in force_deletable(pod(running()))


def test_a_force_waits_for_a_kubelet_that_just_came_up() -> None:
    """The kubelet ends what it left behind in its first minute."""
    assert 90.0 == wait_to_force(replace(AROUND, node=node(ready(ago=30)))).seconds
    assert Wait() == wait_to_force(AROUND)
    assert 120.0 == wait_to_force(replace(AROUND, node=node(ready("Unknown")))).seconds


def test_a_force_waits_for_a_node_that_just_came_up() -> None:
    """A short power cut leaves Ready as it was; what runs is younger than the node's start."""
    assert 100.0 == wait_to_force(replace(AROUND, up_since=NOW - 20)).seconds
    assert 120.0 == wait_to_force(replace(AROUND, up_since=None)).seconds


def test_a_node_has_been_up_since_its_oldest_running_pod() -> None:
    """Of pods on their way out the API may not have heard yet that they ended."""
    young, old = pod(running(ago=20)), pod(running(ago=90))

    assert NOW - 90 == oldest_start((young, old, terminating(900), lost_pod()))
    assert None is oldest_start((terminating(900), lost_pod()))
