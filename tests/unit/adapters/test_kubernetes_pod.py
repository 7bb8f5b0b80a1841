"""What is kept of a pod is all that anybody judges it by, and little else."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from healer.adapters.kubernetes_decode import pod as decoded
from healer.adapters.kubernetes_pod import slim
from healer.model import pod_parts, pod_safety
from healer.model.cluster import Pod
from healer.model.flannel import crashed as needs_a_new_pod
from healer.model.flannel import delete_in
from healer.model.pod_reports import report
from healer.model.pod_status import status
from healer.model.workload import template_of, workload_of
from tests.cluster_objects import NOW, RECORDINGS, pod_json, recorded, running, waiting

Json = dict[str, Any]
LATER = NOW + 30 * 86_400.0
"""When whatever waits in a recording has waited for too long."""
CLUSTERS = sorted(one.stem for one in RECORDINGS.glob("pods-*.json"))


def judged(pod: Pod) -> list[object]:
    """Everything that healer/model says of a pod alone."""
    raw = pod.raw
    return [
        status(raw),
        pod_parts.terminal(raw),
        pod_parts.running_since(raw),
        pod_parts.restarts(raw),
        pod_parts.created_at(raw),
        pod_parts.changed_at(raw),
        pod_parts.changed_at(raw, "Ready", "ContainersReady"),
        pod_parts.deletion_due(raw),
        pod_parts.finalizers(raw),
        pod_parts.mirror(raw),
        pod_parts.debugged(raw, pod.labels),
        pod_safety.shows_unknown(raw),
        pod_safety.lost(raw),
        pod_safety.identity_of_loss(raw),
        pod_safety.lost_since(raw),
        pod_safety.overdue(raw, LATER),
        pod_safety.deletable(pod, frozenset({pod.namespace})),
        pod_safety.force_deletable(pod, frozenset({pod.namespace})),
        report(pod, LATER),
        needs_a_new_pod(pod),
        delete_in(pod, LATER),
        workload_of(pod),
        template_of(pod),
    ]


def whole(kept: Pod, raw: Json) -> Pod:
    """The same pod with all that the server wrote."""
    return replace(kept, read=lambda: raw)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_slim_pod_is_judged_as_the_whole_one(cluster: str) -> None:
    """Every recorded pod, in every state that a real cluster has shown."""
    for raw in recorded(cluster)["list"]["items"]:
        kept = decoded(raw)

        assert judged(whole(kept, raw)) == judged(kept)


def crashed() -> Json:
    """Its last end is told by the state before this one."""
    last = {"terminated": {"exitCode": 3, "reason": "Error"}}
    return pod_json(waiting("CrashLoopBackOff", lastState=last))


def debugged() -> Json:
    """Somebody looks into it by a container of their own."""
    raw = pod_json(running())
    raw["status"]["ephemeralContainerStatuses"] = [running("debugger")]
    return raw


def mirrored() -> Json:
    """The API's copy of a static pod, with somebody's finalizer."""
    raw = pod_json(running(), owner=None)
    raw["metadata"]["annotations"] = {pod_parts.MIRROR: "abc", "other": "x"}
    raw["metadata"]["finalizers"] = ["lab.invalid/keep"]
    return raw


@pytest.mark.parametrize("raw", [crashed(), debugged(), mirrored()])
def test_what_no_recording_shows_is_kept_too(raw: Json) -> None:
    """The rarer fields that a rule reads."""
    kept = decoded(raw)

    assert judged(whole(kept, raw)) == judged(kept)


def test_what_weighs_most_is_let_go_of() -> None:
    """Spec, fields of writers, image ids and volumes: nobody judges by them."""
    for raw in recorded("pods-healthy")["list"]["items"]:
        raw["metadata"]["managedFields"] = [copy.deepcopy(raw["status"])]

        assert len(json.dumps(slim(raw))) < len(json.dumps(raw)) / 2


def test_a_reader_cannot_change_what_others_read() -> None:
    """Each time it is a copy."""
    pod = decoded(pod_json(running()))
    pod.raw["status"]["phase"] = "Failed"

    assert "Running" == pod.raw["status"]["phase"]
