"""What is said of a pod that healer cannot mend."""

import pytest

from healer.core.reasons import Reason
from healer.model.cluster import Owner, Pod
from healer.model.pod_reports import report
from healer.model.workload import template_of, workload_of
from tests.cluster_objects import (
    NOW,
    as_pod,
    changed,
    ended,
    lost_pod,
    pod,
    pod_json,
    recorded,
    running,
    stamp,
    terminating,
    waiting,
)

MIRROR = {"kubernetes.io/config.mirror": "x"}
UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
    "lastTransitionTime": stamp(400),
}


def pending(ago: float, **condition: object) -> Pod:
    """A pod that waits for a node."""
    one = pod(phase="Pending", created_ago=ago)
    return changed(one, "status", "conditions", value=[{**UNSCHEDULABLE, **condition}])


@pytest.mark.parametrize(
    ("reason", "word", "ill"),
    [
        (Reason.POD_IMAGE_PULL, "ImagePullBackOff: ", pod(waiting("ImagePullBackOff"))),
        (Reason.POD_IMAGE_PULL, "ErrImagePull: ", pod(waiting("ErrImagePull"))),
        (Reason.POD_IMAGE_PULL, "InvalidImageName: ", pod(waiting("InvalidImageName"))),
        (
            Reason.POD_IMAGE_PULL,
            "Init:ErrImagePull: container setup, image example/app:1",
            pod(inits=(waiting("ErrImagePull", "setup"),)),
        ),
        (Reason.POD_CRASH_LOOP, "CrashLoopBackOff", pod(waiting("CrashLoopBackOff"))),
        (Reason.POD_CRASH_LOOP, "Init:CrashLoopBackOff", pod(inits=(waiting("CrashLoopBackOff"),))),
        (
            Reason.POD_CRASH_LOOP,
            "CreateContainerConfigError",
            pod(waiting("CreateContainerConfigError")),
        ),
        (Reason.POD_PENDING, "untolerated taint", pending(301, lastTransitionTime=stamp(301))),
        (Reason.POD_UNMANAGED, "no controller", lost_pod(owner=None, phase="Failed")),
    ],
)
def test_each_is_told_with_what_was_seen(reason: Reason, word: str, ill: Pod) -> None:
    """The reason, the server's words and a kubectl line that tells more."""
    told = report(ill, NOW)

    assert told is not None
    assert (reason, True) == (told.reason, word in told.evidence)
    assert "kubectl -n joelclaw" in told.advice


@pytest.mark.parametrize(
    "quiet",
    [
        pod(running()),
        pod(waiting("ContainerCreating"), phase="Pending", created_ago=60),
        pod(ended("Error")),
        pod(ended("Completed", 0), phase="Succeeded"),
        changed(pod(phase="Failed"), "status", "reason", value="Evicted"),
        lost_pod(),
        lost_pod(phase="Pending"),
        terminating(5, phase="Pending"),
        pending(400, reason="SchedulingGated"),
        pending(300, lastTransitionTime=stamp(300)),
        lost_pod(phase="Failed"),
        changed(lost_pod(owner=None, phase="Failed"), "metadata", "annotations", value=MIRROR),
        pending(9000, lastTransitionTime=stamp(10)),
        pod(ended("Error"), owner=None, phase="Failed"),
    ],
)
def test_nothing_is_said_of_the_others(quiet: Pod) -> None:
    """Healthy, over, on its way, waiting on purpose, or judged elsewhere."""
    assert None is report(quiet, NOW)


def backing_off(wait: str, restarts: int) -> Pod:
    """A pod that the kubelet starts again after so long."""
    loop = waiting("CrashLoopBackOff", restartCount=restarts)
    loop["state"]["waiting"]["message"] = f"back-off {wait} restarting failed container=app pod=x"
    return pod(loop)


@pytest.mark.parametrize(
    ("wait", "told"),
    [("10s", False), ("20s", False), ("40s", True), ("1m20s", True), ("5m0s", True), ("", True)],
)
def test_a_crash_loop_is_the_third_failure_in_a_row(wait: str, *, told: bool) -> None:
    """Of this kubelet's life: the restart count goes on over reboots, and tells nothing."""
    assert told is (report(backing_off(wait, 7), NOW) is not None)


def test_a_container_that_a_reboot_ended_is_no_crash_loop() -> None:
    """`Error` with exit code 137, seven restarts in its life, and it runs seconds later."""
    killed = {**ended("Error", 137, ago=20), "restartCount": 7}

    assert None is report(pod(killed), NOW)


def test_a_crash_loop_says_how_it_ended_last() -> None:
    """An exit code says more than a loop."""
    loop = waiting("CrashLoopBackOff", restartCount=7)
    loop["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    through = {**waiting("CrashLoopBackOff", "first"), "lastState": {"terminated": {"exitCode": 0}}}
    told = report(pod(through, loop), NOW)

    assert told is not None
    assert "CrashLoopBackOff after 7 restarts; app: OOMKilled, exit code 137" == told.evidence


def test_a_real_cluster_that_is_healthy_has_nothing_to_tell() -> None:
    """No recorded healthy pod is spoken of."""
    items = recorded("pods-healthy")["list"]["items"]

    assert [] == [one for raw in items if (one := report(as_pod(raw), NOW))]


@pytest.mark.parametrize(
    ("workload", "template", "owner", "labels"),
    [
        (
            "Deployment/web",
            "5d9f",
            Owner("ReplicaSet", "web-5d9f", "u"),
            {"pod-template-hash": "5d9f"},
        ),
        ("ReplicaSet/alone", "uid-web-5d9f-abcde", Owner("ReplicaSet", "alone", "u"), {}),
        (
            "StatefulSet/redis",
            "7c",
            Owner("StatefulSet", "redis", "u"),
            {"controller-revision-hash": "7c"},
        ),
        ("Job/once", "j1", Owner("Job", "once", "u"), {"controller-uid": "j1"}),
        ("CronJob/nightly", "", Owner("Job", "nightly-29391840", "u"), {"controller-uid": "j1"}),
        ("Pod/web-5d9f-abcde", "uid-web-5d9f-abcde", None, {}),
    ],
)
def test_a_pod_belongs_to_the_workload_at_the_top(
    workload: str, template: str, owner: Owner | None, labels: dict[str, str]
) -> None:
    """The same template is told of once, whichever pod shows it."""
    one = as_pod(pod_json(owner=owner, labels=labels))

    assert (f"joelclaw/{workload}", template) == (workload_of(one), template_of(one))
