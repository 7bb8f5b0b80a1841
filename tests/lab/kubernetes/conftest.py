"""One real node for all tests that ask for it, started once and mended before each of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes import build
from tests.lab.kubernetes.apiserver import ApiServer
from tests.lab.kubernetes.standalone import running_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.kubernetes.faults import Faults


def unavailable(reason: str) -> None:
    """Skip with the reason; in CI, where every part must be there, fail with it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def node_programs() -> None:
    """See to it that the node's programs are built; only CI waits for a cold build."""
    if os.geteuid() != 0:
        unavailable("the real Kubernetes needs root on Linux")
    if build.find(build.NODE) is None and os.environ.get("CI") != "true":
        unavailable("Kubernetes is not built: run python -m tests.lab.kubernetes.build")
    try:
        build.build_releases()
        build.build_own()
    except build.MissingPartError as missing:
        unavailable(str(missing))


@pytest.fixture(scope="module")
def faults(node_programs: None) -> Iterator[Faults]:
    """A node with its workloads, and the hand that breaks it."""
    del node_programs
    try:
        with running_node() as faults:
            faults.node.deploy()
            faults.node.wait_ready()
            yield faults
    except build.MissingPartError as missing:
        unavailable(str(missing))


@pytest.fixture
def mended(faults: Faults) -> Faults:
    """The same, with every layer of the node well."""
    faults.mend()
    return faults


@pytest.fixture(scope="module")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real API server without a node, for contract tests."""
    if build.find(build.API_SERVER) is None and os.environ.get("CI") != "true":
        unavailable(
            "no kube-apiserver: set KUBEBUILDER_ASSETS or run python -m tests.lab.kubernetes.build"
        )
    server = ApiServer(tmp_path_factory.mktemp("apiserver"))
    try:
        server.start()
        yield server
    except build.MissingPartError as missing:
        unavailable(str(missing))
    finally:
        server.stop()
