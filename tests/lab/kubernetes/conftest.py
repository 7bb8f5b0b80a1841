"""One real node for all tests that ask for it, started once and mended before each of them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes import build
from tests.lab.kubernetes.apiserver import ApiServer
from tests.lab.kubernetes.engine import Engine
from tests.lab.kubernetes.faults import Faults
from tests.lab.kubernetes.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator


def unavailable(reason: str) -> None:
    """Skip with the reason; in CI, where every part must be there, fail with it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def faults(node_programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    """A node on an engine of the lab, and the hand that breaks it."""
    del node_programs
    engine = Engine(Path(tempfile.mkdtemp(prefix="lab-", dir="/tmp")))
    try:
        node = Node(engine.docker, tmp_path_factory.mktemp("node") / "kubeconfig")
        engine.start(node.ports.mac_side())
        faults = Faults(node, engine.guest_flags)
        faults.load_module()
        node.create()
        node.deploy()
        node.wait_ready()
        yield faults
    except build.MissingPartError as missing:
        unavailable(str(missing))
    finally:
        engine.stop()


@pytest.fixture
def mended(faults: Faults) -> Faults:
    """The same, with every layer of the node well."""
    faults.mend()
    return faults


@pytest.fixture(scope="session")
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
