"""LiveKit's Deployment, with or without the probes that can pass here (talos-kubernetes.md §6)."""

from typing import Any

from healer.model.cluster import Deployment
from healer.simulation.clockwork import Clockwork
from healer.simulation.stamps import stamp
from healer.simulation.workloads import Workload

Json = dict[str, Any]


def deployment_of(clock: Clockwork, workload: Workload, *, ready: bool) -> Deployment:
    """As the chart rendered it, or as the owner's patch left it."""
    raw: Json = {
        "metadata": {
            "namespace": workload.namespace,
            "name": workload.name,
            "uid": "uid-livekit",
            "resourceVersion": str(workload.generation),
            "generation": workload.generation,
        },
        "spec": {
            "replicas": workload.desired,
            **({"paused": True} if workload.paused else {}),
            "strategy": _strategy(workload),
            "template": {"spec": {"hostNetwork": True, "containers": [_container(workload)]}},
        },
        "status": {
            "observedGeneration": workload.generation,
            "replicas": workload.desired,
            "updatedReplicas": 0 if workload.template_waits else workload.desired,
            "readyReplicas": int(ready),
            "conditions": [_available(ready=ready, since=clock.wall(workload.ready_since))],
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
        ready=int(ready),
        raw=raw,
    )


def _available(*, ready: bool, since: float) -> Json:
    status = "True" if ready else "False"
    return {"type": "Available", "status": status, "lastTransitionTime": stamp(since)}


def _drifted(workload: Workload) -> bool:
    return workload.probes_drifted or workload.template_waits


def _strategy(workload: Workload) -> Json:
    if not _drifted(workload):
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}


def _container(workload: Workload) -> Json:
    ports = [{"name": "http", "containerPort": 7880}, {"name": "rtc-tcp", "containerPort": 7881}]
    if _drifted(workload):
        probe = {"httpGet": {"path": "/", "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 1}
        return {
            "name": workload.name,
            "ports": ports,
            "livenessProbe": probe,
            "readinessProbe": probe,
        }
    http = {"host": "127.0.0.1", "path": "/", "port": "http", "scheme": "HTTP"}
    return {
        "name": workload.name,
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
