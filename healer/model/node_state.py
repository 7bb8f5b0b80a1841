"""What a Node says of itself: readiness, the one taint, who cordoned it.

Rules of facts/talos-kubernetes.md §2; ages are counted on the server's clock.
"""

from typing import Final

from healer.model.cluster import CONTROL_PLANE_TAINT, Condition, Node, Taint

CORDONED_BY_TALOS: Final = "talos.dev/cordoned"
UNCORDON_AFTER: Final = 120.0
"""Seconds of Ready before Talos' own cordon counts as a leftover: Talos uncordons by itself."""
UNTAINT_LATER: Final = 30.0
"""Seconds to look again in: a Ready flip or an uncordon would only bring the taint back."""
STALE: Final = 600.0
"""Seconds without a heartbeat that no healthy kubelet lets pass: it reports every 300 s."""

_NETWORK: Final = ("NetworkPluginNotReady", "cni plugin not initialized")
_PASSING: Final = frozenset({"CSINode is not yet initialized"})
"""Seen beside the plugin's words on a kubelet that had just started."""
_EXPLAINED: Final = frozenset(
    f"node.kubernetes.io/{one}"
    for one in (
        "unschedulable",
        "not-ready",
        "unreachable",
        "memory-pressure",
        "disk-pressure",
        "pid-pressure",
    )
)
"""Taints that follow from conditions or the cordon, which are told of by themselves."""


def is_ready(node: Node) -> bool:
    """Whether its Ready condition is True."""
    ready = node.condition("Ready")
    return ready is not None and ready.status == "True"


def ready_for(node: Node, now: float) -> float | None:
    """Seconds it has been Ready, by the server's clock; None while it is not."""
    ready = node.condition("Ready")
    if ready is None or ready.status != "True":
        return None
    return 0.0 if ready.transition is None else max(0.0, now - ready.transition)


def heartbeat_age(node: Node, now: float) -> float | None:
    """Seconds since the kubelet last wrote its status; None when it never did."""
    ready = node.condition("Ready")
    if ready is None or ready.heartbeat is None:
        return None
    return max(0.0, now - ready.heartbeat)


def only_network_missing(ready: Condition) -> bool:
    """Whether it is not Ready for no other reason than the network plugin.

    The kubelet joins several causes as `[a, b]`; each of them must be the plugin's, or one
    that every start of a kubelet shows for a moment.
    """
    if ready.status == "True":
        return False
    causes = ready.message.removeprefix("[").removesuffix("]").split(", ")
    lasting = [one for one in causes if one not in _PASSING]
    return bool(lasting) and all(_names_network(one) for one in lasting)


def _names_network(message: str) -> bool:
    return any(word in message for word in _NETWORK)


def taint_index(node: Node) -> int | None:
    """Where the one removable taint stands in the list; None when it is not there."""
    for index, taint in enumerate(node.taints):
        if _is_the_one(taint):
            return index
    return None


def _is_the_one(taint: Taint) -> bool:
    return (taint.key, taint.effect, taint.value) == (CONTROL_PLANE_TAINT, "NoSchedule", "")


def foreign_taints(node: Node) -> tuple[Taint, ...]:
    """Taints that keep pods away, are not healer's affair, and that nothing else tells of."""
    return tuple(
        one
        for one in node.taints
        if not _is_the_one(one)
        and one.effect in {"NoSchedule", "NoExecute"}
        and one.key not in _EXPLAINED
    )


def cordoned_by_talos(node: Node) -> bool:
    """Whether it is Talos' own cordon; any other one is a human's."""
    return node.unschedulable and node.annotations.get(CORDONED_BY_TALOS) == "true"


def uncordon_in(node: Node, now: float) -> float:
    """Seconds until Talos' cordon may be taken for a leftover."""
    ready = ready_for(node, now)
    return UNCORDON_AFTER if ready is None else max(0.0, UNCORDON_AFTER - ready)


def untaint_in(node: Node, now: float) -> float:
    """Seconds until removing the taint may last: Ready first, then uncordon, untaint last.

    Talos puts it back at each Ready flip and each uncordon. A node that only lacks its
    network is not waited for, since the pods that mend it may need the room.
    """
    ready = node.condition("Ready")
    if ready is None or not (ready.status == "True" or only_network_missing(ready)):
        return UNTAINT_LATER
    if ready.status == "True" and cordoned_by_talos(node):
        return uncordon_in(node, now) + UNTAINT_LATER
    return 0.0
