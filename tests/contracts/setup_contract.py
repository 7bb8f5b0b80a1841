"""What ports.SetupEyes promises of how a cluster was set up, real or simulated."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import pytest

from healer.model.cluster import DaemonSet, Pod
from healer.ports import PortError, SetupEyes, TargetIll

SECRET: Final = "hunter2-of-the-worker"
"""Stands in an environment, and must come back in no answer."""


FLANNEL: Final = DaemonSet("kube-system", "kube-flannel", "uid", 1, 1, 1, 1)


class World(Protocol):
    """A cluster that is set up as it should be; what it can do besides undoes that."""

    @property
    def eyes(self) -> SetupEyes:
        """What is under test."""
        ...

    @property
    def redis_port(self) -> int:
        """Where its Redis is published."""
        ...

    @property
    def talos_port(self) -> int:
        """Where its Talos is published."""
        ...

    async def redis_pod(self) -> Pod:
        """The pod of Redis."""
        ...

    async def name_k3d(self) -> None:
        """The worker's environment names k3d's host."""
        ...

    async def move_worker(self) -> None:
        """Inngest looks for the worker at `old-mac.local:3111`."""
        ...

    async def lose_label(self) -> None:
        """The namespace has no label of pod security."""
        ...

    async def second_default(self) -> None:
        """There is a second default StorageClass, `nfs`."""
        ...

    async def shut_provisioner_out(self) -> None:
        """local-path-provisioner does not tolerate the taint."""
        ...

    async def lose_metrics(self) -> None:
        """There is no metrics-server."""
        ...

    async def renew_flannel(self) -> None:
        """As Talos 1.14 deploys it."""
        ...

    async def narrow_node_ports(self) -> None:
        """The API server says nothing of NodePorts."""
        ...

    async def forget(self) -> None:
        """Redis keeps no append-only file."""
        ...

    async def silence_talos(self) -> None:
        """What is behind Talos' port ends every connection."""
        ...

    async def corrupt(self) -> None:
        """Redis ends for its append-only file, again and again."""
        ...

    async def hang_mount(self) -> Pod:
        """A pod's volume cannot be mounted; returns that pod."""
        ...

    async def die(self) -> None:
        """The API server is gone."""
        ...


Check = Callable[[World], Awaitable[None]]


async def a_good_set_up_is_told_as_one(world: World) -> None:
    """Each question has its answer, and none that calls for a word."""
    eyes = world.eyes
    assert () == tuple(
        mention for one in await eyes.addressing("joelclaw") for mention in one.mentions
    )
    assert "privileged" == await eyes.pod_security("joelclaw")
    assert ["local-path"] == [one.name for one in await eyes.storage_classes() if one.default]
    found = await eyes.provisioner()
    assert found is not None
    assert (1, 1, True) == (found.desired, found.available, found.tolerates)
    metrics = await eyes.metrics()
    assert metrics is not None
    assert metrics.available
    assert "1-65535" == await eyes.node_ports()
    redis = await eyes.redis(world.redis_port)
    assert ("yes", "noeviction", "ok") == (redis.appendonly, redis.policy, redis.rewrite)
    await eyes.talos(world.talos_port)


async def an_environment_is_told_by_names_alone(world: World) -> None:
    """The variable's name and its workload, and no value of any variable."""
    await world.name_k3d()
    found = await world.eyes.addressing("joelclaw")
    (mention,) = [mention for one in found for mention in one.mentions]
    assert ("system-bus-worker", "INNGEST_BASE_URL") == (mention.place.name, mention.variable)
    assert SECRET not in repr(found)


async def an_address_is_host_and_port(world: World) -> None:
    """Where Inngest looks for the worker, without path, user or password."""
    await world.move_worker()
    found = await world.eyes.addressing("joelclaw")
    (address,) = [address for one in found for address in one.addresses]
    assert ("--sdk-url", "old-mac.local:3111") == (address.said_by, address.words)
    assert SECRET not in repr(found)


