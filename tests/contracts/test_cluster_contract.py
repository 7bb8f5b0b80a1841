"""The cluster's ports keep their promises, by the real adapter and by the simulation alike."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from healer.adapters.kubernetes import KubernetesCluster, Names
from healer.adapters.pod_store import PODS
from healer.simulation.virtual_time import run_virtually
from tests.apiserver.server import ApiServer
from tests.apiserver.store import Key
from tests.cluster_objects import NODE
from tests.contracts.cluster_contract import (
    CHECKS,
    SERVED_CHECKS,
    Check,
    a_dead_api_is_ill_for_eyes_and_fails_hands,
)
from tests.contracts.cluster_served import ServedWorld, seed
from tests.contracts.cluster_simulated import SimulatedWorld
from tests.contracts.cluster_watched import PatientEyes, patient

Json = dict[str, Any]


@dataclass(slots=True)
class BehindTheServer:
    """The in-process server's objects."""

    api: ApiServer

    async def get(self, kind: str, namespace: str, name: str) -> Json:
        """An object as it is now."""
        return self.api.get(kind, namespace, name)

    async def put(self, kind: str, raw: Json) -> Json:
        """Create an object."""
        return self.api.put(kind, raw)

    async def replace(self, kind: str, raw: Json) -> None:
        """Write an object that is there."""
        self.api.put(kind, raw)

    async def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away."""
        self.api.store.remove(Key(kind, namespace, name))


@dataclass(slots=True)
class InProcessWorld(ServedWorld):
    """One whose server can be taken down."""

    api: ApiServer

    async def die(self) -> None:
        """Close the port."""
        await self.api.stop()


@dataclass(slots=True)
class WatchedWorld(InProcessWorld):
    """The same, looked at as a daemon's probes do."""

    watched: PatientEyes

    @property
    def eyes(self) -> PatientEyes:
        """Those that know pods from their watch."""
        return self.watched


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[InProcessWorld]:
    """The adapter before the in-process server with the recorded cluster."""
    async with ApiServer() as api:
        behind = BehindTheServer(api)
        await seed(behind)

        async def port() -> int | None:
            return api.port

        kubeconfig = api.kubeconfig(folder / "kubeconfig")
        cluster = KubernetesCluster(kubeconfig, Names(NODE), port, deadline=20.0)
        try:
            yield InProcessWorld(cluster, behind, api)
        finally:
            await cluster.close()


@pytest.mark.parametrize("check", SERVED_CHECKS)
async def test_the_adapter_keeps_it(tmp_path: Path, check: Check) -> None:
    """The real adapter, over real TLS, before the tests' own API server."""
    async with served(tmp_path) as world:
        await check(world)


@pytest.mark.parametrize("check", SERVED_CHECKS)
async def test_a_daemons_eyes_keep_it(tmp_path: Path, check: Check) -> None:
    """The real adapter with a watch beside it, which alone tells it of pods."""
    async with served(tmp_path) as world, patient(world.cluster, world.api) as eyes:
        await check(WatchedWorld(world.cluster, world.behind, world.api, eyes))

        pages = [one.query.get("limit") for one in world.api.requests if one.path == PODS]
        assert 1 == pages.count("100")


@pytest.mark.parametrize("check", CHECKS)
def test_the_simulation_keeps_it(check: Check) -> None:
    """The simulated cluster, on virtual time."""
    run_virtually(lambda: check(SimulatedWorld()))


async def test_the_adapter_without_an_api(tmp_path: Path) -> None:
    """A server that is gone is ill, and nothing can be done there."""
    async with served(tmp_path) as world:
        await a_dead_api_is_ill_for_eyes_and_fails_hands(world)


async def test_a_daemons_eyes_without_an_api(tmp_path: Path) -> None:
    """What they remember makes no dead server alive."""
    async with served(tmp_path) as world, patient(world.cluster, world.api) as eyes:
        watched = WatchedWorld(world.cluster, world.behind, world.api, eyes)
        await a_dead_api_is_ill_for_eyes_and_fails_hands(watched)

        assert eyes.remembered > 0


def test_the_simulation_without_an_api() -> None:
    """The simulated one likewise."""
    run_virtually(lambda: a_dead_api_is_ill_for_eyes_and_fails_hands(SimulatedWorld()))
