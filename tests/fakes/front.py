"""Caddy and Tailscale, answering as they are told to."""

from dataclasses import dataclass, field

import anyio

from healer.model.front import CaddyUrl, UrlAnswer
from healer.model.funnel import Funnelled
from healer.ports import PortError

GOOD = UrlAnswer("HTTP 200")
ON = (Funnelled(443, "http://127.0.0.1:3111", is_public=True),)


@dataclass
class FakeFront:
    """Implements FrontEyes; `asked` holds every question."""

    urls: dict[int, UrlAnswer | PortError] = field(default_factory=dict)
    """By the port on which Caddy listens; well, unless it is told otherwise."""
    funnels: tuple[Funnelled, ...] | PortError = ON
    hung: set[str] = field(default_factory=set)
    """Methods that never answer."""
    asked: list[str] = field(default_factory=list)

    async def url(self, one: CaddyUrl) -> UrlAnswer:
        """What it was told."""
        self.asked.append(one.url)
        if "url" in self.hung:
            await anyio.sleep_forever()
        said = self.urls.get(one.listens, GOOD)
        if isinstance(said, PortError):
            raise said
        return said

    async def funnel(self) -> tuple[Funnelled, ...]:
        """What it was told."""
        self.asked.append("funnel")
        if "funnel" in self.hung:
            await anyio.sleep_forever()
        if isinstance(self.funnels, PortError):
            raise self.funnels
        return self.funnels
