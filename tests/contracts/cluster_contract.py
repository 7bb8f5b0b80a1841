"""What ports.ClusterEyes and ports.ClusterHands promise, whoever stands behind them.

Each check is a coroutine over a fresh `World`; who runs them decides which worlds there are:
the adapter before the tests' own API server or a real one, and the simulation.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, Protocol

import pytest

from healer.model.cluster import CONTROL_PLANE_TAINT, Deployment, Node, Pod
from healer.model.livekit import drift
from healer.ports import ActFailed, ClusterEyes, ClusterHands, Conflict, NotThere, TargetIll
from tests.cluster_objects import NODE


class World(Protocol):
    """A cluster of one well node with the owner's redis, typesense, flannel and LiveKit.

    What it can do besides happens behind healer's back.
    """

    @property
    def eyes(self) -> ClusterEyes:
        """What is under test."""
        ...

    @property
    def hands(self) -> ClusterHands:
        """What is under test."""
        ...

    async def taint(self) -> None:
        """Talos puts its taint back."""
        ...

    async def cordon(self, *, by_talos: bool) -> None:
        """The node is cordoned, with Talos' mark or without."""
        ...

    async def recreate(self, pod: Pod) -> None:
        """The pod goes, and another of the same name comes."""
        ...

    async def fail_sandbox(self, pod: Pod) -> None:
        """The kubelet says that it cannot make the pod's sandbox."""
        ...

    async def drift_livekit(self) -> None:
        """LiveKit's Deployment is as its chart renders it."""
        ...

    async def change_livekit(self) -> None:
        """Somebody changes LiveKit's Deployment."""
        ...


class MortalWorld(World, Protocol):
    """One that can also be taken down."""

    async def die(self) -> None:
        """The API server is gone."""
        ...


Check = Callable[[World], Awaitable[None]]


async def the_node(world: World) -> Node:
    """The one node, looked at again."""
    (found,) = (await world.eyes.node()).items
    return found


async def pod_named(world: World, start: str) -> Pod:
    """The pod whose name begins so, looked at again."""
    (found,) = [one for one in (await world.eyes.pods()).items if one.name.startswith(start)]
    return found


async def the_livekit(world: World) -> Deployment:
    """LiveKit's Deployment, looked at again."""
    (found,) = (await world.eyes.livekit()).items
    return found


def taint_at(node: Node) -> int:
    """Where the control plane's taint stands."""
    return [one.key for one in node.taints].index(CONTROL_PLANE_TAINT)


async def readiness_is_told(world: World) -> None:
    """A well API is ready, on a port, with a certificate that lasts."""
    found = await world.eyes.readiness()
    assert found.ready
    assert 0 < found.port < 65536
    assert found.certificate_days is not None
    assert found.certificate_days > 30


async def the_node_has_the_containers_name(world: World) -> None:
    """One node, Ready, with the uid and version that writes will name, and the server's time."""
    listing = await world.eyes.node()
    assert [NODE] == [one.name for one in listing.items]
    (node,) = listing.items
    assert node.uid
    assert node.resource_version
    ready = node.condition("Ready")
    assert ready is not None
    assert "True" == ready.status
    assert listing.server_time > 1_700_000_000


async def pods_carry_what_deleting_them_needs(world: World) -> None:
    """Every pod has a uid of its own, and agrees with its JSON."""
    pods = (await world.eyes.pods()).items
    assert {"kube-flannel", "livekit-server", "redis", "typesense"} <= {
        start
        for one in pods
        for start in ("kube-flannel", "livekit-server", "redis", "typesense")
        if one.name.startswith(start)
    }
    assert len(pods) == len({one.uid for one in pods})
    for one in pods:
        metadata = one.raw["metadata"]
        assert (one.namespace, one.name, one.uid, one.resource_version) == (
            metadata["namespace"],
            metadata["name"],
            metadata["uid"],
            metadata["resourceVersion"],
        )


