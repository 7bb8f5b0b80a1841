"""Fixtures of the adapters' tests."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from healer.adapters.kubernetes import KubernetesCluster
from tests.apiserver.server import ApiServer
from tests.cluster_objects import recorded
from tests.unit.adapters.colima_mac import Mac
from tests.unit.adapters.kubernetes_door import door


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name (104 bytes on macOS)."""
    with tempfile.TemporaryDirectory(prefix="hl", dir="/tmp") as folder:
        yield Path(folder).resolve()


@pytest.fixture
def mac(short_folder: Path) -> Iterator[Mac]:
    """A Mac with an empty instance folder; its processes are ended afterwards."""
    one = Mac(short_folder)
    yield one
    one.end()


@pytest.fixture
async def api() -> AsyncIterator[ApiServer]:
    """An API server with the node as it was recorded, tainted."""
    async with ApiServer() as one:
        one.put("Node", recorded("node-tainted"))
        yield one


@pytest.fixture
async def cluster(api: ApiServer, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    """The adapter before that server."""
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port) as one:
        yield one