async def a_lost_label_is_told_from_a_lost_namespace(world: World) -> None:
    """'' and None."""
    await world.lose_label()
    assert "" == await world.eyes.pod_security("joelclaw")
    assert await world.eyes.pod_security("nobody") is None


async def every_default_class_is_told(world: World) -> None:
    """Two are one too many."""
    await world.second_default()
    classes = await world.eyes.storage_classes()
    assert {"local-path", "nfs"} == {one.name for one in classes if one.default}


async def a_lost_toleration_is_told(world: World) -> None:
    """It runs on until the next restart."""
    await world.shut_provisioner_out()
    found = await world.eyes.provisioner()
    assert found is not None
    assert not found.tolerates


async def no_metrics_server_is_none(world: World) -> None:
    """Nothing registered it."""
    await world.lose_metrics()
    assert await world.eyes.metrics() is None


async def no_range_is_the_default_one(world: World) -> None:
    """kube-apiserver's own."""
    await world.narrow_node_ports()
    assert "30000-32767" == await world.eyes.node_ports()


async def a_forgetful_redis_is_told(world: World) -> None:
    """By its own word."""
    await world.forget()
    assert "no" == (await world.eyes.redis(world.redis_port)).appendonly


async def a_talos_without_tls_is_ill(world: World) -> None:
    """docker-proxy accepts for the dead."""
    await world.silence_talos()
    with pytest.raises(TargetIll):
        await world.eyes.talos(world.talos_port)


async def last_words_are_those_of_the_run_before(world: World) -> None:
    """Of a Redis that cannot read its file; a pod that never ended has none."""
    redis = await world.redis_pod()
    try:
        assert "Bad file format" not in await world.eyes.last_words(redis, "redis")
    except PortError as error:
        assert "not found" in error.detail  # noqa: PT017  (either is an answer)
    await world.corrupt()
    said = await world.eyes.last_words(await world.redis_pod(), "redis")
    assert "Bad file format reading the append only file" in said


async def flannel_s_way_of_filtering_is_told(world: World) -> None:
    """An old Talos' flannel uses iptables, a new one's nftables; its image tells the version."""
    old = await world.eyes.flannel_network(FLANNEL)
    await world.renew_flannel()
    new = await world.eyes.flannel_network(FLANNEL)
    assert (True, False) == (old.needs_br_netfilter, new.needs_br_netfilter)
    assert "kube-flannel" == new.container


async def a_hanging_mount_is_told_of_its_pod_alone(world: World) -> None:
    """The kubelet's event, and none of another pod."""
    pod = await world.hang_mount()
    (event,) = await world.eyes.mount_failures(pod)
    assert ("FailedMount", pod.uid) == (event.reason, event.object_uid)
    assert "mount.nfs: Connection timed out" in event.message
    assert () == tuple(await world.eyes.mount_failures(await world.redis_pod()))


async def a_dead_api_is_ill(world: World) -> None:
    """Every question to it says TargetIll, and none gives an answer of its own."""
    redis = await world.redis_pod()
    await world.die()
    eyes = world.eyes
    asked: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: eyes.addressing("joelclaw"),
        lambda: eyes.pod_security("joelclaw"),
        eyes.storage_classes,
        eyes.provisioner,
        eyes.metrics,
        eyes.node_ports,
        lambda: eyes.flannel_network(FLANNEL),
        lambda: eyes.last_words(redis, "redis"),
        lambda: eyes.mount_failures(redis),
    )
    for ask in asked:
        with pytest.raises(TargetIll):
            await ask()


CHECKS: Final[tuple[Check, ...]] = (
    a_good_set_up_is_told_as_one,
    an_environment_is_told_by_names_alone,
    an_address_is_host_and_port,
    a_lost_label_is_told_from_a_lost_namespace,
    every_default_class_is_told,
    a_lost_toleration_is_told,
    no_metrics_server_is_none,
    no_range_is_the_default_one,
    a_forgetful_redis_is_told,
    a_talos_without_tls_is_ill,
    last_words_are_those_of_the_run_before,
    flannel_s_way_of_filtering_is_told,
    a_hanging_mount_is_told_of_its_pod_alone,
    a_dead_api_is_ill,
)
