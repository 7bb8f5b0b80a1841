"""Tailscale's own words for what it serves: `tailscale funnel status --json`.

It prints tailscaled's ServeConfig (ipn/serve.go): `Web` and `AllowFunnel` by `NAME:PORT`, `TCP`
by port, what runs in somebody's terminal under `Foreground`, and `{}` or `null` when nothing is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT: Final = {"http": 80, "https": 443, "https+insecure": 443}


@dataclass(frozen=True, slots=True)
class Funnelled:
    """One port that Tailscale serves by its name."""

    port: int
    target: str
    """Where `/` leads, as Tailscale spells it; '' = only other paths are served."""
    is_public: bool
    """Whether the internet is let in, or the tailnet alone."""
    is_kept: bool = True
    """Whether it outlives the terminal in which it was typed."""


def funnels_of(document: Any) -> tuple[Funnelled, ...]:  # noqa: ANN401  (whatever JSON can hold)
    """Everything that is served. Raises ValueError for what is no ServeConfig."""
    if document is None:
        return ()
    config = _table(document)
    sessions = _part(config, "Foreground").values()
    passing = (replace(one, is_kept=False) for part in sessions for one in _served(_table(part)))
    return (*_served(config), *passing)


def _served(config: Mapping[str, Any]) -> Iterator[Funnelled]:
    allowed = _part(config, "AllowFunnel")
    web = _part(config, "Web")
    for name, server in web.items():
        handlers = _part(_table(server), "Handlers")
        yield Funnelled(_port(name), _leads_to(handlers.get("/")), allowed.get(name) is True)
    public = {_port(name) for name, is_allowed in allowed.items() if is_allowed is True}
    for port, handler in _part(config, "TCP").items():
        forward = _table({} if handler is None else handler).get("TCPForward")
        if forward:
            number = _number(port)
            yield Funnelled(number, f"tcp://{forward}", number in public)


def _leads_to(handler: Any) -> str:  # noqa: ANN401  (as above)
    """A proxy's target; a folder or a text is named as what it is."""
    if handler is None:
        return ""
    told = _table(handler)
    if told.get("Proxy"):
        return str(told["Proxy"])
    return f"the files of {told['Path']}" if told.get("Path") else "a fixed text"


def leads_there(target: str, wanted: str) -> bool:
    """Whether two targets are one place: Tailscale keeps what was typed, localhost or not."""
    return _place(target) == _place(wanted)


def _place(target: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(target)
        host, port = parts.hostname or "", parts.port or _DEFAULT.get(parts.scheme, 0)
    except ValueError:
        return target, "", 0, ""
    return parts.scheme, "localhost" if host in _LOOPBACK else host, port, parts.path.rstrip("/")


def _table(value: Any) -> Mapping[str, Any]:  # noqa: ANN401  (as above)
    if not isinstance(value, dict):
        raise ValueError(f"{str(value)[:80]!r} is no table")  # noqa: TRY004  (a wrong document)
    return value


def _part(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Go leaves an empty table out, or writes null."""
    value = config.get(key)
    return {} if value is None else _table(value)


def _port(name: str) -> int:
    return _number(name.rpartition(":")[2])


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text[:80]!r} is no port")
    return int(text)