async def controllers_are_known_by_uid(world: World) -> None:
    """The owner that a pod names is there; one of the same name with another uid is not."""
    for start, kind in (("redis", "StatefulSet"), ("typesense", None), ("kube-fl", "DaemonSet")):
        pod = await pod_named(world, start)
        assert pod.owner is not None
        assert kind in {None, pod.owner.kind}
        assert await world.eyes.owner_exists(pod)
        gone = replace(pod, owner=replace(pod.owner, uid="00000000-0000-0000-0000-000000000000"))
        assert not await world.eyes.owner_exists(gone)
        assert not await world.eyes.owner_exists(replace(pod, owner=None))


async def flannel_and_livekit_are_found(world: World) -> None:
    """Each is one item, with its counts and generations."""
    (flannel,) = (await world.eyes.flannel()).items
    assert ("kube-system", "kube-flannel", 1, 1) == (
        flannel.namespace,
        flannel.name,
        flannel.desired,
        flannel.available,
    )
    livekit = await the_livekit(world)
    assert ("joelclaw", "livekit-server", 1) == (livekit.namespace, livekit.name, livekit.desired)
    assert livekit.generation >= 1


async def node_ports_come_with_what_stands_behind_them(world: World) -> None:
    """Redis' port has one ready endpoint, and one replica is wanted."""
    (redis,) = [one for one in (await world.eyes.services()).items if one.node_port == 6379]
    assert ("joelclaw", "redis", 6379, 1, 1) == (
        redis.namespace,
        redis.name,
        redis.port,
        redis.ready_endpoints,
        redis.desired,
    )


async def failed_sandboxes_are_told(world: World) -> None:
    """The warning names the pod and the missing file, on the server's own clock."""
    pod = await pod_named(world, "redis")
    assert pod.uid not in {one.object_uid for one in (await world.eyes.warnings()).items}
    await world.fail_sandbox(pod)
    listing = await world.eyes.warnings()
    (found,) = [one for one in listing.items if one.object_uid == pod.uid]
    assert ("FailedCreatePodSandBox", pod.name) == (found.reason, found.object_name)
    assert "/run/flannel/subnet.env" in found.message
    assert abs(listing.server_time - found.last_seen) < 600


async def untaint_removes_the_one_taint(world: World) -> None:
    """The control plane's taint goes, and every other stays."""
    await world.taint()
    before = await the_node(world)
    await world.hands.untaint(before, taint_at(before))
    after = await the_node(world)
    assert tuple(one for one in before.taints if one.key != CONTROL_PLANE_TAINT) == after.taints


async def untaint_of_what_is_gone_is_a_conflict(world: World) -> None:
    """The test holds at write time: a second removal finds nothing to remove."""
    await world.taint()
    node = await the_node(world)
    await world.hands.untaint(node, taint_at(node))
    after = await the_node(world)
    with pytest.raises(Conflict):
        await world.hands.untaint(node, taint_at(node))
    assert after.taints == (await the_node(world)).taints


async def uncordon_makes_the_node_schedulable(world: World) -> None:
    """Talos' own cordon is taken back."""
    await world.cordon(by_talos=True)
    node = await the_node(world)
    assert node.unschedulable
    await world.hands.uncordon(node)
    assert not (await the_node(world)).unschedulable


async def a_humans_cordon_is_a_conflict(world: World) -> None:
    """Between look and act a human made the cordon theirs: it stays (I8)."""
    await world.cordon(by_talos=True)
    node = await the_node(world)
    await world.cordon(by_talos=False)
    with pytest.raises(Conflict):
        await world.hands.uncordon(node)
    assert (await the_node(world)).unschedulable


async def a_deleted_pod_goes(world: World) -> None:
    """It is gone, or on its way, afterwards."""
    pod = await pod_named(world, "redis")
    await world.hands.delete_pod(pod, grace=30)
    left = [one for one in (await world.eyes.pods()).items if one.uid == pod.uid]
    assert all("deletionTimestamp" in one.raw["metadata"] for one in left)


async def the_successor_of_a_pod_is_not_deleted(world: World) -> None:
    """A StatefulSet's pod keeps its name: the uid protects the new one (§4)."""
    pod = await pod_named(world, "redis")
    await world.recreate(pod)
    successor = await pod_named(world, "redis")
    assert (pod.name, True) == (successor.name, successor.uid != pod.uid)
    with pytest.raises(Conflict):
        await world.hands.delete_pod(pod, grace=30)
    untouched = await pod_named(world, "redis")
    assert successor.uid == untouched.uid
    assert "deletionTimestamp" not in untouched.raw["metadata"]


