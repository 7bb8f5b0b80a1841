"""Caddy and the funnel are seen as promised, by the real adapter and by the simulation alike."""

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from healer.adapters import front as adapter
from healer.adapters.front import Front
from healer.adapters.host import HostAdapter
from healer.adapters.process import ProcessRunner
from healer.model.front import DEFAULT_URLS, CaddyUrl
from healer.simulation.front_ports import SimulatedFront
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually
from tests.contracts.front_contract import CHECKS, Check, a_tool_that_hangs_tells_nothing
from tests.fakes.caddy import NAME, YEAR, Told, certified, http, saying
from tests.fakes.tailscale import WORKER, Tailscale
from tests.lab.kubernetes.machineconfig import Authority
from tests.unit.adapters.ssh_door import SYSTEM, free_port
from tests.unit.adapters.test_published import server


@dataclass(slots=True)
class ServedFront:
    """A real TLS server for each URL, and the stand-in `tailscale`."""

    eyes: Front
    tailscale: Tailscale
    authority: Authority
    folder: Path
    stack: AsyncExitStack
    told: Told = field(default_factory=Told)

    async def _serve(self, status: str, body: str, lasts: dt.timedelta = YEAR) -> CaddyUrl:
        context = certified(self.authority, self.folder, self.told, lasts=lasts)
        serve = saying(http(status, body), self.told)
        port = await self.stack.enter_async_context(server(serve, context))
        return CaddyUrl(f"https://{NAME}:{port}/health", expect="OK")

    async def good(self) -> CaddyUrl:
        """One that says OK."""
        return await self._serve("200 OK", "OK")

    async def wrong(self) -> CaddyUrl:
        """One without that route."""
        return await self._serve("404 Not Found", "OK")

    async def orphaned(self) -> CaddyUrl:
        """One without its backend."""
        return await self._serve("502 Bad Gateway", "")

    async def untrusted(self) -> CaddyUrl:
        """One whose certificate ended half an hour ago."""
        return await self._serve("200 OK", "OK", dt.timedelta(minutes=-30))

    async def refusing(self) -> CaddyUrl:
        """None."""
        return CaddyUrl(f"https://{NAME}:{free_port()}/")

    async def funnel(self, how: str) -> None:
        """As tailscaled's configuration has it."""
        if how == "hung":
            self.tailscale.say(mood="hang")
        else:
            target = "http://127.0.0.1:8443" if how == "elsewhere" else WORKER
            self.tailscale.serve(target, public=how != "off")


@dataclass(slots=True)
class SimulatedWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedFront = field(init=False)

    def __post_init__(self) -> None:
        """Look at its front."""
        self.eyes = SimulatedFront(self.tower)

    async def good(self) -> CaddyUrl:
        """Inngest's."""
        return DEFAULT_URLS[0]

    async def wrong(self) -> CaddyUrl:
        """The worker's, whose route is lost."""
        HAPPENINGS["caddy_url_wrong"].befall(self.tower, port=3443)
        return DEFAULT_URLS[2]

    async def orphaned(self) -> CaddyUrl:
        """Inngest's, without its pod."""
        HAPPENINGS["bad_image"].befall(self.tower, workload="inngest")
        return DEFAULT_URLS[0]

    async def untrusted(self) -> CaddyUrl:
        """Any."""
        HAPPENINGS["caddy_certificate"].befall(self.tower, why="certificate has expired")
        return DEFAULT_URLS[0]

    async def refusing(self) -> CaddyUrl:
        """Any, without Caddy."""
        HAPPENINGS["caddy_dies"].befall(self.tower)
        return DEFAULT_URLS[0]

    async def funnel(self, how: str) -> None:
        """By what can befall it."""
        named = {"off": "funnel_off", "elsewhere": "funnel_elsewhere", "hung": "tailscale_hangs"}
        if how in named:
            HAPPENINGS[named[how]].befall(self.tower)


@pytest.fixture(scope="module", name="authority")
def fixture_authority() -> Authority:
    """Who vouches for Caddy."""
    return Authority.create()


@pytest.fixture
async def served(authority: Authority, tmp_path: Path) -> AsyncIterator[ServedFront]:
    """The real adapter, and who vouches for its servers."""
    tailscale = Tailscale(tmp_path / "bin")
    root = tmp_path / "root.pem"
    root.write_text(authority.pem())
    path = f"{tailscale.tool.parent}:{SYSTEM}"
    runner = ProcessRunner(term_grace=0.1)
    eyes = Front(runner, HostAdapter(runner, tmp_path, path=path), {"PATH": path}, root)
    async with AsyncExitStack() as stack:
        yield ServedFront(eyes, tailscale, authority, tmp_path, stack)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_adapter_keeps_it(
    served: ServedFront, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real adapter, over real sockets and a real process."""
    # A Python starts slowly on a busy day, and only what hangs is not waited for.
    hangs = check is a_tool_that_hangs_tells_nothing
    monkeypatch.setattr(adapter, "FUNNEL_SECONDS", 0.3 if hangs else 30.0)
    monkeypatch.setattr(adapter, "URL_SECONDS", 30.0)
    await check(served)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_simulation_keeps_it(check: Check) -> None:
    """The simulated front, on virtual time."""
    run_virtually(lambda: check(SimulatedWorld()))
