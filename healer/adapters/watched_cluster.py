"""ports.ClusterEyes for a daemon's probes: pods come from their watch while it may be believed.

Never for a remedy, which looks through eyes of its own just before it acts (wiring/parts.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from healer.adapters.pod_store import PodStore
from healer.model.cluster import (
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.ports import ClusterEyes, News


class WatchedCluster:
    """The cluster, where a calm look at all pods costs what one pod costs."""

    def __init__(self, cluster: ClusterEyes, store: PodStore) -> None:
        self._cluster = cluster
        self._store = store

    async def pods(self) -> Listing[Pod]:
        """What the watch told, once the server has answered and counts as many.

        A dead API must not look alive for want of being asked: that would veto what could
        bring it back (I6). While the watch is broken all pods are listed.
        """
        if not self._store.trusted():
            return await self._cluster.pods()
        count = await self._store.count()
        if not self._store.trusted() or not self._store.agrees(count):
            return await self._cluster.pods()
        return Listing(self._store.pods(), count.server_time)

    async def readiness(self) -> Readiness:
        """Asked anew."""
        return await self._cluster.readiness()

    async def node(self) -> Listing[Node]:
        """Asked anew."""
        return await self._cluster.node()

    async def warnings(self) -> Listing[Event]:
        """Asked anew."""
        return await self._cluster.warnings()

    async def flannel(self) -> Listing[DaemonSet]:
        """Asked anew."""
        return await self._cluster.flannel()

    async def livekit(self) -> Listing[Deployment]:
        """Asked anew."""
        return await self._cluster.livekit()

    async def services(self) -> Listing[ServicePort]:
        """Asked anew."""
        return await self._cluster.services()

    async def owner_exists(self, pod: Pod) -> bool:
        """Asked anew."""
        return await self._cluster.owner_exists(pod)


@dataclass(frozen=True, slots=True)
class Watched:
    """Eyes for a daemon's probes, and the news that keeps them up to date."""

    eyes: WatchedCluster
    news: Sequence[News]
