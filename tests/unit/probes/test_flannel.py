"""Flannel's probe."""

from dataclasses import replace

import pytest

from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.model.cluster import Pod
from healer.ports import TargetIll
from healer.probes.flannel import FlannelProbe
from tests.cluster_objects import (
    as_daemonset,
    as_event,
    as_node,
    as_pod,
    daemonset,
    flannel_pod,
    lost,
    node,
    pod,
    ready,
    recorded,
    running,
    sandbox_event,
    waiting,
)
from tests.fakes_cluster import FakeCluster

UP = flannel_pod(running("kube-flannel", ago=600))
STUCK = pod(waiting("ContainerCreating"), phase="Pending")
TARGET = "kube-system/DaemonSet/kube-flannel"


def tower(*pods: Pod) -> FakeCluster:
    """A cluster of those pods."""
    return FakeCluster(*pods)


async def look(cluster: FakeCluster) -> Observation:
    """Look at it."""
    return await FlannelProbe(cluster).look()


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found."""
    return [one.reason for one in seen.findings]


async def test_a_serving_flannel_is_well() -> None:
    """Its pod runs and no sandbox fails."""
    seen = await look(tower(UP, STUCK))

    assert (True, "1 of 1 available") == (seen.well, seen.summary)


async def test_none_wanted_is_well() -> None:
    """Desired 0 is somebody's choice."""
    cluster = tower()
    cluster.daemonsets = [daemonset(0, 0)]

    assert (await look(cluster)).well


async def test_a_crash_aims_at_the_daemonset_and_names_the_pod() -> None:
    """Limits hold from pod to pod, and another pod is another trouble."""
    crashing = flannel_pod(waiting("CrashLoopBackOff", restartCount=4))
    cluster = tower(crashing)
    cluster.daemonsets = [daemonset(1, 0)]
    seen = await look(cluster)

    assert [(Reason.FLANNEL_CRASHING, TARGET, crashing.uid, 0.0)] == [
        (one.reason, one.target, one.fingerprint, one.ripe_in) for one in seen.findings
    ]
    assert "CrashLoopBackOff after 4 restarts" in seen.findings[0].evidence


async def test_a_lost_pod_is_held_back_for_a_minute() -> None:
    """It needs no network of its own, so the kubelet restarts it without help."""
    seen = await look(tower(flannel_pod(lost(ago=20))))

    assert [(Reason.FLANNEL_CRASHING, 40.0)] == [(one.reason, one.ripe_in) for one in seen.findings]


async def test_a_missing_subnet_env_is_seen_under_a_count_of_one() -> None:
    """Incident 30: the DaemonSet showed 1 of 1 for seventeen days."""
    cluster = tower(UP, STUCK)
    event = sandbox_event(10, STUCK)
    cluster.events = [sandbox_event(120, STUCK), event]
    seen = await look(cluster)

    assert [(Reason.SUBNET_ENV_MISSING, TARGET, UP.uid, event.identity)] == [
        (one.reason, one.target, one.fingerprint, one.event) for one in seen.findings
    ]


async def test_an_event_older_than_flannels_start_is_not_seen() -> None:
    """Incident 21: one old event restarted flannel at every tick."""
    cluster = tower(UP, STUCK)
    cluster.events = [sandbox_event(560, STUCK)]

    assert (await look(cluster)).well


async def test_fewer_available_than_wanted_is_told_with_what_its_pods_show() -> None:
    """A bad image is reported and never answered by a delete."""
    cluster = tower(flannel_pod(waiting("ImagePullBackOff")))
    cluster.daemonsets = [daemonset(1, 0)]
    seen = await look(cluster)

    assert [Reason.FLANNEL_NOT_AVAILABLE] == reasons(seen)
    assert "kube-flannel-x ImagePullBackOff" in seen.findings[0].evidence


async def test_counts_of_an_older_generation_say_nothing() -> None:
    """Its controller has not looked yet."""
    cluster = tower(UP)
    cluster.daemonsets = [replace(daemonset(1, 0), generation=2)]

    assert (await look(cluster)).well


async def test_a_node_that_lacks_only_its_network_is_flannels_evidence() -> None:
    """Even while the counts are fine."""
    cluster = tower(UP)
    cluster.nodes = [node(ready("False", message="cni plugin not initialized"))]

    assert [Reason.FLANNEL_NOT_AVAILABLE] == reasons(await look(cluster))


async def test_one_trouble_is_told_once() -> None:
    """A missing pod and a node without its network are the same thing."""
    cluster = tower()
    cluster.daemonsets = [daemonset(1, 0)]
    cluster.nodes = [node(ready("False", message="cni plugin not initialized"))]

    assert ["0 of 1 available: no pod of it"] == [
        one.evidence for one in (await look(cluster)).findings
    ]


async def test_without_its_daemonset_nothing_is_known() -> None:
    """Another CNI may serve; what depends on flannel waits."""
    cluster = tower()
    cluster.daemonsets = []

    assert "there is no flannel DaemonSet" == (await look(cluster)).unknown


@pytest.mark.parametrize("method", ["flannel", "pods", "warnings", "node"])
async def test_an_api_that_cannot_be_asked_makes_it_unknown(method: str) -> None:
    """Whichever of its questions fails."""
    cluster = tower(flannel_pod(waiting("CrashLoopBackOff")))
    cluster.faults[method] = TargetIll("GET", "Connection refused")
    seen = await look(cluster)

    assert ((), True) == (seen.findings, seen.unknown.startswith("the API did not answer"))


async def test_a_real_cluster_without_the_module_is_judged_as_it_was() -> None:
    """A real kubelet's flannel crashes, and its failed sandboxes are no second trouble."""
    cluster = tower(*(as_pod(one) for one in recorded("pods-no-module")["list"]["items"]))
    cluster.events = [as_event(one) for one in recorded("events-no-module")["items"]]
    cluster.daemonsets = [as_daemonset(recorded("daemonset-flannel-crashing"))]
    cluster.nodes = [as_node(recorded("node-tainted"))]
    seen = await look(cluster)

    assert [Reason.FLANNEL_CRASHING] == reasons(seen)


async def test_a_real_healthy_cluster_is_well() -> None:
    """With the events of its illness still there."""
    cluster = tower(*(as_pod(one) for one in recorded("pods-healthy")["list"]["items"]))
    cluster.events = [as_event(one) for one in recorded("events-no-module")["items"]]
    cluster.daemonsets = [as_daemonset(recorded("daemonset-flannel-available"))]

    assert (await look(cluster)).well
