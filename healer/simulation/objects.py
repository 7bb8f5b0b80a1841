"""The simulated cluster's objects as the API server would write them."""

from datetime import UTC, datetime
from typing import Any

from healer.model.cluster import (
    CONTROL_PLANE_TAINT,
    Condition,
    DaemonSet,
    Deployment,
    Event,
    Node,
    Owner,
    Pod,
    ServicePort,
    Taint,
)
from healer.simulation.physics import SandboxEvent, Tower
from healer.simulation.workloads import Workload

NODE = "joelclaw-controlplane-1"
_SUBNET_ENV = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "3f9c": plugin type="flannel" failed (add): failed to load flannel \'subnet.env\' '
    "file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log "
    "for this node."
)
"""The newer of the two texts of facts/talos-kubernetes.md §5."""


def stamp(epoch: float) -> str:
    """RFC 3339 in whole seconds, as metav1.Time is written."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node(tower: Tower) -> Node:
    """The one node."""
    cluster = tower.cluster
    ready = Condition(
        type="Ready",
        status="True" if cluster.ready else "False",
        reason="KubeletReady" if cluster.ready else "KubeletNotReady",
        message="kubelet is posting ready status" if cluster.ready else "kubelet is starting",
        heartbeat=tower.wall(),
        transition=tower.wall(cluster.ready_since),
    )
    taints = (Taint(CONTROL_PLANE_TAINT, "NoSchedule"),) if cluster.tainted else ()
    if cluster.cordoned:
        taints = (*taints, Taint("node.kubernetes.io/unschedulable", "NoSchedule"))
    return Node(
        name=NODE,
        uid="uid-node",
        resource_version=str(cluster.version),
        taints=taints,
        unschedulable=cluster.cordoned,
        annotations={"talos.dev/cordoned": "true"} if cluster.cordoned_by_talos else {},
        conditions=(ready,),
    )


def pods(tower: Tower) -> list[Pod]:
    """Every pod, flannel's first."""
    workloads = [one for one in tower.cluster.workloads if one.desired]
    return [flannel_pod(tower), *(pod(tower, one) for one in workloads)]


def flannel_pod(tower: Tower) -> Pod:
    """The DaemonSet's pod; it crashes with exit code 1 while the module is missing."""
    flannel = tower.cluster.flannel
    container: dict[str, Any] = {
        "name": "kube-flannel",
        "ready": flannel.running,
        "restartCount": flannel.restarts,
        "state": {"running": {"startedAt": stamp(tower.wall(flannel.started_at))}},
    }
    if not flannel.running and not flannel.restarts:
        container["state"] = {"waiting": {"reason": "ContainerCreating"}}
    elif not flannel.running:
        container["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
        container["lastState"] = {
            "terminated": {
                "reason": "Error",
                "exitCode": 1,
                "containerID": f"containerd://flannel-{flannel.uid}-{flannel.restarts}",
                "finishedAt": stamp(tower.wall(flannel.finished_at)),
            }
        }
    raw = _pod_json(
        namespace="kube-system",
        name=f"kube-flannel-x{flannel.uid}",
        uid=f"uid-flannel-{flannel.uid}",
        owner=Owner("DaemonSet", "kube-flannel", "uid-kube-flannel"),
        labels={"k8s-app": "flannel", "tier": "node"},
        created=tower.wall(flannel.started_at),
        host_network=True,
        container=container,
    )
    return _pod(raw)


def pod(tower: Tower, workload: Workload) -> Pod:
    """A workload's pod in whatever state the kubelet last wrote."""
    kind, name = workload.owner
    raw = _pod_json(
        namespace=workload.namespace,
        name=workload.pod_name,
        uid=workload.pod_uid,
        owner=Owner(kind, name, f"uid-{name}"),
        labels={"app": workload.name, "pod-template-hash": "5d9f"},
        created=tower.wall(workload.created_at),
        host_network=workload.host_network,
        container=_container(tower, workload),
    )
    if workload.pending(tainted=tower.cluster.tainted):
        raw["status"] = {"phase": "Pending", "conditions": [_unschedulable()]}
        raw["spec"].pop("nodeName")
    return _pod(raw)


def _container(tower: Tower, workload: Workload) -> dict[str, Any]:
    status: dict[str, Any] = {
        "name": workload.name,
        "ready": workload.ready,
        "restartCount": workload.restarts,
    }
    if workload.up:
        started = stamp(tower.wall(workload.started_at))
        status["state"] = {"running": {"startedAt": started}}
    elif workload.lost_at is not None:
        status["state"] = {
            "terminated": {
                "reason": "Unknown",
                "exitCode": 255,
                "containerID": f"containerd://{workload.pod_uid}-{workload.restarts}",
                "finishedAt": stamp(tower.wall(workload.lost_at)),
            }
        }
    else:
        status["state"] = {"waiting": {"reason": "ContainerCreating"}}
    return status


def _unschedulable() -> dict[str, Any]:
    return {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 node(s) had untolerated taint(s).",
    }


def _pod_json(  # noqa: PLR0913  (the fields of a pod)
    *,
    namespace: str,
    name: str,
    uid: str,
    owner: Owner,
    labels: dict[str, str],
    created: float,
    host_network: bool,
    container: dict[str, Any],
) -> dict[str, Any]:
    reference = {"kind": owner.kind, "name": owner.name, "uid": owner.uid, "controller": True}
    running = "running" in container["state"]
    waiting = container["state"].get("waiting", {}).get("reason") == "ContainerCreating"
    ready = "True" if container["ready"] else "False"
    return {
        "metadata": {
            "namespace": namespace,
            "name": name,
            "uid": uid,
            "resourceVersion": "1",
            "creationTimestamp": stamp(created),
            "labels": labels,
            "ownerReferences": [reference],
        },
        "spec": {
            "nodeName": NODE,
            "hostNetwork": host_network,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "containers": [{"name": container["name"]}],
        },
        "status": {
            "phase": "Pending" if waiting and not running else "Running",
            "conditions": [
                {"type": "PodScheduled", "status": "True"},
                {"type": "Initialized", "status": "True"},
                {"type": "Ready", "status": ready},
            ],
            "containerStatuses": [container],
        },
    }


def _pod(raw: dict[str, Any]) -> Pod:
    metadata = raw["metadata"]
    reference = metadata["ownerReferences"][0]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        read=lambda: raw,
        labels=metadata["labels"],
        owner=Owner(reference["kind"], reference["name"], reference["uid"]),
    )


