"""What stands in front of a simulated Mac's ports: Caddy, and Tailscale's funnel."""

from dataclasses import dataclass, field
from typing import Final

from healer.model.front import DEFAULT_URLS
from healer.model.funnel import Funnelled

CADDY_PORTS: Final = tuple(one.listens for one in DEFAULT_URLS)
FUNNEL: Final = 443
WORKER: Final = "http://127.0.0.1:3111"


@dataclass(slots=True)
class Front:
    """Programs of the Mac's own, which change only when somebody changes them."""

    caddy: bool = True
    """Whether a Caddy that is no job of launchd's lives."""
    wrong: set[int] = field(default_factory=set)
    """Ports at which it answers 404, as a Caddyfile that lost a route makes it."""
    untrusted: str = ""
    """Why its certificate does not verify; '' = it does."""
    tailscale: bool = True
    """Whether tailscaled answers; `tailscale` hangs otherwise."""
    public: bool = True
    """Whether the internet is let in, or the tailnet alone."""
    target: str = WORKER
    """Where the funnel leads."""

    @property
    def funnels(self) -> tuple[Funnelled, ...]:
        """As `tailscale funnel status` has it."""
        return (Funnelled(FUNNEL, self.target, self.public),)
