"""Flannel: its pod, and whether sandboxes really get their network."""

from collections.abc import Sequence
from typing import Final

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.cluster import DaemonSet, Event, Listing, Node, Pod
from healer.model.flannel import crashed, delete_in, pods_of, settles_in, subnet_env_failure
from healer.model.node_state import only_network_missing
from healer.model.pod_parts import name_of, restarts
from healer.model.pod_status import status
from healer.ports import ClusterEyes, PortError
from healer.probes.api import unseen
from healer.probes.asking import ask_both

_EVIDENCE: Final = 300
"""Characters of an event's message that are shown."""


class FlannelProbe:
    """Looks at the DaemonSet, its pods, and the sandboxes that failed for want of it.

    Counts alone say nothing: there is no readiness probe, and 118,000 sandboxes once failed
    under a DaemonSet that showed 1 of 1 (incident 30).
    """

    layer = Layer.FLANNEL

    def __init__(self, cluster: ClusterEyes) -> None:
        self._cluster = cluster

    async def look(self) -> Observation:
        """Look once. Findings aim at the DaemonSet, so that limits hold from pod to pod."""
        sets, pods = await ask_both(self._cluster.flannel, self._cluster.pods)
        if isinstance(sets, PortError):
            return unseen(self.layer, sets)
        if isinstance(pods, PortError):
            return unseen(self.layer, pods)
        if not sets.items:
            return Observation(self.layer, unknown="there is no flannel DaemonSet")
        events, node = await ask_both(self._cluster.warnings, self._cluster.node)
        if isinstance(events, PortError):
            return unseen(self.layer, events)
        if isinstance(node, PortError):
            return unseen(self.layer, node)
        return _judge(sets.items[0], pods, events.items, node.items)


def _judge(
    daemonset: DaemonSet, pods: Listing[Pod], events: Sequence[Event], nodes: Sequence[Node]
) -> Observation:
    mine = pods_of(daemonset, pods.items)
    findings = tuple(_crash(daemonset, one, pods.server_time) for one in mine if crashed(one))
    if not findings:
        findings = _no_subnet_env(daemonset, mine, events, pods)
    if not findings:
        findings = (*_unavailable(daemonset, mine), *_network(nodes))[:1]
    summary = f"{daemonset.available} of {daemonset.desired} available"
    return Observation(Layer.FLANNEL, findings, summary=summary)


def _target(daemonset: DaemonSet) -> str:
    return f"{daemonset.namespace}/DaemonSet/{daemonset.name}"


def _crash(daemonset: DaemonSet, pod: Pod, now: float) -> Finding:
    return Finding(
        Reason.FLANNEL_CRASHING,
        f"{name_of(pod)} shows {status(pod.raw)} after {restarts(pod.raw)} restarts",
        target=_target(daemonset),
        fingerprint=pod.uid,
        owner=_target(daemonset),
        ripe_in=delete_in(pod, now),
        advice=f"kubectl -n {pod.namespace} logs {pod.name} --previous",
    )


def _no_subnet_env(
    daemonset: DaemonSet, mine: Sequence[Pod], events: Sequence[Event], pods: Listing[Pod]
) -> tuple[Finding, ...]:
    for pod in mine:
        proof = subnet_env_failure(events, pod, pods.items, pods.server_time)
        if proof is not None:
            return (_missing_file(daemonset, pod, proof, pods.server_time),)
    return ()


def _missing_file(daemonset: DaemonSet, pod: Pod, proof: Event, now: float) -> Finding:
    said = proof.message[:_EVIDENCE]
    return Finding(
        Reason.SUBNET_ENV_MISSING,
        f"{name_of(pod)} runs, and {proof.namespace}/{proof.object_name} says: {said}",
        target=_target(daemonset),
        fingerprint=pod.uid,
        event=proof.identity,
        owner=_target(daemonset),
        ripe_in=settles_in(pod, now),
    )


def _unavailable(daemonset: DaemonSet, mine: Sequence[Pod]) -> tuple[Finding, ...]:
    """None wanted is fine; counts that the controller has not brought up to date say nothing."""
    if daemonset.available >= daemonset.desired:
        return ()
    if daemonset.observed_generation < daemonset.generation:
        return ()
    shown = ", ".join(f"{one.name} {status(one.raw)}" for one in mine) or "no pod of it"
    evidence = f"{daemonset.available} of {daemonset.desired} available: {shown}"
    return (Finding(Reason.FLANNEL_NOT_AVAILABLE, evidence, owner=_target(daemonset)),)


def _network(nodes: Sequence[Node]) -> tuple[Finding, ...]:
    """A node that lacks nothing but its network is flannel's evidence (design §10)."""
    for node in nodes:
        ready = node.condition("Ready")
        if ready is not None and only_network_missing(ready):
            return (Finding(Reason.FLANNEL_NOT_AVAILABLE, f"{node.name}: {ready.message}"),)
    return ()
