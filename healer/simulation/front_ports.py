"""Caddy and the funnel of a simulated Mac, as a port."""

from typing import Final

import anyio

from healer.model.front import CaddyUrl, UrlAnswer
from healer.model.funnel import Funnelled
from healer.ports import CannotLook, PortError, TargetIll
from healer.simulation.answering import answer
from healer.simulation.physics import Tower
from healer.simulation.published_ports import SimulatedPublished

URL_DEADLINE: Final = 1.5
FUNNEL_DEADLINE: Final = 2.0


class SimulatedFront:
    """Implements FrontEyes."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._published = SimulatedPublished(tower)

    async def url(self, one: CaddyUrl) -> UrlAnswer:
        """Caddy's own word, or 502 when what is behind it does not answer."""
        place = f"{one.url} at 127.0.0.1"
        await answer(self._tower, place, 0.01, URL_DEADLINE)
        front = self._tower.mac.front
        if not self._tower.caddy_runs:
            raise TargetIll(place, "Connection refused")
        untrusted = front.untrusted if one.is_tls else ""
        if one.listens in front.wrong:
            return UrlAnswer("HTTP 404", wrong="HTTP 404", untrusted=untrusted)
        if not await self._is_carried(one):
            return UrlAnswer("HTTP 502", wrong="HTTP 502", untrusted=untrusted)
        return UrlAnswer(f"HTTP 200: {one.expect}", untrusted=untrusted)

    async def _is_carried(self, one: CaddyUrl) -> bool:
        if not one.port:
            return True
        protocol = "http" if one.expect else "tcp"
        try:
            await self._published.speak(one.port, protocol, one.path, one.expect)
        except PortError:
            return False
        return True

    async def funnel(self) -> tuple[Funnelled, ...]:
        """What tailscaled says; a tool that hangs tells nothing."""
        place = "tailscale funnel status"
        front = self._tower.mac.front
        if not front.tailscale:
            await anyio.sleep(FUNNEL_DEADLINE)
            self._tower.now()
            raise CannotLook(place, f"had not ended after {FUNNEL_DEADLINE:g} s")
        await anyio.sleep(0.02)
        self._tower.now()
        return front.funnels
