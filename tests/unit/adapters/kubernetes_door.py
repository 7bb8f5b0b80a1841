"""The Kubernetes adapter as tests open and close it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from healer.adapters.kubernetes import KubernetesCluster, Names
from tests.cluster_objects import NODE


class Binding:
    """What Docker says of the API's port, and how often it was asked."""

    def __init__(self, port: int | None) -> None:
        self.port = port
        self.asked = 0

    async def __call__(self) -> int | None:
        """The port that Docker publishes, None when it cannot be asked."""
        self.asked += 1
        return self.port


@asynccontextmanager
async def door(
    kubeconfig: Path, port: int | Binding | None, *, deadline: float = 20.0
) -> AsyncIterator[KubernetesCluster]:
    """An adapter that is closed at the end; its deadline is long, so that load does not matter."""
    binding = port if isinstance(port, Binding) else Binding(port)
    one = KubernetesCluster(kubeconfig, Names(NODE), binding, deadline=deadline)
    try:
        yield one
    finally:
        await one.close()
