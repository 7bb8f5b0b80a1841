"""The daemon's eyes for the contract: pods are known from their watch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from healer.adapters.kubernetes import KubernetesCluster
from healer.adapters.pod_store import PODS
from healer.adapters.watched_cluster import WatchedCluster
from healer.core.tower import Layer
from healer.model.cluster import Listing, Pod
from healer.ports import PortError
from tests.apiserver.server import ApiServer
from tests.fakes.clock import FakeClock
from tests.patience import PATIENCE

LOOK_EVERY = 0.005


class PatientEyes(WatchedCluster):
    """Asked for pods only when the watch has told all that was done; a daemon does not wait.

    By versions, since what nobody judges by is kept and wakes nobody.
    """

    api: ApiServer
    remembered = 0

    async def pods(self) -> Listing[Pod]:
        """As the watch told them; counts the answers that came from memory."""
        with anyio.fail_after(PATIENCE):
            while self._store.trusted() and self._known() != self._served():  # noqa: ASYNC110  (see above)
                await anyio.sleep(LOOK_EVERY)
        found = await super().pods()
        self.remembered += found.items is self._store.pods()
        return found

    def _known(self) -> set[str]:
        return {one.resource_version for one in self._store.pods()}

    def _served(self) -> set[str]:
        return {one["metadata"]["resourceVersion"] for _, one in self.api.store.all("Pod")}


@asynccontextmanager
async def patient(cluster: KubernetesCluster, api: ApiServer) -> AsyncIterator[PatientEyes]:
    """Such eyes, with their watch running."""
    watched = cluster.watched(FakeClock())
    (news,) = [one for one in watched.news if one.name.endswith(PODS)]
    eyes = PatientEyes(cluster, watched.eyes._store)
    eyes.api = api
    begun = anyio.Event()

    def wake(layers: frozenset[Layer]) -> None:
        assert Layer.PODS in layers
        begun.set()

    async def listen() -> None:
        try:
            await news.listen(wake)
        except PortError:
            """The server was taken down."""

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        with anyio.fail_after(PATIENCE):
            await begun.wait()
        yield eyes
        tasks.cancel_scope.cancel()
