"""Every pod that has no layer of its own: lost, stuck, or only worth a word."""

from collections.abc import Sequence

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.cluster import DaemonSet, Deployment, Listing, Pod
from healer.model.pod_parts import deletion_due, finalizers, mirror, name_of, target_of, terminal
from healer.model.pod_reports import Report, report
from healer.model.pod_safety import (
    NAMESPACES,
    Surroundings,
    deletable,
    force_deletable,
    identity_of_loss,
    oldest_start,
    shows_unknown,
    wait_to_delete,
    wait_to_force,
)
from healer.model.pod_status import status
from healer.model.workload import is_of_daemonset, is_of_deployment, template_of, workload_of
from healer.ports import ClusterEyes, PortError
from healer.probes.api import unseen
from healer.probes.asking import ask, ask_both
from healer.probes.named import NamedIllness
from healer.probes.quiet_pods import QuietPods, acts
from healer.probes.setup import NOTHING, SetupLook


class PodsProbe:
    """Looks at all pods but flannel's and LiveKit's, which their own layers judge."""

    layer = Layer.PODS

    def __init__(
        self,
        cluster: ClusterEyes,
        namespaces: frozenset[str] = NAMESPACES,
        *,
        force_stateful_sets: bool = False,
        setup: SetupLook = NOTHING,
        named: NamedIllness | None = None,
    ) -> None:
        self._cluster = cluster
        self._namespaces = namespaces
        self._force_stateful_sets = force_stateful_sets
        self._setup = setup
        self._named = named
        self._quiet = QuietPods()

    async def look(self) -> Observation:
        """Look once; a tower of healthy pods costs one question."""
        return await self._setup.added_to(await self._look())

    async def _look(self) -> Observation:
        heard = await ask(self._cluster.pods)
        if isinstance(heard, PortError):
            return unseen(self.layer, heard)
        suspects, alive = self._quiet.without(heard)
        summary = f"{alive} pods"
        if self._named is not None:
            self._named.forget_all_but(suspects)
        if not suspects:
            return Observation(self.layer, summary=summary)
        others = await self._others()
        if isinstance(others, PortError):
            return unseen(self.layer, others)
        mine = [one for one in heard.items if not others.own(one)]
        judged = [one for one in suspects if not others.own(one)]
        findings = await self._findings(judged, heard, others)
        if isinstance(findings, PortError):
            return unseen(self.layer, findings)
        targets = {workload_of(one) for one in mine if self._counts(one)}
        return Observation(self.layer, findings, targets=len(targets), summary=summary)

    def _counts(self, pod: Pod) -> bool:
        """Whether its workload could be ill here: the storm brake weighs against these."""
        return pod.namespace in self._namespaces and not terminal(pod.raw)

    async def _others(self) -> "_Others | PortError":
        sets, deployments = await ask_both(self._cluster.flannel, self._cluster.livekit)
        if isinstance(sets, PortError):
            return sets
        if isinstance(deployments, PortError):
            return deployments
        return _Others(sets.items, deployments.items)

    async def _findings(
        self, suspects: Sequence[Pod], heard: Listing[Pod], others: "_Others"
    ) -> tuple[Finding, ...] | PortError:
        reports = await self._reported(suspects, heard.server_time)
        troubled = [one for one in suspects if acts(one, heard.server_time)]
        if not troubled:
            return reports
        node, warnings = await ask_both(self._cluster.node, self._cluster.warnings)
        if isinstance(node, PortError):
            return node
        if isinstance(warnings, PortError):
            return warnings
        around = Surroundings(
            heard.server_time,
            next(iter(node.items), None),
            next(iter(others.daemonsets), None),
            warnings.items,
            oldest_start(heard.items),
        )
        judged = [await self._judge(one, around) for one in troubled]
        return (*(one for one in judged if one is not None), *reports)

    async def _reported(self, suspects: Sequence[Pod], now: float) -> tuple[Finding, ...]:
        """One finding a reason and template, however many pods show it (R50)."""
        found: dict[tuple[Reason, str], Finding] = {}
        for pod in suspects:
            told = None if acts(pod, now) else report(pod, now)
            if told is not None and self._named is not None:
                told = await self._named.instead_of(pod, told)
            if told is not None:
                finding = _finding(pod, told)
                found.setdefault((told.reason, finding.target), finding)
        return tuple(found.values())

    async def _judge(self, pod: Pod, around: Surroundings) -> Finding | None:
        """None while the kubelet may yet mend what healer must not touch anyway."""
        if deletion_due(pod.raw) is not None and not shows_unknown(pod.raw):
            return await self._stuck(pod, around)
        return await self._unknown(pod, around)

    async def _unknown(self, pod: Pod, around: Surroundings) -> Finding | None:
        wait = wait_to_delete(pod, around)
        seen = f"{name_of(pod)} shows {status(pod.raw)}, lost as {identity_of_loss(pod.raw)}"
        forbidden = deletable(pod, self._namespaces) or await self._orphaned(pod, wait.seconds)
        if forbidden:
            command = f"delete pod {pod.name}"
            return _unmanaged(pod, f"{seen}; {forbidden}", command) if not wait.why else None
        return Finding(
            Reason.POD_UNKNOWN,
            seen,
            target=target_of(pod),
            fingerprint=identity_of_loss(pod.raw),
            owner=workload_of(pod),
            ripe_in=wait.seconds,
            waits_for=wait.why,
        )

    async def _stuck(self, pod: Pod, around: Surroundings) -> Finding | None:
        wait = wait_to_force(around)
        seen = f"{name_of(pod)} is Terminating, more than two minutes past its grace"
        forbidden = force_deletable(
            pod, self._namespaces, stateful_sets=self._force_stateful_sets
        ) or await self._orphaned(pod, wait.seconds)
        if forbidden:
            command = f"delete pod {pod.name} --grace-period=0 --force"
            return _unmanaged(pod, f"{seen}; {forbidden}", command) if not wait.why else None
        return Finding(
            Reason.POD_STUCK_TERMINATING,
            seen,
            target=target_of(pod),
            fingerprint=str(deletion_due(pod.raw)),
            owner=workload_of(pod),
            ripe_in=wait.seconds,
            waits_for=wait.why,
        )

    async def _orphaned(self, pod: Pod, wait: float) -> str:
        """Asked only when it is about to matter; who cannot tell does not know better."""
        if wait > 0:
            return ""
        exists = await ask(lambda: self._cluster.owner_exists(pod))
        return "its controller is gone, so nothing would recreate it" if exists is False else ""


