"""The Talos container's shape, as a recreation needs it."""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any

from healer.model.container import PortBinding

Json = Any
"""Whatever JSON can hold."""


class NotUnderstood(ValueError):
    """An answer is not what it should be; the message says of what, and never quotes it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What `docker inspect` said, without its environment."""

    image: str
    memory: int
    """Bytes; 0 = no limit."""
    nano_cpus: int
    """Billionths of a CPU; 0 = no limit."""
    restart: str
    ports: tuple[PortBinding, ...]
    """Sorted; ports that Docker was told to choose are left out."""
    chosen: tuple[str, ...]
    """`8080/tcp` of those that Docker chooses anew at each start."""
    binds: tuple[tuple[str, str, bool], ...]
    """Source, target and whether it can be written, of each mount that is not a volume."""
    address: str
    """The node's address in Docker's network; '' when it is not known."""
    subnet: str

    def host_port(self, container_port: int) -> int | None:
        """The Mac's port for a port of the container."""
        found = (one.host_port for one in self.ports if one.container_port == container_port)
        return next(found, None)


def shape_of(text: str) -> Shape:
    """From the JSON of `reading.inspect_container`. Raises NotUnderstood."""
    try:
        raw = json.loads(text)
        ports, chosen = _ports(raw["ports"] or {})
        address, subnet = _network(raw["networks"] or {})
        return Shape(
            image=_text(raw["image"]),
            memory=int(raw["memory"]),
            nano_cpus=int(raw["nano_cpus"]),
            restart=_text(raw["restart"]),
            ports=ports,
            chosen=chosen,
            binds=_binds(raw["mounts"] or []),
            address=address,
            subnet=subnet,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotUnderstood("the container: docker's answer is not understood") from None


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _ports(bindings: Json) -> tuple[tuple[PortBinding, ...], tuple[str, ...]]:
    found: set[tuple[int, int, str, str]] = set()
    chosen: set[str] = set()
    for key, several in bindings.items():
        inner, _, protocol = key.partition("/")
        for one in several or []:
            if str(one["HostPort"]).isdigit() and int(one["HostPort"]):
                ip = _text(one.get("HostIp") or "0.0.0.0")  # noqa: S104  (Docker's meaning of '')
                found.add((int(one["HostPort"]), int(inner), protocol or "tcp", ip))
            else:
                chosen.add(key)
    # One binding on v4 and one on v6 are one published port to talosctl.
    once = {
        (host, inner, protocol): ip for host, inner, protocol, ip in sorted(found, reverse=True)
    }
    ports = (
        PortBinding(inner, once[one], host, protocol)
        for one in sorted(once)
        for host, inner, protocol in [one]
    )
    return tuple(ports), tuple(sorted(chosen))


def _binds(mounts: Json) -> tuple[tuple[str, str, bool], ...]:
    kept = (one for one in mounts if one.get("Type") == "bind")
    return tuple(
        sorted((_text(one["Source"]), _text(one["Destination"]), bool(one["RW"])) for one in kept)
    )


def _network(networks: Json) -> tuple[str, str]:
    """Address and subnet; a stopped container still has the address that it was given."""
    for _, one in sorted(networks.items()):
        fixed = (one.get("IPAMConfig") or {}).get("IPv4Address")
        address = one.get("IPAddress") or fixed
        if address:
            length = one.get("IPPrefixLen") or 24
            subnet = ipaddress.ip_network(f"{address}/{length}", strict=False)
            return str(ipaddress.ip_address(address)), str(subnet)
    return "", ""
