"""The node: uncordon what Talos left cordoned, and take the one taint away."""

from collections.abc import Awaitable, Callable
from typing import Final

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.model.cluster import CONTROL_PLANE_TAINT, Listing, Node
from healer.model.node_state import cordoned_by_talos, taint_index, uncordon_in, untaint_in
from healer.ports import ClusterEyes, ClusterHands, Conflict

TRIES: Final = 3
"""How often a node that changed meanwhile is read and judged anew; the kubelet writes to it
all the time (facts/talos-kubernetes.md §2)."""


class Uncordon:
    """Make the node schedulable again, if Talos made it unschedulable and forgot it."""

    remedy = Remedy.UNCORDON

    def __init__(self, cluster: ClusterEyes, hands: ClusterHands) -> None:
        self._cluster = cluster
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while Talos' cordon is there and the node has been Ready for two minutes."""
        del act
        return _no_leftover(await self._cluster.node())

    async def act(self, act: Act) -> str:
        """Uncordon the node as it was just read, anew if it changed meanwhile."""
        del act
        return await _try_anew(self._once)

    async def _once(self) -> str:
        nodes = await self._cluster.node()
        why_not = _no_leftover(nodes)
        if why_not:
            return f"not done: {why_not}"
        return await self._hands.uncordon(nodes.items[0])


class Untaint:
    """Remove the control-plane taint and no other."""

    remedy = Remedy.UNTAINT

    def __init__(self, cluster: ClusterEyes, hands: ClusterHands) -> None:
        self._cluster = cluster
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while the taint is there and would not come back at once."""
        del act
        return _no_taint(await self._cluster.node())

    async def act(self, act: Act) -> str:
        """Remove it by its index in the list just read, anew if the list changed meanwhile."""
        del act
        return await _try_anew(self._once)

    async def _once(self) -> str:
        nodes = await self._cluster.node()
        why_not = _no_taint(nodes)
        index = taint_index(nodes.items[0]) if nodes.items else None
        if why_not or index is None:
            return f"not done: {why_not}"
        return await self._hands.untaint(nodes.items[0], index)


async def _try_anew(once: Callable[[], Awaitable[str]]) -> str:
    """Each try reads and judges anew, so a Conflict is never answered blindly."""
    for _ in range(TRIES - 1):
        try:
            return await once()
        except Conflict:
            continue
    return await once()


def _no_leftover(nodes: Listing[Node]) -> str:
    if not nodes.items:
        return "the node is not there"
    node = nodes.items[0]
    if not node.unschedulable:
        return f"{node.name} is schedulable"
    if not cordoned_by_talos(node):
        return f"{node.name} was cordoned by somebody else than Talos"
    wait = uncordon_in(node, nodes.server_time)
    return f"{node.name} has not been Ready for long enough: {wait:.0f} s more" if wait else ""


def _no_taint(nodes: Listing[Node]) -> str:
    if not nodes.items:
        return "the node is not there"
    node = nodes.items[0]
    if taint_index(node) is None:
        return f"{node.name} has no taint {CONTROL_PLANE_TAINT}:NoSchedule"
    wait = untaint_in(node, nodes.server_time)
    return f"the taint would come back; look again in {wait:.0f} s" if wait else ""
