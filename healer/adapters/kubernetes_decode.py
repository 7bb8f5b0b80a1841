"""From the API's JSON to the few fields that healer may judge.

An object that lacks what every server writes is an answer that makes no sense: TargetIll.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from healer.adapters.kubernetes_pod import Packed, slim
from healer.model.cluster import (
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
from healer.model.stamps import epoch
from healer.ports import TargetIll

Json = Any
"""Whatever JSON can hold."""
T = TypeVar("T")
_HEADLESS = "None"
"""The clusterIP of a Service that only names its pods; it can have no NodePort."""


def decoded(decode: Callable[[Json], T], items: Iterable[Json], place: str) -> tuple[T, ...]:
    """Every item; raises TargetIll that names the field an item lacks."""
    try:
        return tuple(decode(one) for one in items)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TargetIll(place, f"an object that makes no sense: {error!r}") from error


def as_it_is(raw: Json) -> Json:
    """The JSON itself."""
    return raw


def node(raw: Json) -> Node:
    """A Node."""
    metadata, spec = raw["metadata"], raw.get("spec") or {}
    return Node(
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        taints=tuple(
            Taint(one["key"], one["effect"], one.get("value") or "")
            for one in spec.get("taints") or ()
        ),
        unschedulable=bool(spec.get("unschedulable")),
        annotations=dict(metadata.get("annotations") or {}),
        conditions=tuple(_condition(one) for one in raw["status"].get("conditions") or ()),
    )


def _condition(raw: Json) -> Condition:
    return Condition(
        type=raw["type"],
        status=raw["status"],
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
        heartbeat=epoch(raw.get("lastHeartbeatTime")),
        transition=epoch(raw.get("lastTransitionTime")),
    )


def pod(raw: Json) -> Pod:
    """A Pod; what it is judged by stays of its JSON."""
    kept = slim(raw)
    metadata = kept["metadata"]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        read=Packed(kept),
        labels=metadata.get("labels") or {},
        owner=_controller(metadata),
    )


def _controller(metadata: Json) -> Owner | None:
    for one in metadata.get("ownerReferences") or ():
        if one.get("controller"):
            return Owner(one["kind"], one["name"], one["uid"])
    return None


def event(raw: Json) -> Event:
    """An Event; the newest of its times counts (incidents S20: the first is not the latest)."""
    metadata, about = raw["metadata"], raw["involvedObject"]
    series = raw.get("series") or {}
    stamps = (
        series.get("lastObservedTime"),
        raw.get("lastTimestamp"),
        raw.get("eventTime"),
        metadata.get("creationTimestamp"),
    )
    return Event(
        uid=metadata["uid"],
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
        object_uid=about.get("uid") or "",
        object_name=about.get("name") or "",
        namespace=about.get("namespace") or "",
        last_seen=max((at for at in map(epoch, stamps) if at is not None), default=0.0),
    )


def daemonset(raw: Json) -> DaemonSet:
    """A DaemonSet's counts."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    return DaemonSet(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        desired=int(status.get("desiredNumberScheduled") or 0),
        available=int(status.get("numberAvailable") or 0),
        generation=int(metadata.get("generation") or 0),
        observed_generation=int(status.get("observedGeneration") or 0),
    )


def deployment(raw: Json) -> Deployment:
    """A Deployment; replicas left out mean one."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    replicas = raw["spec"].get("replicas")
    return Deployment(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        resource_version=metadata["resourceVersion"],
        generation=int(metadata.get("generation") or 0),
        observed_generation=int(status.get("observedGeneration") or 0),
        desired=1 if replicas is None else int(replicas),
        ready=int(status.get("readyReplicas") or 0),
        raw=raw,
    )


def service_ports(
    services: Iterable[Json], slices: Iterable[Json], workloads: Iterable[Json]
) -> tuple[ServicePort, ...]:
    """Every port of a Service, with the ready endpoints behind it and the replicas wanted of them.

    Those without a NodePort too: a Service that was restored as ClusterIP is behind no published
    port any more (incident 25).
    """
    slices, workloads = list(slices), list(workloads)
    return tuple(
        _service_port(service, port, slices, workloads)
        for service in services
        for port in service["spec"].get("ports") or ()
        if service["spec"].get("clusterIP") != _HEADLESS
    )


def _service_port(
    service: Json, port: Json, slices: list[Json], workloads: list[Json]
) -> ServicePort:
    metadata = service["metadata"]
    return ServicePort(
        namespace=metadata["namespace"],
        name=metadata["name"],
        node_port=int(port.get("nodePort") or 0),
        port=int(port["port"]),
        target_port=str(port.get("targetPort", port["port"])),
        ready_endpoints=_ready(metadata, slices),
        desired=_desired(metadata, service["spec"].get("selector") or {}, workloads),
    )


def _ready(metadata: Json, slices: list[Json]) -> int:
    """An endpoint whose readiness is not said counts as ready, as the API defines it."""
    return sum(
        1
        for one in slices
        if one["metadata"]["namespace"] == metadata["namespace"]
        and (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        == metadata["name"]
        for endpoint in one.get("endpoints") or ()
        if (endpoint.get("conditions") or {}).get("ready", True)
    )


def _desired(metadata: Json, selector: Json, workloads: list[Json]) -> int | None:
    """Replicas of the workloads whose pods the service selects; None when there is none."""
    if not selector:
        return None
    wanted = [
        1 if one["spec"].get("replicas") is None else int(one["spec"]["replicas"])
        for one in workloads
        if one["metadata"]["namespace"] == metadata["namespace"]
        and selector.items() <= (one["spec"]["template"]["metadata"].get("labels") or {}).items()
    ]
    return sum(wanted) if wanted else None
