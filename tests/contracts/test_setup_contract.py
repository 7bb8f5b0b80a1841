"""How a cluster was set up is told as promised, by the real adapter and by the simulation alike."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from healer.adapters.kubernetes import KubernetesCluster, Names
from healer.simulation.virtual_time import run_virtually
from tests.apiserver.server import ApiServer
from tests.cluster_objects import NODE
from tests.contracts.setup_contract import CHECKS, Check
from tests.contracts.setup_worlds import ServedSetup, SimulatedWorld


@pytest.mark.parametrize("check", CHECKS)
async def test_the_adapter_keeps_it(tmp_path: Path, check: Check) -> None:
    """The real adapter, over real TLS, before the tests' own servers."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(ApiServer())

        async def port() -> int | None:
            return api.port

        kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
        cluster = KubernetesCluster(kubeconfig, Names(NODE), port, deadline=20.0)
        stack.push_async_callback(cluster.close)
        world = ServedSetup(api, cluster.setup(), cluster, stack, tmp_path)
        await world.begin()
        await check(world)


@pytest.mark.parametrize("check", CHECKS)
def test_the_simulation_keeps_it(check: Check) -> None:
    """The simulated cluster, on virtual time."""
    run_virtually(lambda: check(SimulatedWorld()))
