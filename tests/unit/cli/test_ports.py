"""`healer ports fix` on a Mac whose Docker and whose API answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.apiserver.server import ApiServer
from tests.cluster_objects import NODE, recorded
from tests.unit.adapters.docker_engine import engine, inspected
from tests.unit.cli.command import SETTINGS, Machine, Said

NAMES = f"""
[tower]
container = "{NODE}"
cluster = "joel"

[[services]]
name = "redis"
host_port = 6379
"""


def service(node_port: int, *more: dict[str, Any]) -> dict[str, Any]:
    """A Service as the API hands it out; NodePort 0 is a ClusterIP."""
    given = {"nodePort": node_port} if node_port else {}
    return {
        "metadata": {"namespace": "joelclaw", "name": "redis", "uid": "u-1"},
        "spec": {
            "type": "NodePort" if node_port else "ClusterIP",
            "clusterIP": "10.96.0.7",
            "ports": [{"name": "redis", "port": 6379, "targetPort": 6379, **given}, *more],
        },
    }


@asynccontextmanager
async def tower(machine: Machine, found: dict[str, Any]) -> AsyncIterator[ApiServer]:
    """Docker publishes the API and 6379; the cluster has that one Service."""
    machine.write(SETTINGS + NAMES)
    folder = machine.home / ".colima" / "default"
    folder.mkdir(parents=True)
    (machine.home / ".kube").mkdir()
    async with ApiServer() as api, engine(folder / "docker.sock") as docker:
        api.put("Node", recorded("node-tainted"))
        api.put("Service", found)
        api.kubeconfig(machine.home / ".kube" / "config")
        bindings = {
            "6443/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(api.port)}],
            "6379/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6379"}],
        }
        host = inspected()["HostConfig"] | {"PortBindings": bindings}
        listed = [{"Id": "abc123", "Names": [f"/{NODE}"]}]
        docker.answers["/containers/json"] = (200, listed)
        docker.answers["/containers/abc123/json"] = (200, inspected(HostConfig=host))
        yield api


async def told(machine: Machine, *words: str) -> Said:
    """Run it in a thread, while the servers answer in the loop."""
    return await asyncio.to_thread(machine.healer, "ports", *words)


async def test_a_mismatch_is_named_shown_and_mended_on_request(short_folder: Path) -> None:
    """Told, shown with --dry-run and without a yes, then patched and found good."""
    machine = Machine(short_folder)
    async with tower(machine, service(31379)) as api:
        shown = await told(machine, "fix", "redis", "--dry-run")
        unasked = await told(machine, "fix", "redis")
        assert [] == api.asked("PATCH")
        mended = await told(machine, "fix", "redis", "--yes")
        again = await told(machine, "fix", "6379", "--yes")
        (patch,) = [one for one in api.requests if one.method == "PATCH"]

    assert '"nodePort":6379' in shown.out
    assert "healer ports fix redis --yes" in unasked.err
    assert [1, 1, 0, 0] == [one.code for one in (shown, unasked, mended, again)]
    assert {"ports": [{"port": 6379, "nodePort": 6379}]} == patch.body["spec"]
    assert "u-1" == patch.body["metadata"]["uid"]
    assert patch.body["metadata"]["resourceVersion"]
    assert "nothing to fix" in again.err


async def test_a_cluster_ip_becomes_a_node_port(short_folder: Path) -> None:
    """A Service that was restored as ClusterIP gets type and port in one patch (incident 25)."""
    machine = Machine(short_folder)
    async with tower(machine, service(0)) as api:
        mended = await told(machine, "fix", "redis", "--yes")
        (patch,) = [one for one in api.requests if one.method == "PATCH"]
    assert (0, "NodePort") == (mended.code, patch.body["spec"]["type"])


async def test_a_port_that_is_there_twice_is_left_to_a_human(short_folder: Path) -> None:
    """TCP and UDP of one number: the merge key would not say which one is meant."""
    machine = Machine(short_folder)
    twin = {"name": "udp", "port": 6379, "protocol": "UDP"}
    async with tower(machine, service(31379, twin)) as api:
        refused = await told(machine, "fix", "redis", "--yes")
        assert [] == api.asked("PATCH")
    assert 1 == refused.code
    assert "is there 2 times" in refused.err


def test_on_a_bare_machine_nothing_is_judged(machine: Machine) -> None:
    """Neither Docker nor the API is there: why is said, and the code says unknown."""
    said = machine.healer("ports", "fix", "redis", "--yes")
    assert 3 == said.code
    assert "docker.sock" in said.err


def test_a_service_that_nobody_knows_is_wrong_usage(machine: Machine) -> None:
    """A name near to it is offered."""
    said = machine.healer("ports", "fix", "rediss", "--yes")
    assert 2 == said.code
    assert "did you mean 'redis'" in said.err
