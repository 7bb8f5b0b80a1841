"""May this pod be deleted, and when: every condition of facts/talos-kubernetes.md §3 and §4.

What forbids it for good comes as a sentence; what only needs time comes as seconds by the
server's clock. A probe asks in order to judge, a remedy asks again just before it acts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from healer.model.cluster import DaemonSet, Event, Node, Pod
from healer.model.node_state import ready_for
from healer.model.pod_parts import (
    Json,
    changed_at,
    container_statuses,
    debugged,
    deletion_due,
    finalizers,
    mirror,
    part,
    phase,
    running_since,
)
from healer.model.pod_status import INIT, TERMINATING, UNKNOWN, status
from healer.model.stamps import epoch

NAMESPACES: Final = frozenset({"joelclaw", "default", "local-path-storage"})
"""Where pods may be deleted by default (design §10); elsewhere they are only reported."""

KINDS: Final = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job"})
"""Controllers that make a new pod for one that was deleted."""

SETTLED: Final = 300.0
"""Seconds for which node, pod and CNI must have been as they are: kubelet mends most by itself."""

OVERDUE: Final = 120.0
"""Seconds past the end of a deletion's grace, and of a Ready node, before a delete is forced."""

_LOST: Final = frozenset({UNKNOWN, INIT + UNKNOWN})
_CNI: Final = ("flannel", "cni", "setup network")
"""What a message about a sandbox names when the network is to blame."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a pod stands on, as the API server told it at `now`, its own epoch seconds."""

    now: float
    node: Node | None
    flannel: DaemonSet | None
    warnings: tuple[Event, ...] = ()
    up_since: float | None = None
    """See `oldest_start`."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long yet, in seconds, and for what; nothing to wait for is 0 and ''."""

    seconds: float = 0.0
    why: str = ""


def untouchable(pod: Pod, namespaces: frozenset[str]) -> str:
    """The rule that protects it from any delete; '' when none does."""
    if mirror(pod.raw):
        return "it mirrors a static pod, which the kubelet owns"
    if pod.namespace not in namespaces:
        return f"namespace {pod.namespace} is not among those healer may touch"
    return _not_recreated(pod) or _kept(pod)


def _not_recreated(pod: Pod) -> str:
    if pod.owner is None:
        return "it has no controller, so nothing would recreate it"
    if pod.owner.kind not in KINDS:
        return f"its controller is a {pod.owner.kind}, which may not recreate it"
    return ""


def _kept(pod: Pod) -> str:
    kept = finalizers(pod.raw)
    if kept:
        return f"it has finalizers: {', '.join(kept)}"
    return "somebody debugs in it" if debugged(pod.raw, pod.labels) else ""


def deletable(pod: Pod, namespaces: frozenset[str] = NAMESPACES) -> str:
    """The rule that forbids deleting a pod that shows Unknown; '' when time alone may."""
    forbidden = untouchable(pod, namespaces)
    if forbidden:
        return forbidden
    if deletion_due(pod.raw) is not None:
        return "it is being deleted already"
    if not lost(pod.raw):
        return f"its STATUS is {status(pod.raw)}, not that of a container lost in a crash"
    return ""


def force_deletable(
    pod: Pod, namespaces: frozenset[str] = NAMESPACES, *, stateful_sets: bool = False
) -> str:
    """The rule that forbids forcing a delete that is overdue; '' when it may be forced."""
    forbidden = untouchable(pod, namespaces)
    if forbidden:
        return forbidden
    if status(pod.raw) != TERMINATING:
        return f"its STATUS is {status(pod.raw)}, not {TERMINATING}"
    if pod.owner is not None and pod.owner.kind == "StatefulSet" and not stateful_sets:
        return "it belongs to a StatefulSet, and its old container may still write"
    return ""


def shows_unknown(raw: Json) -> bool:
    """Whether its STATUS is exactly Unknown or Init:Unknown, in whatever form."""
    return status(raw) in _LOST


