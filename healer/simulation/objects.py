"""The simulated cluster's objects as the API server would answer with them.

An object that has not changed is handed out again as it is: a healer that looks all day pays for
what changes, as before a real watch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from healer.model.cluster import (
    CONTROL_PLANE_TAINT,
    Condition,
    DaemonSet,
    Deployment,
    Event,
    Node,
    Pod,
    ServicePort,
    Taint,
)
from healer.simulation.clockwork import Clockwork
from healer.simulation.cluster import Cluster
from healer.simulation.human import NODE
from healer.simulation.kubelet import SandboxEvent
from healer.simulation.livekit_json import deployment_of
from healer.simulation.node import READY, SHUTTING_DOWN, NodeState
from healer.simulation.pod_json import flannel_pod_of, pod_of
from healer.simulation.workloads import LIVEKIT, Workload

_SUBNET_ENV = (
    "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for "
    'sandbox "3f9c": plugin type="flannel" failed (add): failed to load flannel \'subnet.env\' '
    "file: open /run/flannel/subnet.env: no such file or directory. Check the flannel pod log "
    "for this node."
)
"""The newer of the two texts of facts/talos-kubernetes.md §5."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every list as it was at one time."""

    node: tuple[Node, ...]
    pods: tuple[Pod, ...]
    warnings: tuple[Event, ...]
    flannel: tuple[DaemonSet, ...]
    livekit: tuple[Deployment, ...]
    services: tuple[ServicePort, ...]


class ApiObjects:
    """What the API server would answer now."""

    def __init__(self, clock: Clockwork, cluster: Cluster) -> None:
        self._clock = clock
        self._cluster = cluster
        self._made: dict[str, tuple[object, Any]] = {}
        self._versions: dict[str, int] = {}

    def _kept(self, name: str, mark: object, make: Callable[[], Any]) -> Any:  # noqa: ANN401  (one cache for objects of every kind)
        known = self._made.get(name)
        if known is not None and known[0] == mark:
            return known[1]
        self._versions[name] = self._versions.get(name, 1_000) + 1
        made = make()
        self._made[name] = (mark, made)
        return made

    def node(self) -> tuple[Node, ...]:
        """The one node."""
        state = self._cluster.node
        beat = state.heartbeat()
        mark = (state.version, beat)
        found: tuple[Node, ...] = self._kept("node", mark, lambda: (self._node(state, beat),))
        return found

    def _node(self, state: NodeState, beat: float) -> Node:
        taints = (Taint(CONTROL_PLANE_TAINT, "NoSchedule"),) if state.tainted else ()
        if state.cordoned:
            taints = (*taints, Taint("node.kubernetes.io/unschedulable", "NoSchedule"))
        return Node(
            name=NODE,
            uid="uid-node",
            resource_version=str(state.version),
            taints=taints,
            unschedulable=state.cordoned,
            annotations={"talos.dev/cordoned": "true"} if state.cordoned_by_talos else {},
            conditions=(self._ready(state, beat),),
        )

    def _ready(self, state: NodeState, beat: float) -> Condition:
        reason = {READY: "KubeletReady", SHUTTING_DOWN: "KubeletNotReady"}
        unknown = "NodeStatusUnknown" if state.ready == "Unknown" else "KubeletNotReady"
        return Condition(
            type="Ready",
            status=state.ready,
            reason=reason.get(state.message, unknown),
            message=state.message,
            heartbeat=self._clock.wall(beat),
            transition=self._clock.wall(state.ready_since),
        )

    def pods(self) -> tuple[Pod, ...]:
        """Every pod, flannel's first."""
        pods = [self.flannel_pod()]
        pods.extend(self.pod(one) for one in self._cluster.kubelet.workloads if one.desired)
        return tuple(pods)

    def flannel_pod(self) -> Pod:
        """The DaemonSet's pod."""
        view = self._cluster.flannel.view()
        found: Pod = self._kept(
            "flannel pod",
            view,
            lambda: flannel_pod_of(self._clock, view, self._versions["flannel pod"]),
        )
        return found

    def pod(self, workload: Workload) -> Pod:
        """A workload's pod in whatever state the kubelet last wrote."""
        view = workload.view(shut_out=self._cluster.kubelet.shut_out(workload))
        name = workload.name
        found: Pod = self._kept(
            name, view, lambda: pod_of(self._clock, workload, view, self._versions[name])
        )
        return found

    def warnings(self) -> tuple[Event, ...]:
        """FailedCreatePodSandBox events of the last hour."""
        return tuple(self._warning(one) for one in self._cluster.kubelet.recent_failures())

    def _warning(self, event: SandboxEvent) -> Event:
        return Event(
            uid=f"event-{event.uid}",
            reason="FailedCreatePodSandBox",
            message=_SUBNET_ENV,
            object_uid=event.uid,
            object_name=event.name,
            namespace=event.pod.namespace,
            last_seen=self._clock.wall(event.last_seen),
        )

    def flannel(self) -> tuple[DaemonSet, ...]:
        """kube-flannel; it has no readiness probe, so available means that it runs."""
        available = int(self._cluster.flannel.view().running)
        return (DaemonSet("kube-system", "kube-flannel", "uid-kube-flannel", 1, available, 1, 1),)

    def livekit(self) -> tuple[Deployment, ...]:
        """livekit-server."""
        workload = self._cluster.kubelet.named(LIVEKIT)
        ready = self._shown_ready(workload)
        mark = (workload.generation, workload.probes_drifted, workload.desired, workload.paused)
        found: tuple[Deployment, ...] = self._kept(
            "deployment",
            (*mark, ready, workload.ready_since),
            lambda: (deployment_of(self._clock, workload, ready=ready),),
        )
        return found

    def _shown_ready(self, workload: Workload) -> bool:
        ready = workload.ready if workload.shown is None else workload.shown.ready
        return ready and bool(workload.desired)

    def services(self) -> tuple[ServicePort, ...]:
        """NodePorts, each of which is its container port (incidents §5.16)."""
        return tuple(
            self._service(one, one.port)
            for one in self._cluster.kubelet.workloads
            if one.port is not None
        )

    def _service(self, workload: Workload, port: int) -> ServicePort:
        target = 3000 if workload.name == "bluesky-pds" else port
        return ServicePort(
            namespace=workload.namespace,
            name=workload.name,
            node_port=port,
            port=target,
            target_port=str(target),
            ready_endpoints=int(self._shown_ready(workload)),
            desired=workload.desired,
        )

    def owner_uids(self) -> set[str]:
        """Controllers that are there; a mirror's owner is the node."""
        owners = {f"uid-{one.owner[1]}" for one in self._cluster.kubelet.workloads if one.owner}
        return owners | {"uid-kube-flannel"}

    def snapshot(self) -> Snapshot:
        """Everything as it is now."""
        return Snapshot(
            self.node(),
            self.pods(),
            self.warnings(),
            self.flannel(),
            self.livekit(),
            self.services(),
        )
