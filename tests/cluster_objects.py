"""Objects of a small cluster, as the API server writes them, and recordings of a real one."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

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
from healer.model.stamps import epoch

Json = dict[str, Any]

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


def as_pod(raw: Json) -> Pod:
    """A pod as the adapter hands it to probes."""
    metadata = raw["metadata"]
    owners = [one for one in metadata.get("ownerReferences", ()) if one.get("controller")]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        raw=raw,
        labels=metadata.get("labels", {}),
        owner=Owner(owners[0]["kind"], owners[0]["name"], owners[0]["uid"]) if owners else None,
    )


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


def as_node(raw: Json) -> Node:
    """A node as the adapter hands it to probes."""
    metadata, spec = raw["metadata"], raw["spec"]
    return Node(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        taints=tuple(
            Taint(one["key"], one["effect"], one.get("value", "")) for one in spec.get("taints", ())
        ),
        unschedulable=bool(spec.get("unschedulable")),
        annotations=metadata.get("annotations", {}),
        conditions=tuple(
            Condition(
                one["type"],
                one["status"],
                one.get("reason", ""),
                one.get("message", ""),
                epoch(one.get("lastHeartbeatTime")),
                epoch(one.get("lastTransitionTime")),
            )
            for one in raw["status"]["conditions"]
        ),
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


def as_event(raw: Json) -> Event:
    """An event as the adapter hands it to probes."""
    about = raw["involvedObject"]
    seen = [epoch(raw.get(key)) for key in ("lastTimestamp", "eventTime", "firstTimestamp")]
    return Event(
        uid=raw["metadata"]["uid"],
        reason=raw["reason"],
        message=raw["message"],
        object_uid=about.get("uid", ""),
        object_name=about["name"],
        namespace=about.get("namespace", ""),
        last_seen=max(one for one in seen if one is not None),
    )


def as_daemonset(raw: Json) -> DaemonSet:
    """A DaemonSet as the adapter hands it to probes."""
    metadata, status = raw["metadata"], raw["status"]
    return DaemonSet(
        metadata["namespace"],
        metadata["name"],
        metadata["uid"],
        status["desiredNumberScheduled"],
        status.get("numberAvailable", 0),
        metadata["generation"],
        status["observedGeneration"],
    )


def as_deployment(raw: Json) -> Deployment:
    """A Deployment as the adapter hands it to probes."""
    metadata, status = raw["metadata"], raw.get("status", {})
    return Deployment(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=metadata["generation"],
        observed_generation=status.get("observedGeneration", 0),
        desired=raw["spec"]["replicas"],
        ready=status.get("readyReplicas", 0),
        raw=raw,
    )


def livekit(
    recording: str = "chart", *, ready: int = 0, desired: int = 1, available_ago: float = 3600.0
) -> Deployment:
    """LiveKit's Deployment as it was recorded, with other counts."""
    raw = recorded(f"deployment-livekit-{recording}")
    raw["spec"]["replicas"] = desired
    raw["status"] = {
        "observedGeneration": raw["metadata"]["generation"],
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