async def a_pod_that_is_gone_is_not_there(world: World) -> None:
    """NotThere, which is success for whoever wanted it gone."""
    pod = await pod_named(world, "redis")
    with pytest.raises(NotThere):
        await world.hands.delete_pod(replace(pod, name="nobody"), grace=30)


async def a_livekit_patch_ends_the_drift(world: World) -> None:
    """What differs is patched in a new generation, and nothing differs afterwards."""
    await world.drift_livekit()
    before = await the_livekit(world)
    patch = drift(before.raw)
    assert patch
    await world.hands.patch_livekit(before, patch)
    after = await the_livekit(world)
    assert {} == drift(after.raw)
    assert before.generation + 1 == after.generation


async def a_livekit_that_changed_is_a_conflict(world: World) -> None:
    """The patch is for the version that was judged."""
    await world.drift_livekit()
    judged = await the_livekit(world)
    await world.change_livekit()
    changed = await the_livekit(world)
    with pytest.raises(Conflict):
        await world.hands.patch_livekit(judged, drift(judged.raw))
    assert changed.generation == (await the_livekit(world)).generation


async def recreate_without_the_null_is_refused(world: World) -> None:
    """The live rollingUpdate forbids it, in words that name the field (§6)."""
    await world.drift_livekit()
    livekit = await the_livekit(world)
    with pytest.raises(ActFailed, match=r"spec\.strategy\.rollingUpdate: Forbidden"):
        await world.hands.patch_livekit(livekit, {"spec": {"strategy": {"type": "Recreate"}}})
    assert livekit.generation == (await the_livekit(world)).generation


CHECKS: Final[tuple[Check, ...]] = (
    readiness_is_told,
    the_node_has_the_containers_name,
    pods_carry_what_deleting_them_needs,
    controllers_are_known_by_uid,
    flannel_and_livekit_are_found,
    node_ports_come_with_what_stands_behind_them,
    failed_sandboxes_are_told,
    untaint_removes_the_one_taint,
    untaint_of_what_is_gone_is_a_conflict,
    uncordon_makes_the_node_schedulable,
    a_humans_cordon_is_a_conflict,
    a_deleted_pod_goes,
    the_successor_of_a_pod_is_not_deleted,
    a_pod_that_is_gone_is_not_there,
    a_livekit_patch_ends_the_drift,
    a_livekit_that_changed_is_a_conflict,
    recreate_without_the_null_is_refused,
)


async def a_status_just_read_guards_a_delete(world: World) -> None:
    """A pod that changed since it was judged is not deleted (§4)."""
    pod = await pod_named(world, "redis")
    with pytest.raises(Conflict):
        await world.hands.delete_pod(replace(pod, resource_version="1"), grace=30)
    assert "deletionTimestamp" not in (await pod_named(world, "redis")).raw["metadata"]


SERVED_CHECKS: Final[tuple[Check, ...]] = (*CHECKS, a_status_just_read_guards_a_delete)
"""Those of versions too, which the simulation gives to nodes and LiveKit alone."""


async def a_dead_api_is_ill_for_eyes_and_fails_hands(world: MortalWorld) -> None:
    """Every look says TargetIll, and every act ActFailed."""
    node, pod, livekit = (
        await the_node(world),
        await pod_named(world, "r"),
        await the_livekit(world),
    )
    await world.die()
    eyes, hands = world.eyes, world.hands
    looks: tuple[Callable[[], Awaitable[object]], ...] = (
        eyes.readiness,
        eyes.node,
        eyes.pods,
        eyes.warnings,
        eyes.flannel,
        eyes.livekit,
        eyes.services,
        lambda: eyes.owner_exists(pod),
    )
    for look in looks:
        with pytest.raises(TargetIll):
            await look()
    acts: tuple[Callable[[], Awaitable[str]], ...] = (
        lambda: hands.untaint(node, 0),
        lambda: hands.uncordon(node),
        lambda: hands.delete_pod(pod, grace=30),
        lambda: hands.patch_livekit(livekit, {"spec": {"replicas": 1}}),
    )
    for act in acts:
        with pytest.raises(ActFailed):
            await act()
