"""Pods as the API server writes them, from what the kubelet last wrote."""

from typing import Any

from healer.model.cluster import Owner, Pod
from healer.simulation.clockwork import Clockwork
from healer.simulation.flannel import BACKOFF, FlannelView
from healer.simulation.human import NODE
from healer.simulation.stamps import stamp
from healer.simulation.workloads import LIVEKIT, View, Workload

Json = dict[str, Any]

_LIVEKIT_GRACE = 18_000
"""Chart 1.9.0's own (talos-kubernetes.md §6)."""


def pod_of(clock: Clockwork, workload: Workload, view: View, version: int) -> Pod:
    """A workload's pod."""
    owner = workload.owner
    name = _name(workload, view)
    raw = _raw(
        namespace=workload.namespace,
        name=name,
        uid=f"uid-{workload.name}-{view.serial}",
        version=version,
        created=clock.wall(view.created_at),
    )
    if workload.kind == "Node":
        raw["metadata"]["annotations"] = {"kubernetes.io/config.mirror": str(view.serial)}
    if view.deletion_due is not None:
        raw["metadata"]["deletionTimestamp"] = stamp(clock.wall(view.deletion_due))
    raw["metadata"]["labels"] = {"app": workload.name, "pod-template-hash": "5d9f"}
    raw["spec"]["hostNetwork"] = workload.host_network
    if workload.name == LIVEKIT:
        raw["spec"]["terminationGracePeriodSeconds"] = _LIVEKIT_GRACE
    raw["status"] = _status(clock, workload, view)
    if view.state == "pending":
        raw["spec"].pop("nodeName")
    return _pod(raw, None if owner is None else Owner(*owner, f"uid-{owner[1]}"))


def _name(workload: Workload, view: View) -> str:
    return workload.pod_name if view.serial == workload.serial else f"{workload.name}-old"


def _raw(*, namespace: str, name: str, uid: str, version: int, created: float) -> Json:
    return {
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": uid,
            "resourceVersion": str(version),
            "creationTimestamp": stamp(created),
        },
        "spec": {
            "nodeName": NODE,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "containers": [{"name": name}],
        },
    }


def _pod(raw: Json, owner: Owner | None) -> Pod:
    metadata = raw["metadata"]
    if owner is not None:
        reference = {"kind": owner.kind, "name": owner.name, "uid": owner.uid, "controller": True}
        metadata["ownerReferences"] = [reference]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        read=lambda: raw,
        labels=metadata["labels"],
        owner=owner,
    )


def _status(clock: Clockwork, workload: Workload, view: View) -> Json:
    if view.state == "failed":
        return {"phase": "Failed", "reason": "Terminated"}
    if view.state == "pending":
        return {"phase": "Pending", "conditions": [_unschedulable()]}
    status = {
        "name": workload.name,
        "ready": view.ready,
        "restartCount": view.restarts,
        **_states(clock, workload, view),
    }
    creating = view.state in {"creating", "image"}
    return {
        "phase": "Pending" if creating else "Running",
        "conditions": _conditions(ready=view.ready, since=clock.wall(view.ready_since)),
        "containerStatuses": [status],
    }


def _states(clock: Clockwork, workload: Workload, view: View) -> Json:
    match view.state:
        case "running":
            return {"state": {"running": {"startedAt": stamp(clock.wall(view.since))}}}
        case "unknown":
            uid = f"uid-{workload.name}-{view.serial}-{view.restarts}"
            return {"state": {"terminated": _ended(uid, "Unknown", 255, clock.wall(view.since))}}
        case "image":
            message = "Back-off pulling image: not found"
            return {"state": {"waiting": {"reason": "ImagePullBackOff", "message": message}}}
        case "backoff":
            uid = f"uid-{workload.name}-{view.serial}-{view.restarts}"
            return {
                "state": {"waiting": _backing_off(view.restarts)},
                "lastState": {"terminated": _ended(uid, "Error", 1, clock.wall(view.since))},
            }
        case _:
            return {"state": {"waiting": {"reason": "ContainerCreating"}}}


def _backing_off(failures: int) -> Json:
    wait = int(BACKOFF[min(failures, len(BACKOFF)) - 1])
    minutes, seconds = divmod(wait, 60)
    spelled = f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
    return {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {spelled} restarting failed container=app pod=app_joelclaw(uid)",
    }


def _ended(uid: str, reason: str, exit_code: int, when: float) -> Json:
    return {
        "reason": reason,
        "exitCode": exit_code,
        "containerID": f"containerd://{uid}",
        "finishedAt": stamp(when),
    }


def _conditions(*, ready: bool, since: float) -> list[Json]:
    return [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Initialized", "status": "True"},
        {
            "type": "Ready",
            "status": "True" if ready else "False",
            "lastTransitionTime": stamp(since),
        },
    ]


def _unschedulable() -> Json:
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
    }


def flannel_pod_of(clock: Clockwork, view: FlannelView, version: int) -> Pod:
    """The DaemonSet's pod."""
    name = f"kube-flannel-x{view.uid}"
    raw = _raw(
        namespace="kube-system",
        name=name,
        uid=f"uid-flannel-{view.uid}",
        version=version,
        created=clock.wall(view.created_at),
    )
    raw["metadata"]["labels"] = {"k8s-app": "flannel", "tier": "node"}
    raw["spec"]["hostNetwork"] = True
    container = {
        "name": "kube-flannel",
        "ready": view.running,
        "restartCount": view.restarts,
        **_flannel_states(clock, view),
    }
    waiting = not view.running and not view.restarts and not view.lost
    raw["status"] = {
        "phase": "Pending" if waiting else "Running",
        "conditions": _conditions(ready=view.running, since=clock.wall(view.since)),
        "containerStatuses": [container],
    }
    return _pod(raw, Owner("DaemonSet", "kube-flannel", "uid-kube-flannel"))


def _flannel_states(clock: Clockwork, view: FlannelView) -> Json:
    uid = f"flannel-{view.uid}-{view.restarts}"
    ended = clock.wall(view.finished_at)
    if view.running:
        return {"state": {"running": {"startedAt": stamp(clock.wall(view.since))}}}
    if view.lost:
        return {"state": {"terminated": _ended(uid, "Unknown", 255, ended)}}
    if not view.restarts:
        return {"state": {"waiting": {"reason": "ContainerCreating"}}}
    return {
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": _ended(uid, "Error", 1, ended)},
    }
