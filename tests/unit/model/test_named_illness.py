"""Illnesses that one line names."""

import pytest

from healer.core.reasons import Reason
from healer.model.cluster import Event, Owner, Pod
from healer.model.named_illness import (
    CORRUPT,
    corrupt_line,
    corrupt_report,
    hanging,
    looping_redis,
    mount_report,
    waits_for_mount,
)
from tests.cluster_objects import ended, pod, running, waiting

STATEFUL = Owner("StatefulSet", "cache", "uid-sts")
LINE = f"1:M # {CORRUPT} appendonly.aof: make a backup of your AOF file"
NFS = (
    'MountVolume.SetUp failed for volume "nas" : mount failed: exit status 32\n'
    "Mounting command: mount\n"
    "Mounting arguments: -t nfs -o nfsvers=3,password=hunter2 nas.lan:/v /var/lib/kubelet\n"
    "Output: mount.nfs: Connection timed out"
)


def looping(image: str, owner: Owner = STATEFUL) -> Pod:
    """A pod whose container of that image ended and waits to be started again."""
    past = {"lastState": {"terminated": {"exitCode": 1}}, "restartCount": 4, "image": image}
    return pod(running("metrics"), waiting("CrashLoopBackOff", "main", **past), owner=owner)


def event(message: str, reason: str = "FailedMount", last_seen: float = 1.0) -> Event:
    """A warning of a pod."""
    return Event("e", reason, message, "uid", "web", "joelclaw", last_seen)


@pytest.mark.parametrize(
    "image", ["redis:7", "docker.io/library/redis:7@sha256:ab", "valkey/valkey:8", "redis-stack"]
)
def test_a_redis_is_known_by_its_image(image: str) -> None:
    """Whatever its workload is called; the container that ends is named, and no sidecar."""
    assert "main" == looping_redis(looping(image))


def test_a_redis_is_known_by_its_workload() -> None:
    """Where an image of one's own is called otherwise."""
    owner = Owner("StatefulSet", "redis", "uid-sts")
    assert "main" == looping_redis(looping("lab.invalid/cache:1", owner))
    assert "app" == looping_redis(pod(ended("Error"), owner=owner))


@pytest.mark.parametrize("image", ["typesense:1", "redis.example/web:1", ""])
def test_anything_else_is_none(image: str) -> None:
    """A registry's name is not an image's."""
    assert "" == looping_redis(looping(image))


def test_a_redis_that_has_not_ended_has_no_last_words() -> None:
    """Nor has one that runs."""
    owner = Owner("StatefulSet", "redis", "uid-sts")
    assert "" == looping_redis(pod(waiting("ContainerCreating"), owner=owner))
    assert "" == looping_redis(pod(running(), owner=owner))


def test_one_line_of_a_log_is_repeated_and_no_other() -> None:
    """The last one that says so, and not without end."""
    assert LINE == corrupt_line(f"password=hunter2\n{LINE}\nbye\n")
    assert "" == corrupt_line("all is well\n")
    assert 240 == len(corrupt_line(LINE + "x" * 5000))


def test_the_operators_procedure_names_the_workload() -> None:
    """Nothing in it is for healer to do."""
    told = corrupt_report(looping("redis:7"), LINE)
    assert Reason.REDIS_AOF_CORRUPT is told.reason
    assert LINE in told.evidence
    assert told.advice.startswith("kubectl -n joelclaw scale statefulset/cache --replicas=0; ")
    assert "redis-check-aof --fix" in told.advice


def test_a_mount_is_named_by_volume_line_and_server() -> None:
    """Its options may hold a password, and are not repeated."""
    found = hanging([event(NFS)])
    assert found is not None
    assert ("nas", "Output: mount.nfs: Connection timed out", "nas.lan") == (
        found.volume,
        found.line,
        found.server,
    )
    told = mount_report(pod(waiting("ContainerCreating")), found)
    assert Reason.MOUNT_HANGS is told.reason
    assert "nc -z nas.lan 2049" in told.advice
    assert "hunter2" not in f"{told.evidence}{told.advice}"


def test_a_mount_that_only_timed_out_names_its_volume() -> None:
    """As the kubelet sums it up."""
    found = hanging(
        [event("Unable to attach or mount volumes: unmounted volumes=[data], unattached "
               "volumes=[]: timed out waiting for the condition")]
    )  # fmt: skip
    assert found is not None
    assert ("data", "") == (found.volume, found.server)
    assert "nc -z" not in mount_report(pod(waiting("ContainerCreating")), found).advice


def test_the_newest_event_counts() -> None:
    """An older one may name what was mended since."""
    newer = NFS.replace('"nas"', '"newer"')
    found = hanging([event(NFS, last_seen=1.0), event(newer, last_seen=2.0)])
    assert found is not None
    assert "newer" == found.volume


@pytest.mark.parametrize(
    "one",
    [
        event('MountVolume.SetUp failed for volume "c" : configmap "c" not found'),
        event('MountVolume.SetUp failed for volume "nas" : mount.nfs: access denied by server'),
        event(NFS, reason="FailedScheduling"),
        event(""),
    ],
)
def test_other_troubles_with_volumes_keep_their_own_words(one: Event) -> None:
    """A missing ConfigMap is no file server that is off."""
    assert hanging([one]) is None


def test_only_a_pod_that_has_not_begun_waits_for_a_mount() -> None:
    """One that runs, or whose image is missing, waits for nothing of the kind."""
    assert waits_for_mount(pod(waiting("ContainerCreating"), phase="Pending"))
    assert not waits_for_mount(pod(waiting("ImagePullBackOff"), phase="Pending"))
    assert not waits_for_mount(pod(running()))
