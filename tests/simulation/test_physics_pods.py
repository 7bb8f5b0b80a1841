"""Kubelet, flannel and LiveKit: what heals alone, what waits, and what a delete does."""

import pytest

from healer.core.tower import Layer
from healer.model.livekit import drift
from healer.model.pod_status import status
from healer.simulation.kubelet import EVENTS_AT_ONCE
from healer.simulation.workloads import LIVEKIT
from tests.simulation.stage import Stage

WORKERS = "system-bus-worker"


def shown(stage: Stage, name: str) -> str:
    """kubectl's STATUS of a workload's pod."""
    return status(stage.tower.objects.pod(stage.pod(name)).raw)


def rebooted(*, module: bool = True) -> Stage:
    """A container that starts anew after a power cut, its taint taken away once it is there."""
    stage = Stage()
    stage.tower.kernel.persisted = module
    stage.befall("vm_power_cut").tower.machine.power_on()
    stage.seconds_until(lambda: stage.tower.cluster.node.reporting)
    return stage


def test_lost_pods_show_unknown_and_heal_once_flannel_works() -> None:
    """Unknown A: terminated, reason Unknown, 255; most heal by themselves (§3)."""
    stage = rebooted()
    assert ("Unknown", 255) == (
        shown(stage, "redis"),
        stage.tower.objects.pod(stage.pod("redis")).raw["status"]["containerStatuses"][0]["state"][
            "terminated"
        ]["exitCode"],
    )
    stage.seconds_until(lambda: stage.pod("redis").ready)
    assert "Running" == shown(stage, "redis")
    assert Layer.FLANNEL not in stage.ill()


def test_without_the_module_flannel_crashes_with_growing_rests_and_pods_stay_unknown() -> None:
    """flanneld exits 1, back-off grows to five minutes, sandboxes fail (§5)."""
    stage = rebooted(module=False).wait(1200.0)
    flannel = stage.tower.cluster.flannel

    assert (False, "Unknown") == (flannel.running, shown(stage, "redis"))
    assert 6 <= flannel.restarts <= 9
    failures = {one.object_name for one in stage.tower.objects.warnings()}
    assert {"redis-0", "typesense-0", "inngest-0"} <= failures


def test_a_new_flannel_pod_skips_the_old_ones_rest() -> None:
    """That is why it is deleted after the module is loaded (§5)."""
    stage = rebooted(module=False).wait(600.0)
    stage.tower.kernel.loaded = True
    stage.tower.cluster.flannel.replace()

    assert stage.seconds_until(lambda: stage.tower.cluster.flannel.subnet_env) < 5.0


def test_flannel_comes_back_by_itself_within_five_minutes() -> None:
    """The longest back-off (§5)."""
    stage = Stage().befall("flannel_crashes")

    assert 299.0 < stage.seconds_until(lambda: not stage.ill()) < 310.0


def test_events_are_thinned_and_linger_for_an_hour() -> None:
    """One in 300 s after a burst of 25; the API keeps them for an hour (§5)."""
    stage = rebooted(module=False).wait(3000.0)
    (failure,) = [
        one for one in stage.tower.cluster.kubelet.recent_failures() if one.pod.name == "redis"
    ]
    assert EVENTS_AT_ONCE < failure.count < EVENTS_AT_ONCE + 12
    stage.tower.kernel.loaded = True
    stage.tower.cluster.flannel.replace()
    stage.wait(1800.0)
    assert failure in stage.tower.cluster.kubelet.recent_failures()
    assert [] == stage.wait(2400.0).tower.cluster.kubelet.recent_failures()


def test_a_stuck_pod_is_unknown_until_it_is_deleted_and_made_anew() -> None:
    """Its sandbox's name is reserved (§1): the kubelet never starts it again."""
    stage = Stage().befall("pod_unknown", owner="StatefulSet").wait(7200.0)
    assert "Unknown" == shown(stage, "typesense")
    stage.tower.cluster.kubelet.delete(stage.pod("typesense"), 30.0)
    assert stage.seconds_until(lambda: stage.pod("typesense").ready) < 10.0
    assert 2 == stage.pod("typesense").serial


def test_a_bare_pod_is_gone_for_ever() -> None:
    """No controller, no successor (§4)."""
    stage = Stage().befall("pod_unknown", owner="bare")
    harm = stage.tower.cluster.kubelet.delete(stage.pod("debug-shell"), 30.0)
    stage.wait(60.0)

    assert "nothing makes it anew" in harm
    assert "debug-shell" not in [one.name for one in stage.tower.objects.pods()]


