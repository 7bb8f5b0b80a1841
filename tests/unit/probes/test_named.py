"""What a pod's own log or events name, in place of the signs that follow."""

from dataclasses import replace

import anyio
import pytest

from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.model.cluster import Event, Owner, Pod
from healer.model.named_illness import CORRUPT
from healer.ports import CannotLook, TargetIll
from healer.probes import named as naming
from healer.probes.named import NamedIllness
from healer.probes.pods import PodsProbe
from tests.cluster_objects import pod, running, waiting
from tests.fakes.faulty import HANG
from tests.fakes.setup import FakeSetup
from tests.fakes_cluster import FakeCluster

SECRET = "hunter2"
LOG = f"requirepass {SECRET}\n1:M # {CORRUPT} appendonly.aof: make a backup\n"
REDIS = Owner("StatefulSet", "redis", "uid-sts")
NFS = 'MountVolume.SetUp failed for volume "nas" : Output: mount.nfs: Connection timed out'


def looping(restarts: int = 4, image: str = "redis:7", name: str = "redis-0") -> Pod:
    """A Redis that ends again and again."""
    past = {"lastState": {"terminated": {"exitCode": 1}}, "restartCount": restarts}
    found = waiting("CrashLoopBackOff", "redis", image=image, **past)
    return pod(found, name=name, owner=REDIS)


def creating() -> Pod:
    """A pod that has been waiting for its containers for an hour."""
    return pod(waiting("ContainerCreating"), name="web", phase="Pending")


class Stage:
    """A cluster of such pods, with a probe that names what they say."""

    def __init__(self, *pods: Pod) -> None:
        self.cluster, self.eyes = FakeCluster(*pods), FakeSetup()
        self.eyes.log = LOG
        self.named = NamedIllness(self.eyes)
        self.probe = PodsProbe(self.cluster, named=self.named)

    async def look(self, *pods: Pod) -> Observation:
        """Look once, at other pods when some are given."""
        if pods:
            self.cluster.pod_list = list(pods)
        return await self.probe.look()

    async def reasons(self, *pods: Pod) -> list[Reason]:
        """What is found."""
        return [one.reason for one in (await self.look(*pods)).findings]


async def test_a_corrupt_file_is_told_in_place_of_the_crash_loop() -> None:
    """One finding, with Redis' own line and no other of its log."""
    stage = Stage(looping())
    (found,) = (await stage.look()).findings

    assert Reason.REDIS_AOF_CORRUPT is found.reason
    assert f"1:M # {CORRUPT} appendonly.aof: make a backup" in found.evidence
    assert SECRET not in repr(found)
    assert "redis-check-aof --fix" in found.advice
    assert ["last_words redis-0/redis"] == stage.eyes.calls


async def test_its_service_hears_the_cause_while_it_lasts() -> None:
    """By namespace and name, and no longer than the pod is ill."""
    stage = Stage(looping())
    assert "" == stage.named.cause_of("joelclaw/redis")
    await stage.look()
    assert "its own log says: 1:M #" in stage.named.cause_of("joelclaw/redis")
    assert "" == stage.named.cause_of("joelclaw/typesense")
    await stage.look(pod(running("redis"), name="redis-0", owner=REDIS))
    assert "" == stage.named.cause_of("joelclaw/redis")


async def test_a_log_is_read_once_for_each_end() -> None:
    """Of one that ends for another reason, too."""
    stage = Stage(looping(4))
    stage.eyes.log = "out of memory"
    for restarts, asked in ((4, 1), (4, 1), (5, 2)):
        assert [Reason.POD_CRASH_LOOP] == await stage.reasons(looping(restarts))
        assert asked == len(stage.eyes.calls)


async def test_what_was_named_stays_named_while_it_is_ill() -> None:
    """Without its log, and when it has ended once more."""
    stage = Stage(looping(4))
    await stage.look()
    stage.eyes.faults["last_words redis-0/redis"] = TargetIll("log", "500")

    assert [Reason.REDIS_AOF_CORRUPT] == await stage.reasons(looping(5))
    assert 1 == len(stage.eyes.calls)


@pytest.mark.parametrize("error", [TargetIll("log", "400"), CannotLook("log", "no")])
async def test_without_a_log_the_crash_loop_is_told(error: Exception) -> None:
    """And the layer is as well known as before."""
    stage = Stage(looping())
    stage.eyes.faults["last_words redis-0/redis"] = error
    seen = await stage.look()

    assert ("", [Reason.POD_CRASH_LOOP]) == (seen.unknown, [one.reason for one in seen.findings])


async def test_a_log_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up, and not asked for again before the next end."""
    monkeypatch.setattr(naming, "PATIENCE", 0.05)
    stage = Stage(looping())
    stage.eyes.faults["last_words redis-0/redis"] = HANG
    with anyio.fail_after(5.0):
        assert [Reason.POD_CRASH_LOOP] == await stage.reasons()
        assert [Reason.POD_CRASH_LOOP] == await stage.reasons()

    assert 1 == len(stage.eyes.calls)


async def test_other_pods_logs_are_never_read() -> None:
    """A log may hold anything."""
    stage = Stage(replace(looping(image="web:1"), owner=Owner("StatefulSet", "web", "u")))

    assert [Reason.POD_CRASH_LOOP] == await stage.reasons()
    assert [] == stage.eyes.calls


async def test_a_mount_that_hangs_is_told_in_place_of_pending() -> None:
    """With its volume and the kubelet's line."""
    stage = Stage(creating())
    stage.eyes.events = (Event("e", "FailedMount", NFS, "uid-web", "web", "joelclaw", 1.0),)
    (found,) = (await stage.look()).findings

    assert Reason.MOUNT_HANGS is found.reason
    assert "its volume nas cannot be mounted: MountVolume.SetUp failed" in found.evidence
    assert "the file server" in found.advice


async def test_a_pod_that_waits_for_something_else_is_pending() -> None:
    """Also when its events cannot be read."""
    stage = Stage(creating())
    assert [Reason.POD_PENDING] == await stage.reasons()
    stage.eyes.faults["mount_failures web"] = TargetIll("events", "500")
    assert [Reason.POD_PENDING] == await stage.reasons()


async def test_events_that_hang_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign itself is told."""
    monkeypatch.setattr(naming, "PATIENCE", 0.05)
    stage = Stage(creating())
    stage.eyes.faults["mount_failures web"] = HANG
    with anyio.fail_after(5.0):
        assert [Reason.POD_PENDING] == await stage.reasons()