def sandbox_event(tower: Tower, event: SandboxEvent) -> Event:
    """The API's record of sandboxes that could not be made; it lingers."""
    uid = event.pod.pod_uid
    return Event(
        uid=f"event-{uid}",
        reason="FailedCreatePodSandBox",
        message=_SUBNET_ENV,
        object_uid=uid,
        object_name=event.pod.pod_name,
        namespace=event.pod.namespace,
        last_seen=tower.wall(event.last_seen),
    )


def daemonset(tower: Tower) -> DaemonSet:
    """kube-flannel; it has no readiness probe, so available means that it runs."""
    available = 1 if tower.cluster.flannel.running else 0
    return DaemonSet("kube-system", "kube-flannel", "uid-kube-flannel", 1, available, 1, 1)


def livekit(tower: Tower) -> Deployment:
    """The chart's Deployment, with or without the probes that can pass here (§6)."""
    workload = next(one for one in tower.cluster.workloads if one.name == "livekit-server")
    raw: dict[str, Any] = {
        "metadata": {
            "namespace": workload.namespace,
            "name": workload.name,
            "uid": "uid-livekit",
            "resourceVersion": str(workload.generation),
            "generation": workload.generation,
        },
        "spec": {
            "replicas": workload.desired,
            "strategy": _strategy(workload),
            "template": {
                "spec": {"hostNetwork": True, "containers": [_livekit_container(workload)]}
            },
        },
        "status": {
            "observedGeneration": workload.generation,
            "readyReplicas": int(workload.ready),
        },
    }
    return Deployment(
        namespace=workload.namespace,
        name=workload.name,
        uid="uid-livekit",
        resource_version=str(workload.generation),
        generation=workload.generation,
        observed_generation=workload.generation,
        desired=workload.desired,
        ready=int(workload.ready),
        raw=raw,
    )


def _strategy(workload: Workload) -> dict[str, Any]:
    if not workload.probes_drifted:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}


def _livekit_container(workload: Workload) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 7880}, {"name": "rtc-tcp", "containerPort": 7881}]
    if workload.probes_drifted:
        probe = {"httpGet": {"path": "/", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1}
        return {
            "name": "livekit-server",
            "ports": ports,
            "livenessProbe": probe,
            "readinessProbe": probe,
        }
    http = {"host": "127.0.0.1", "path": "/", "port": "http", "scheme": "HTTP"}
    return {
        "name": "livekit-server",
        "ports": ports,
        "startupProbe": {"httpGet": http, "periodSeconds": 5, "failureThreshold": 24},
        "livenessProbe": {
            "httpGet": http,
            "initialDelaySeconds": 30,
            "periodSeconds": 10,
            "failureThreshold": 6,
        },
        "readinessProbe": {
            "httpGet": http,
            "initialDelaySeconds": 10,
            "periodSeconds": 5,
            "failureThreshold": 6,
        },
    }


def service(workload: Workload) -> ServicePort | None:
    """The workload's NodePort, which is its container port (incidents §5.16)."""
    if workload.port is None:
        return None
    target = 3000 if workload.name == "bluesky-pds" else workload.port
    return ServicePort(
        namespace=workload.namespace,
        name=workload.name,
        node_port=workload.port,
        port=target,
        target_port=str(target),
        ready_endpoints=int(workload.ready),
        desired=workload.desired,
    )
