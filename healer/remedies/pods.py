"""One pod at a time, under every condition of facts/talos-kubernetes.md §3 and §4."""

from typing import Final, Protocol

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.model.cluster import Pod
from healer.model.pod_parts import deletion_due, name_of, target_of
from healer.model.pod_safety import (
    NAMESPACES,
    Surroundings,
    Wait,
    deletable,
    force_deletable,
    identity_of_loss,
    oldest_start,
    overdue,
    wait_to_delete,
    wait_to_force,
)
from healer.model.workload import is_of_daemonset, is_of_deployment
from healer.ports import ClusterEyes, ClusterHands, Conflict, NotThere

GRACE: Final = 30
"""Seconds of an ordinary delete: a pod whose containers are dead is gone in a few, and its own
grace may be hours."""


class _Rule(Protocol):
    """Why this pod may not be touched; '' when it may."""

    def __call__(self, act: Act, pod: Pod, around: Surroundings) -> str: ...


class _Deleter:
    """Reads everything anew, judges by a rule, and deletes exactly what it judged."""

    def __init__(self, cluster: ClusterEyes, hands: ClusterHands, rule: _Rule) -> None:
        self._cluster = cluster
        self._hands = hands
        self._rule = rule

    async def why_not(self, act: Act) -> str:
        judged = await self._judge(act)
        return judged if isinstance(judged, str) else ""

    async def delete(self, act: Act, grace: int) -> str:
        judged = await self._judge(act)
        if isinstance(judged, str):
            raise Conflict(act.target, judged)
        try:
            return await self._hands.delete_pod(judged, grace=grace)
        except NotThere:
            return f"{name_of(judged)} was gone already"

    async def _judge(self, act: Act) -> Pod | str:
        pods = await self._cluster.pods()
        pod = next((one for one in pods.items if target_of(one) == act.target), None)
        if pod is None:
            return "that pod is gone"
        nodes = await self._cluster.node()
        sets = await self._cluster.flannel()
        livekit = await self._cluster.livekit()
        events = await self._cluster.warnings()
        if any(is_of_daemonset(pod, one) for one in sets.items):
            return "it is flannel's, which has a remedy of its own"
        if any(is_of_deployment(pod, one) for one in livekit.items):
            return "it is LiveKit's, which has a remedy of its own"
        around = Surroundings(
            pods.server_time,
            next(iter(nodes.items), None),
            next(iter(sets.items), None),
            events.items,
            oldest_start(pods.items),
        )
        return self._rule(act, pod, around) or await self._with_owner(pod)

    async def _with_owner(self, pod: Pod) -> Pod | str:
        if await self._cluster.owner_exists(pod):
            return pod
        return "its controller is gone, so nothing would recreate it"


class DeletePod:
    """Delete a pod whose containers were lost in a crash; its controller makes a new one."""

    remedy = Remedy.DELETE_POD

    def __init__(
        self,
        cluster: ClusterEyes,
        hands: ClusterHands,
        namespaces: frozenset[str] = NAMESPACES,
    ) -> None:
        self._namespaces = namespaces
        self._deleter = _Deleter(cluster, hands, self._rule)

    async def needed(self, act: Act) -> str:
        """'' while the same loss (`fingerprint`) of the same pod may be answered."""
        return await self._deleter.why_not(act)

    async def act(self, act: Act) -> str:
        """Delete it by uid and resourceVersion; that it is gone already is success."""
        return await self._deleter.delete(act, GRACE)

    def _rule(self, act: Act, pod: Pod, around: Surroundings) -> str:
        forbidden = deletable(pod, self._namespaces)
        if forbidden:
            return forbidden
        if identity_of_loss(pod.raw) != act.fingerprint:
            return "another container was lost since"
        return _in_words(wait_to_delete(pod, around))


class ForceDeletePod:
    """Take a pod that the kubelet should long have ended out of the API.

    Force is not kill, so a StatefulSet's pod is left alone unless that is allowed: its old
    container may still write to the volume that the new one opens.
    """

    remedy = Remedy.FORCE_DELETE_POD

    def __init__(
        self,
        cluster: ClusterEyes,
        hands: ClusterHands,
        namespaces: frozenset[str] = NAMESPACES,
        *,
        stateful_sets: bool = False,
    ) -> None:
        self._namespaces = namespaces
        self._stateful_sets = stateful_sets
        self._deleter = _Deleter(cluster, hands, self._rule)

    async def needed(self, act: Act) -> str:
        """'' while the same deletion (`fingerprint`) is still overdue."""
        return await self._deleter.why_not(act)

    async def act(self, act: Act) -> str:
        """Delete it with grace 0 by uid and resourceVersion; gone already is success."""
        return await self._deleter.delete(act, 0)

    def _rule(self, act: Act, pod: Pod, around: Surroundings) -> str:
        forbidden = force_deletable(pod, self._namespaces, stateful_sets=self._stateful_sets)
        if forbidden:
            return forbidden
        if not overdue(pod.raw, around.now):
            return "its grace is not long enough over"
        if str(deletion_due(pod.raw)) != act.fingerprint:
            return "it is another deletion by now"
        return _in_words(wait_to_force(around))


def _in_words(wait: Wait) -> str:
    return f"{wait.why}: {wait.seconds:.0f} s more" if wait.seconds else ""
