"""What the upper probes find is what the core confirms, refuses and answers, and no more."""

from dataclasses import replace
from itertools import pairwise

import pytest

from healer.core.facts import Rule
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.cluster import Owner
from tests.cluster_objects import (
    DEDICATED,
    ONE,
    daemonset,
    flannel_pod,
    livekit,
    lost_pod,
    node,
    pod,
    ready,
    running,
    sandbox_event,
    terminating,
    waiting,
)
from tests.unit.remedies.upper_tower import STARTED, UpperTower

CRASHING = flannel_pod(waiting("CrashLoopBackOff"))
STUCK = pod(waiting("ContainerCreating"), phase="Pending")


@pytest.fixture
def tower() -> UpperTower:
    """All is well."""
    return UpperTower()


async def test_a_well_tower_is_left_alone(tower: UpperTower) -> None:
    """Ten minutes of looks cause no act and no word (I8)."""
    await tower.live(600)

    assert ([], []) == (tower.acts, tower.told)


async def test_a_lost_pod_is_left_to_the_kubelet_for_five_minutes(tower: UpperTower) -> None:
    """Then it is deleted once."""
    tower.cluster.pod_list.append(lost_pod(ago=0))

    await tower.live(298)
    assert [] == tower.acts
    assert Rule.NOT_RIPE in tower.refused
    await tower.live(300)
    assert [Remedy.DELETE_POD] == tower.acts


async def test_no_pod_is_touched_while_flannel_is_ill(tower: UpperTower) -> None:
    """What stands on a network that does not work is its shadow (I2)."""
    tower.cluster.pod_list = [flannel_pod(waiting("ImagePullBackOff")), lost_pod()]
    tower.cluster.daemonsets = [daemonset(1, 0)]

    await tower.live(590)

    assert [] == tower.acts
    assert [Reason.FLANNEL_NOT_AVAILABLE] == [one.reason for one in tower.told]


async def test_a_node_that_talos_left_cordoned_is_uncordoned_then_untainted(
    tower: UpperTower,
) -> None:
    """In this order, and not before two minutes of Ready."""
    tower.cluster.nodes = [node(ready(ago=0), ONE, DEDICATED, by_talos=True)]

    await tower.live(300)

    assert [Remedy.UNCORDON, Remedy.UNTAINT] == tower.acts
    assert 120.0 <= tower.done[0][0] - STARTED
    assert (DEDICATED,) == tower.cluster.nodes[0].taints


async def test_a_humans_doing_is_left_alone_and_told_of_once(tower: UpperTower) -> None:
    """Cordon, taint, bad image and bare pod, for ten minutes (I15, R50)."""
    tower.cluster.nodes = [node(None, DEDICATED, cordoned=True)]
    tower.cluster.pod_list += [
        pod(waiting("ErrImagePull"), name="bad-5d9f-1"),
        pod(waiting("ErrImagePull"), name="bad-5d9f-2"),
        lost_pod(name="bare", owner=None),
        terminating(900, name="redis-0", owner=Owner("StatefulSet", "redis", "u")),
    ]

    await tower.live(600)

    assert [] == tower.acts
    assert {
        Reason.CORDONED_BY_HUMAN: 1,
        Reason.FOREIGN_TAINT: 1,
        Reason.POD_IMAGE_PULL: 1,
        Reason.POD_UNMANAGED: 2,
    } == {
        reason: sum(one.reason is reason for one in tower.told)
        for reason in {one.reason for one in tower.told}
    }


async def test_one_event_restarts_flannel_once(tower: UpperTower) -> None:
    """The DaemonSet shows 1 of 1, and the event lingers for an hour (incidents 21 and 30)."""
    tower.cluster.pod_list.append(STUCK)
    tower.cluster.events = [sandbox_event(5, STUCK)]

    await tower.live(20)
    tower.cluster.pod_list.append(flannel_pod(running("kube-flannel"), name="kube-flannel-y"))
    await tower.live(900)

    assert [Remedy.DELETE_FLANNEL_POD] == tower.acts


async def test_flannel_pods_that_go_on_crashing_are_deleted_with_a_gap(tower: UpperTower) -> None:
    """At least two minutes lie between two, however many pods come and go."""
    tower.cluster.pod_list = [CRASHING]
    for number in range(300):
        await tower.live(2)
        if not tower.cluster.pod_list:
            tower.cluster.pod_list = [replace(CRASHING, uid=f"uid-{number}")]
    times = [at for at, _ in tower.done]

    assert 2 <= len(times) <= 3
    assert all(later - earlier >= 120 for earlier, later in pairwise(times))


async def test_livekit_is_patched_once_a_generation(tower: UpperTower) -> None:
    """It becomes no readier by it here, and is not patched again."""
    tower.cluster.deployments = [livekit("chart")]

    await tower.live(1200)

    assert [Remedy.PATCH_LIVEKIT] == tower.acts


async def test_a_ready_livekit_keeps_its_drift(tower: UpperTower) -> None:
    """Told once, never patched: that would end all calls."""
    tower.cluster.deployments = [livekit("chart", ready=1)]

    await tower.live(600)

    assert ([], [Reason.LIVEKIT_DRIFT_TOLERATED]) == (
        tower.acts,
        [one.reason for one in tower.told],
    )


async def test_an_overdue_pod_is_forced_once(tower: UpperTower) -> None:
    """Of a controller that may have two; the rest is told of."""
    tower.cluster.pod_list.append(terminating(900))

    await tower.live(60)

    assert [Remedy.FORCE_DELETE_POD] == tower.acts
