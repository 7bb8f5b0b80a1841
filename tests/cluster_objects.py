"""Objects of a small cluster, as the API server writes them, and recordings of a real one."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from healer.adapters import kubernetes_decode
from healer.model.cluster import (
    Condition,
    DaemonSet,
    Deployment,
    Event,
    Node,
    Owner,
    Pod,
    Taint,
)

Json = dict[str, Any]

as_pod = kubernetes_decode.pod
as_node = kubernetes_decode.node
as_event = kubernetes_decode.event
as_daemonset = kubernetes_decode.daemonset
as_deployment = kubernetes_decode.deployment

RECORDINGS: Final = Path(__file__).parent / "recordings" / "kubernetes"
NOW: Final = 1_795_000_000.0
"""The server's time in tests that make their objects by hand."""
NODE: Final = "joelclaw-controlplane-1"
ONE: Final = Taint("node-role.kubernetes.io/control-plane", "NoSchedule")
DEDICATED: Final = Taint("dedicated", "NoSchedule", "builds")

SUBNET_ENV: Final = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "0b83": plugin type="flannel" failed (add): failed to load flannel \'subnet.env\' '
    "file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log "
    "for this node."
)
OLDER_SUBNET_ENV: Final = (
    "(combined from similar events): Failed to create pod sandbox: rpc error: code = Unknown "
    'desc = failed to setup network for sandbox "0b83": plugin type="flannel" failed (add): '
    "loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory"
)


def recorded(name: str) -> Json:
    """A recording of a real API server."""
    found: Json = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def stamp(ago: float, now: float = NOW) -> str:
    """The server's RFC 3339 of so many seconds ago."""
    return datetime.fromtimestamp(now - ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def running(name: str = "app", ago: float = 3600.0) -> Json:
    """A container that runs."""
    return {
        "name": name,
        "ready": True,
        "restartCount": 0,
        "image": "example/app:1",
        "state": {"running": {"startedAt": stamp(ago)}},
    }


def waiting(reason: str, name: str = "app", **more: object) -> Json:
    """A container that waits."""
    return {
        "name": name,
        "ready": False,
        "restartCount": 0,
        "image": "example/app:1",
        "state": {"waiting": {"reason": reason}},
        **more,
    }


def ended(reason: str, code: int = 1, name: str = "app", ago: float = 3600.0) -> Json:
    """A container that ended."""
    state: Json = {
        "exitCode": code,
        "finishedAt": stamp(ago),
        "containerID": f"containerd://{name}",
    }
    if reason:
        state["reason"] = reason
    return {
        "name": name,
        "ready": False,
        "restartCount": 1,
        "image": "example/app:1",
        "state": {"terminated": state},
    }


def lost(ago: float = 3600.0, name: str = "app") -> Json:
    """A container that containerd had as running before the power went (form A)."""
    return ended("Unknown", 255, name, ago)


def pod_json(  # noqa: PLR0913  (the fields of a pod)
    *containers: Json,
    name: str = "web-5d9f-abcde",
    namespace: str = "joelclaw",
    owner: Owner | None = Owner("ReplicaSet", "web-5d9f", "uid-rs"),  # noqa: B008  (frozen)
    phase: str = "Running",
    created_ago: float = 86_400.0,
    labels: dict[str, str] | None = None,
    inits: tuple[Json, ...] = (),
) -> Json:
    """A pod; what else it needs is set in the JSON afterwards."""
    metadata: Json = {
        "namespace": namespace,
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "creationTimestamp": stamp(created_ago),
        "labels": {"pod-template-hash": "5d9f"} if labels is None else labels,
    }
    if owner is not None:
        reference = {"kind": owner.kind, "name": owner.name, "uid": owner.uid, "controller": True}
        metadata["ownerReferences"] = [reference]
    status: Json = {"phase": phase, "containerStatuses": list(containers)}
    if inits:
        status["initContainerStatuses"] = list(inits)
    return {
        "metadata": metadata,
        "spec": {"nodeName": NODE, "initContainers": [{"name": one["name"]} for one in inits]},
        "status": status,
    }


def pod(*containers: Json, **fields: Any) -> Pod:  # noqa: ANN401  (as `pod_json`)
    """A pod of those containers."""
    return as_pod(pod_json(*containers, **fields))


def lost_pod(ago: float = 3600.0, **fields: Any) -> Pod:  # noqa: ANN401  (as `pod_json`)
    """A pod that shows Unknown since then."""
    return pod(lost(ago), **fields)


def terminating(due_ago: float, **fields: Any) -> Pod:  # noqa: ANN401  (as `pod_json`)
    """A pod whose deletion's grace ended so long ago."""
    raw = pod_json(running(), **fields)
    raw["metadata"]["deletionTimestamp"] = stamp(due_ago)
    return as_pod(raw)


def changed(one: Pod, *path: str, value: object) -> Pod:
    """The same pod with another value somewhere in its JSON."""
    raw = copy.deepcopy(one.raw)
    place = raw
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return as_pod(raw)


def ready(status: str = "True", ago: float = 3600.0, message: str = "fine") -> Condition:
    """A Ready condition."""
    return Condition("Ready", status, "Kubelet", message, NOW - 5.0, NOW - ago)


def node(
    condition: Condition | None = None,
    *taints: Taint,
    cordoned: bool = False,
    by_talos: bool = False,
) -> Node:
    """The one node."""
    return Node(
        name=NODE,
        uid="uid-node",
        resource_version="1",
        taints=taints,
        unschedulable=cordoned or by_talos,
        annotations={"talos.dev/cordoned": "true"} if by_talos else {},
        conditions=(condition or ready(),),
    )


def daemonset(desired: int = 1, available: int = 1) -> DaemonSet:
    """Flannel's DaemonSet."""
    return DaemonSet("kube-system", "kube-flannel", "uid-ds", desired, available, 1, 1)


def flannel_pod(*containers: Json, name: str = "kube-flannel-x") -> Pod:
    """Flannel's pod."""
    return pod(
        *containers,
        name=name,
        namespace="kube-system",
        owner=Owner("DaemonSet", "kube-flannel", "uid-ds"),
        labels={"k8s-app": "flannel", "controller-revision-hash": "6c"},
    )


def sandbox_event(ago: float, of: Pod, message: str = SUBNET_ENV) -> Event:
    """A sandbox that could not be made so long ago."""
    return Event(
        uid="uid-event",
        reason="FailedCreatePodSandBox",
        message=message,
        object_uid=of.uid,
        object_name=of.name,
        namespace=of.namespace,
        last_seen=NOW - ago,
    )


def livekit(  # noqa: PLR0913  (the fields of a Deployment)
    recording: str = "chart",
    *,
    ready: int = 0,
    desired: int = 1,
    available_ago: float = 3600.0,
    paused: bool = False,
    updated: int = 1,
    total: int = 1,
) -> Deployment:
    """LiveKit's Deployment as it was recorded, with other counts; `updated`: its newest pods."""
    raw = recorded(f"deployment-livekit-{recording}")
    raw["spec"]["replicas"] = desired
    if paused:
        raw["spec"]["paused"] = True
    raw["status"] = {
        "observedGeneration": raw["metadata"]["generation"],
        "replicas": total,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "conditions": [
            {
                "type": "Available",
                "status": "True" if ready else "False",
                "lastTransitionTime": stamp(available_ago),
            }
        ],
    }
    return as_deployment(raw)
