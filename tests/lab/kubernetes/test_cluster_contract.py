"""The cluster's ports keep their promises before a real API server, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.cluster_contract import SERVED_CHECKS, Check
from tests.lab.kubernetes.behind import seeded

if TYPE_CHECKING:
    from tests.lab.kubernetes.apiserver import ApiServer

pytestmark = pytest.mark.kubernetes


@pytest.mark.parametrize("check", SERVED_CHECKS)
async def test_a_real_api_server_keeps_it(api_server: ApiServer, check: Check) -> None:
    """What the tests' own server promises is what a real one does."""
    async with seeded(api_server) as world:
        await check(world)
