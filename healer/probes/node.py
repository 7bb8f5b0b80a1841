"""The one node: Ready, schedulable, and without the taint that keeps pods away."""

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.cluster import Condition, Node
from healer.model.node_state import (
    STALE,
    cordoned_by_talos,
    foreign_taints,
    heartbeat_age,
    is_ready,
    only_network_missing,
    taint_index,
    uncordon_in,
    untaint_in,
)
from healer.ports import ClusterEyes, PortError
from healer.probes.api import unseen
from healer.probes.asking import ask
from healer.probes.heartbeats import PATIENCE, Heartbeat

_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


class NodeProbe:
    """Looks at the Node object."""

    layer = Layer.NODE

    def __init__(self, cluster: ClusterEyes) -> None:
        self._cluster = cluster
        self._heartbeat = Heartbeat()

    async def look(self) -> Observation:
        """Look once."""
        heard = await ask(self._cluster.node)
        if isinstance(heard, PortError):
            return unseen(self.layer, heard)
        if not heard.items:
            nobody = Finding(Reason.NODE_NOT_READY, "the API knows no node of the container's name")
            return Observation(self.layer, (nobody,))
        node, now = heard.items[0], heard.server_time
        findings = (
            *self._readiness(node, now),
            *_cordon(node, now),
            *_taint(node, now),
            *_pressure(node),
            *_foreign_taints(node),
        )
        ready = "Ready" if is_ready(node) else "not Ready"
        return Observation(self.layer, findings, summary=f"{node.name} {ready}")

    def _readiness(self, node: Node, now: float) -> tuple[Finding, ...]:
        ready = node.condition("Ready")
        if ready is None:
            return (Finding(Reason.NODE_NOT_READY, f"{node.name} has no Ready condition yet"),)
        age, in_vain = heartbeat_age(node, now), self._heartbeat.in_vain(ready.heartbeat, now)
        if ready.status != "True":
            return _not_ready(node, ready, age)
        silent = age is not None and age >= STALE and in_vain >= PATIENCE
        return (_silent(node, in_vain),) if silent else ()


def _not_ready(node: Node, ready: Condition, age: float | None) -> tuple[Finding, ...]:
    said = f"{node.name}: Ready is {ready.status}, {ready.reason}: {ready.message}"
    if only_network_missing(ready):
        return (Finding(Reason.NETWORK_NOT_READY, said),)
    beat = "never a heartbeat" if age is None else f"last heartbeat {age:.0f} s ago"
    return (Finding(Reason.NODE_NOT_READY, f"{said}; {beat}", fingerprint=ready.reason),)


def _silent(node: Node, in_vain: float) -> Finding:
    """Whoever should turn Ready to Unknown is as dead as the kubelet."""
    evidence = f"{node.name} is called Ready, and its kubelet reported nothing for {in_vain:.0f} s"
    return Finding(Reason.NODE_NOT_READY, evidence)


def _cordon(node: Node, now: float) -> tuple[Finding, ...]:
    """While it is not Ready nobody can tell a leftover from Talos' work in progress.

    Then nothing is said of Talos' cordon: as an illness of the node it would keep flannel,
    which tolerates it, from being mended first.
    """
    if not node.unschedulable:
        return ()
    if not cordoned_by_talos(node):
        evidence = f"{node.name} is unschedulable, and Talos did not do it"
        return (
            Finding(Reason.CORDONED_BY_HUMAN, evidence, advice=f"kubectl uncordon {node.name}"),
        )
    if not is_ready(node):
        return ()
    evidence = f"{node.name} is unschedulable by talos.dev/cordoned, a leftover of its last stop"
    return (
        Finding(
            Reason.NODE_CORDONED,
            evidence,
            ripe_in=uncordon_in(node, now),
            advice=f"kubectl uncordon {node.name}",
        ),
    )


def _taint(node: Node, now: float) -> tuple[Finding, ...]:
    index = taint_index(node)
    if index is None:
        return ()
    taint = node.taints[index]
    evidence = f"{node.name} has taint {taint.key}:{taint.effect}"
    return (Finding(Reason.NODE_TAINTED, evidence, ripe_in=untaint_in(node, now)),)


def _pressure(node: Node) -> tuple[Finding, ...]:
    conditions = (node.condition(kind) for kind in _PRESSURES)
    return tuple(
        Finding(Reason.NODE_PRESSURE, f"{one.type}: {one.message or one.reason}", one.type)
        for one in conditions
        if one is not None and one.status == "True"
    )


def _foreign_taints(node: Node) -> tuple[Finding, ...]:
    """Reported, never removed: whoever put it there has a reason, or will put it back."""
    return tuple(
        Finding(
            Reason.FOREIGN_TAINT,
            f"taint {one.key}:{one.effect} keeps pods away; healer removes no taint but one",
            f"{one.key}:{one.effect}",
            advice=f"if it is not meant: kubectl taint node {node.name} {one.key}:{one.effect}-",
        )
        for one in foreign_taints(node)
    )