def lost(raw: Json) -> bool:
    """Whether it is form A: containers that containerd lost in a crash, and no final phase."""
    alive = phase(raw) in {"Running", "Pending"}
    return alive and shows_unknown(raw) and bool(_lost_containers(raw))


def identity_of_loss(raw: Json) -> str:
    """ContainerID and finishedAt of what was lost; another loss has another identity."""
    ended = (part(one, "state", "terminated") for one in _lost_containers(raw))
    return " ".join(sorted(f"{one.get('containerID')}@{one.get('finishedAt')}" for one in ended))


def _lost_containers(raw: Json) -> list[Json]:
    return [one for one in container_statuses(raw) if _is_lost(part(one, "state", "terminated"))]


def _is_lost(ended: Json) -> bool:
    return ended.get("reason") == UNKNOWN and ended.get("exitCode") == 255  # noqa: PLR2004  (containerd's code for a task it did not find)


def lost_since(raw: Json) -> float | None:
    """The latest time that anything about the loss changed, epoch seconds."""
    ends = [
        epoch(part(one, "state", "terminated").get("finishedAt")) for one in _lost_containers(raw)
    ]
    known = [changed_at(raw, "Ready", "ContainersReady"), *ends]
    return max((one for one in known if one is not None), default=None)


def wait_to_delete(pod: Pod, around: Surroundings) -> Wait:
    """The longest of all waits before a lost pod may be deleted."""
    since = lost_since(pod.raw)
    pod_left = SETTLED if since is None else since + SETTLED - around.now
    waits = (
        Wait(pod_left, "the kubelet may yet restart it"),
        _node_wait(around, SETTLED),
        _flannel_wait(around.flannel),
        _sandbox_wait(around),
    )
    return _longest(waits)


def wait_to_force(around: Surroundings) -> Wait:
    """How long yet before an overdue delete may be forced.

    A power cut shorter than 40 s leaves Ready as it was, so that is not enough: the kubelet
    ends by itself what it finds half ended after a start.
    """
    up = 0.0 if around.up_since is None else around.now - around.up_since
    started = Wait(OVERDUE - up, "the node may just have started")
    return _longest((_node_wait(around, OVERDUE), started))


def oldest_start(pods: Iterable[Pod]) -> float | None:
    """When the longest running pod was started: the node has been up at least since then.

    A restart of the node ends every container, so none that runs is older; None when none runs.
    """
    starts = (running_since(one.raw) for one in pods if deletion_due(one.raw) is None)
    return min((one for one in starts if one is not None), default=None)


def overdue(raw: Json, now: float) -> bool:
    """Whether it shows Terminating and its grace ended more than two minutes ago."""
    due = deletion_due(raw)
    return due is not None and status(raw) == TERMINATING and now - due > OVERDUE


def _node_wait(around: Surroundings, settled: float) -> Wait:
    ready = None if around.node is None else ready_for(around.node, around.now)
    if ready is None:
        return Wait(settled, "the node is not Ready")
    return Wait(settled - ready, "the node has not been Ready for long")


def _flannel_wait(flannel: DaemonSet | None) -> Wait:
    if flannel is None or flannel.available < max(1, flannel.desired):
        return Wait(SETTLED, "flannel is not available")
    return Wait()


def _sandbox_wait(around: Surroundings) -> Wait:
    """A new pod would get stuck as well while sandboxes fail for want of a network."""
    seen = [one.last_seen for one in around.warnings if blames_network(one)]
    if not seen:
        return Wait()
    left = max(seen) + SETTLED - around.now
    return Wait(left, "sandboxes failed for want of a network a short time ago")


def blames_network(event: Event) -> bool:
    """Whether a sandbox could not be made because of flannel or CNI."""
    if event.reason != "FailedCreatePodSandBox":
        return False
    message = event.message.lower()
    return any(word in message for word in _CNI)


def _longest(waits: tuple[Wait, ...]) -> Wait:
    longest = max(waits, key=lambda one: one.seconds)
    return longest if longest.seconds > 0 else Wait()
