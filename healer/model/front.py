"""What stands in front of the Mac's ports: Caddy's URLs, and Tailscale's funnel.

healer mends neither: both are the Mac's own, and a human's to run. Port 3111 belongs to the
worker on the Mac (facts/incidents.md §2, constraint 7), so what leads there is looked at here.
"""

import shlex
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from healer.core.word import Word
from healer.model.funnel import Funnelled

_PORTS: Final = {"http": 80, "https": 443}
_ILL: Final = 400
_DEAD: Final = 500
"""From this status on: 502 is Caddy's own word for a backend that does not answer."""


class Watch(Word):
    """Whether it is looked at."""

    FOUND = "found"
    """Where it is: its tool is on PATH, or it runs."""
    ALWAYS = "always"
    """And it is missed where it is not."""
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class CaddyUrl:
    """One of Caddy's URLs, asked on this Mac by its name; DNS and the network are not asked."""

    url: str
    """With scheme, name, port and the path that is asked with GET."""
    port: int = 0
    """The Mac's port that it leads to, which tells a dead backend from a wrong Caddy; 0 = none."""
    status: int = 0
    """The status that is right; 0 = any below 400 where words are expected, else below 500."""
    expect: str = ""
    """What the answer must contain; '' = anything."""

    @property
    def is_tls(self) -> bool:
        """Whether a certificate is shown."""
        return self.url.startswith("https:")

    @property
    def name(self) -> str:
        """Whom it is asked of; what TLS calls SNI."""
        return urlsplit(self.url).hostname or ""

    @property
    def listens(self) -> int:
        """The port on which Caddy listens for it."""
        parts = urlsplit(self.url)
        return parts.port or _PORTS[parts.scheme]

    @property
    def path(self) -> str:
        """With its query."""
        parts = urlsplit(self.url)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    @property
    def host_line(self) -> str:
        """As the Host header wants it."""
        return urlsplit(self.url).netloc

    def is_right(self, status: int) -> bool:
        """Whether this status is the wanted one."""
        if self.status:
            return status == self.status
        return status < (_ILL if self.expect else _DEAD)


def fault_of(url: CaddyUrl) -> str:
    """Why a URL cannot be asked; '' = it can."""
    try:
        parts = urlsplit(url.url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.port == 0:
            return "should be a URL with http:// or https:// and a name"
    except ValueError as error:
        return f"is no URL: {error}"
    if parts.username is not None or parts.fragment:
        return "should hold neither a user nor a fragment"
    good = url.url.isascii() and url.url.isprintable() and " " not in url.url
    return "" if good else "should hold no blank, and nothing but printable ASCII"


@dataclass(frozen=True, slots=True)
class UrlAnswer:
    """What Caddy said at a URL."""

    said: str
    """In a few words."""
    wrong: str = ""
    """Why that is not the configured answer; '' = it is."""
    untrusted: str = ""
    """Why the certificate does not verify; '' = it does, or there is none."""
    unjudged: str = ""
    """Why it could not be verified: no authorities are known here."""


@dataclass(frozen=True, slots=True)
class WantedCaddy:
    """How Caddy should be."""

    watch: Watch = Watch.FOUND
    label: str = "com.joel.caddy"
    config: str = "~/.local/caddy/Caddyfile"
    urls: tuple[CaddyUrl, ...] = ()
    certificates: tuple[str, ...] = ()
    """Certificate files that the settings watch; one that begins with a URL's name is Caddy's."""


@dataclass(frozen=True, slots=True)
class WantedFunnel:
    """How the funnel should be."""

    watch: Watch = Watch.FOUND
    port: int = 443
    target: str = "http://127.0.0.1:3111"

    @property
    def command(self) -> str:
        """What makes it so; `--bg` outlives the terminal and a reboot."""
        return f"tailscale funnel --bg --https={self.port} {shlex.quote(self.target)}"

    @property
    def leads_to(self) -> int:
        """The Mac's port behind it; 0 when it leads to another machine."""
        parts = urlsplit(self.target)
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        return (parts.port or _PORTS.get(parts.scheme, 0)) if local else 0


@dataclass(frozen=True, slots=True)
class WantedFront:
    """Both."""

    caddy: WantedCaddy = field(default_factory=WantedCaddy)
    funnel: WantedFunnel = field(default_factory=WantedFunnel)


@dataclass(frozen=True, slots=True)
class FrontSeen:
    """What one look saw; what is not in here was not looked at, and `unseen` says why."""

    running: bool | None = None
    """Whether a `caddy run` is in the process list; None = not known, or not looked for."""
    answers: tuple[tuple[CaddyUrl, UrlAnswer], ...] = ()
    silent: tuple[tuple[CaddyUrl, str], ...] = ()
    """URLs at which nothing spoke, with the words for it."""
    backends: frozenset[int] = frozenset()
    """Ports of the Mac that did not answer either: what leads there is not Caddy's fault."""
    funnels: tuple[Funnelled, ...] | None = None
    funnel_unseen: str = ""
    """Why the funnel could not be looked at, where it should have been."""
    funnel_missing: str = ""
    """Why there can be no funnel at all, where one is missed; '' = nothing is known of that."""
    unseen: tuple[str, ...] = ()


_TAILNET: Final = "https://panda.tail7af24.ts.net"
DEFAULT_URLS: Final = (
    CaddyUrl(f"{_TAILNET}:9443/health", 8288, expect='"status":200'),
    CaddyUrl(f"{_TAILNET}:8290/", 8289),
    CaddyUrl(f"{_TAILNET}:3443/api/inngest", 3111, status=200),
    CaddyUrl(f"{_TAILNET}:7443/", 7880, expect="OK"),
    CaddyUrl("http://localhost:8443/"),
)
"""The owner's operations reference, "Caddy HTTPS Proxy". Where it gives no path and no answer,
any answer of a living backend is right: a guess would call a healthy one ill."""
