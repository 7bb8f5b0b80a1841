"""A container's two files as Docker keeps them, with one more published port: bytes to bytes.

Keys `<container port>/<protocol>`, HostPort a string (facts/talos-kubernetes.md §9). A value of
the wrong type makes the container vanish from `docker ps -a`, so whatever is not exactly as
Docker writes it is refused, and the result is read again and compared before it is handed out.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

HOSTCONFIG: Final = "hostconfig.json"
CONFIG: Final = "config.v2.json"
FILES: Final = (CONFIG, HOSTCONFIG)
"""In the order in which they are written: an exposed port without a binding does nothing."""
PROTOCOLS: Final = ("tcp", "udp")
_LARGEST: Final = 65_535
_ANYWHERE: Final = "0.0.0.0"  # noqa: S104  (what talosctl publishes on; nothing is bound here)


class BadEdit(ValueError):
    """The port cannot be added to these files; the message says why and quotes no Env."""


@dataclass(frozen=True, slots=True)
class WantedPort:
    """The port that is to be published."""

    host: int
    """The Mac's."""
    container: int
    protocol: str = "tcp"

    @property
    def key(self) -> str:
        """As Docker names the container's side."""
        return f"{self.container}/{self.protocol}"

    def __str__(self) -> str:
        """As a human asks for it."""
        return f"{self.host}:{self.container}/{self.protocol}"


def parse_port(text: str) -> WantedPort:
    """From `HOST[:CONTAINER][/proto]`. Raises ValueError with what is wrong."""
    numbers, slash, protocol = text.partition("/")
    protocol = protocol if slash else "tcp"
    if protocol not in PROTOCOLS:
        raise ValueError(f"{text!r}: the protocol is tcp or udp, not {protocol!r}")
    host, colon, container = numbers.partition(":")
    return WantedPort(_port(host, text), _port(container if colon else host, text), protocol)


def _port(word: str, text: str) -> int:
    number = int(word) if word.isascii() and word.isdigit() else 0
    if not 0 < number <= _LARGEST or word != str(number):
        raise ValueError(f"{text!r}: {word!r} is no port; write HOST[:CONTAINER][/tcp|/udp]")
    return number


def edited(name: str, data: bytes, wanted: WantedPort) -> bytes:
    """The file of that name with the port in it; every other key and their order stay.

    Raises BadEdit.
    """
    document = _document(name, data)
    expected = _document(name, data)
    if name == HOSTCONFIG:
        _bind(document, wanted)
        _bind(expected, wanted)
    else:
        _expose(document, wanted)
        _expose(expected, wanted)
    end = b"\n" if data.endswith(b"\n") else b""
    new = json.dumps(document, separators=(",", ":")).encode() + end
    if _document(name, new) != expected:
        raise BadEdit(f"{name}: it does not read back as it was written")
    return new


def bindings(hostconfig: bytes) -> frozenset[tuple[str, str, str]]:
    """Key, HostIp and HostPort of every binding. Raises BadEdit."""
    published = _bindings(_document(HOSTCONFIG, hostconfig))
    return frozenset(
        (key, one["HostIp"], one["HostPort"]) for key, many in published.items() for one in many
    )


def _document(name: str, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        found = None
    # Raised out here: the decoder's error holds the whole text, and that holds Env.
    if not isinstance(found, dict):
        raise BadEdit(f"{name}: is no JSON object as Docker writes it")
    return found


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _bindings(document: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    published = document.get("PortBindings")
    if published is None:
        published = document["PortBindings"] = {}
    fits = isinstance(published, dict) and all(
        many is None or (isinstance(many, list) and all(_is_binding(one) for one in many))
        for many in published.values()
    )
    if not fits:
        raise BadEdit(f"{HOSTCONFIG}: PortBindings is not as Docker writes it")
    return {key: many or [] for key, many in published.items()}


def _is_binding(one: object) -> bool:
    return (
        isinstance(one, dict)
        and isinstance(one.get("HostIp"), str)
        and isinstance(one.get("HostPort"), str)
    )


def _bind(document: dict[str, Any], wanted: WantedPort) -> None:
    published = _bindings(document)
    for key, many in published.items():
        same = key.endswith(f"/{wanted.protocol}")
        for one in many:
            if same and _covers(one["HostPort"], wanted.host):
                raise BadEdit(f"the Mac's port {wanted.host} is published already, for {key}")
    known = [one["HostIp"] for many in published.values() for one in many]
    address = max(sorted(set(known)), key=known.count, default=_ANYWHERE)
    binding = {"HostIp": address, "HostPort": str(wanted.host)}
    document["PortBindings"][wanted.key] = [*published.get(wanted.key, []), binding]


def _covers(host_port: str, port: int) -> bool:
    """A range is allowed there; '' is whatever port is free."""
    first, _, last = host_port.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        return False
    return int(first) <= port <= int(last or first)


def _expose(document: dict[str, Any], wanted: WantedPort) -> None:
    config = document.get("Config")
    if not isinstance(config, dict):
        raise BadEdit(f"{CONFIG}: Config is not as Docker writes it")
    exposed = config.get("ExposedPorts")
    if exposed is None:
        exposed = config["ExposedPorts"] = {}
    if not isinstance(exposed, dict):
        raise BadEdit(f"{CONFIG}: Config.ExposedPorts is not as Docker writes it")
    exposed.setdefault(wanted.key, {})