class _Others:
    """The workloads that have layers of their own."""

    def __init__(self, daemonsets: Sequence[DaemonSet], deployments: Sequence[Deployment]) -> None:
        self.daemonsets = daemonsets
        self._deployments = deployments

    def own(self, pod: Pod) -> bool:
        """Whether the pod is one of theirs."""
        return any(is_of_daemonset(pod, one) for one in self.daemonsets) or any(
            is_of_deployment(pod, one) for one in self._deployments
        )


def _unmanaged(pod: Pod, evidence: str, command: str) -> Finding:
    advice = f"if it may go: kubectl -n {pod.namespace} {command}"
    if mirror(pod.raw):
        advice = (
            "the kubelet makes it from a static pod's manifest: look at that one (talosctl get "
            "staticpods, or machine.pods in Talos' machine config); a delete changes nothing"
        )
    elif finalizers(pod.raw):
        advice = "whoever put its finalizers there must take them away: see its controller"
    return Finding(
        Reason.POD_UNMANAGED,
        evidence,
        target=target_of(pod),
        fingerprint=pod.uid,
        owner=workload_of(pod),
        advice=advice,
    )


def _finding(pod: Pod, told: Report) -> Finding:
    template = template_of(pod)
    return Finding(
        told.reason,
        f"{name_of(pod)}: {told.evidence}",
        target=f"{workload_of(pod)}@{template}",
        fingerprint=template,
        owner=workload_of(pod),
        advice=told.advice,
    )