def test_a_pod_that_hangs_on_goes_by_force_alone() -> None:
    """The object is removed at once without the kubelet's word (§4)."""
    stage = Stage().befall("pod_stuck_terminating").wait(140.0)
    worker = stage.pod(WORKERS)
    assert ("Terminating", False) == (shown(stage, WORKERS), worker.overdue)
    assert stage.wait(11.0).pod(WORKERS).overdue
    assert "" == stage.tower.cluster.kubelet.delete(worker, 0)
    assert (2, None) == (worker.serial, worker.deletion_due)


def test_a_second_delete_only_shortens_the_grace() -> None:
    """§4."""
    stage = Stage().befall("pod_stuck_terminating")
    worker, kubelet = stage.pod(WORKERS), stage.tower.cluster.kubelet
    kubelet.delete(worker, 600.0)
    assert 30.0 == worker.deletion_due
    kubelet.delete(worker, 5.0)
    assert 5.0 == worker.deletion_due


def test_pods_without_the_toleration_wait_for_the_taint_to_go() -> None:
    """Running ones are not evicted; a new one is Pending (§2)."""
    stage = Stage().befall("taint_put_back")
    assert stage.wait(60.0).pod("bluesky-pds").ready
    stage.tower.cluster.kubelet.replace(stage.pod("bluesky-pds"))
    assert "Pending" == shown(stage.wait(60.0), "bluesky-pds")
    stage.tower.cluster.untaint()
    assert stage.wait(6.0).pod("bluesky-pds").ready


def test_reset_probes_never_pass_and_patched_ones_do() -> None:
    """Probes of the pod's address are refused until it is Ready, so it never is (§6)."""
    stage = Stage().befall("livekit_probes_reset").wait(600.0)
    livekit = stage.pod(LIVEKIT)
    assert (False, True) == (livekit.ready, livekit.restarts > 10)
    assert drift(stage.tower.objects.livekit()[0].raw)
    livekit.probes_drifted = False
    stage.tower.cluster.kubelet.replace(livekit)
    assert stage.wait(10.0).pod(LIVEKIT).ready
    assert {} == drift(stage.tower.objects.livekit()[0].raw)


def test_livekit_starves_without_redis_and_recovers_with_it() -> None:
    """After about 35 s (livekit/livekit#4663); it is not LiveKit that is ill."""
    stage = Stage().befall("crash_loop", workload="redis")
    assert stage.wait(34.0).pod(LIVEKIT).ready
    assert not stage.wait(2.0).pod(LIVEKIT).ready
    redis = stage.pod("redis")
    redis.crashes_after = None
    stage.tower.cluster.kubelet.replace(redis)
    assert stage.wait(15.0).pod(LIVEKIT).ready


def test_a_new_livekit_waits_for_redis() -> None:
    """Its health is refreshed through Redis alone (§6)."""
    stage = Stage().befall("bad_image", workload="redis")
    stage.tower.cluster.kubelet.replace(stage.pod(LIVEKIT))
    assert (True, False) == (stage.wait(20.0).pod(LIVEKIT).up, stage.pod(LIVEKIT).ready)
    redis = stage.pod("redis")
    redis.image_bad = False
    stage.tower.cluster.kubelet.replace(redis)
    assert stage.wait(15.0).pod(LIVEKIT).ready


@pytest.mark.parametrize(
    ("befalls", "word"),
    [("image_pull", "ImagePullBackOff"), ("worker_crash_loop", "CrashLoopBackOff")],
)
def test_a_bad_worker_shows_its_word_and_makes_no_layer_ill(befalls: str, word: str) -> None:
    """Advisory: healer only reports it (design §10)."""
    stage = Stage().befall(befalls).wait(30.0)

    assert word == shown(stage, WORKERS)
    assert set() == stage.ill()


def test_what_is_scaled_to_zero_is_well_and_gone() -> None:
    """R49."""
    stage = Stage().befall("scale_to_zero", workload="typesense").wait(30.0)

    assert set() == stage.ill()
    assert "typesense-0" not in [one.name for one in stage.tower.objects.pods()]
    stage.pod("typesense").desired = 1
    assert ("scaled typesense to 0",) == stage.tower.undone()


def test_an_object_that_has_not_changed_is_the_very_same() -> None:
    """So that a look pays for what changes, as before a real watch."""
    stage = Stage()
    before = stage.tower.objects.pods()
    after = stage.wait(60.0).tower.objects.pods()
    assert all(one is other for one, other in zip(before, after, strict=True))

    stage.befall("pod_unknown", owner="StatefulSet")
    changed = [
        one.name
        for one, other in zip(stage.tower.objects.pods(), before, strict=True)
        if one is not other
    ]
    assert ["typesense-0"] == changed
