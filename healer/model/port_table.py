"""Every port on the way from the Mac to a Service, side by side, and the rule each must keep.

A NodePort must equal the container's port that Docker publishes, else nothing arrives (R35);
what only one of settings, Docker and Kubernetes knows of is drift between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from healer.core.word import Word
from healer.model.cluster import ServicePort
from healer.model.container import Container, PortBinding
from healer.model.path import named, node_port_patch
from healer.model.published import CONTAINER, HOST, PublishedService
from healer.outside import line


class Rule(Word):
    """How a row stands."""

    KEPT = "ok"
    HOST = "the Mac's own"
    """A program of the Mac: nothing may publish its port."""
    NOT_PUBLISHED = "not published"
    """The settings name it, and Docker does not map it."""
    NO_SERVICE = "no Service"
    NODE_PORT_DIFFERS = "NodePort differs"
    RESERVED = "taken from the Mac"
    """Docker publishes a port that belongs to a program of the Mac."""
    UNNAMED = "not in the settings"
    """Docker publishes it, and no setting names it: nobody watches it."""
    UNREACHED = "behind no port"
    """A NodePort that Docker does not publish: nobody outside reaches it."""
    UNSEEN = "not seen"


BROKEN = frozenset({Rule.NODE_PORT_DIFFERS, Rule.RESERVED})
"""What a human should mend: the rest may be meant so."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way."""

    name: str
    mac_port: int | None
    container_port: int | None
    service: str
    node_port: int | None
    rule: Rule
    command: str = ""
    """For a broken rule: what mends it."""


def port_table(
    known: Sequence[PublishedService],
    container: Container | None,
    services: Sequence[ServicePort] | None,
) -> tuple[Row, ...]:
    """The rows of the settings, then what only Docker, then what only Kubernetes knows of.

    None: Docker, or the API, could not be asked.
    """
    bindings = _bindings(container)
    rows = [_row(one, bindings, services) for one in known]
    named_ports = {row.mac_port for row in rows}
    rows += [_unnamed(one) for one in bindings or () if one.host_port not in named_ports]
    reached = {one.container_port for one in bindings or ()}
    if bindings is not None:
        rows += [
            _unreached(one)
            for one in services or ()
            if one.node_port and one.node_port not in reached
        ]
    return tuple(replace(row, service=line(row.service), command=line(row.command)) for row in rows)


def _bindings(container: Container | None) -> tuple[PortBinding, ...] | None:
    """One for each port of the Mac: Docker lists IPv4 and IPv6 apart."""
    if container is None:
        return None
    by_port = {one.host_port: one for one in container.ports if one.host_port}
    return tuple(by_port[port] for port in sorted(by_port))


def _row(
    known: PublishedService,
    bindings: Sequence[PortBinding] | None,
    services: Sequence[ServicePort] | None,
) -> Row:
    binding = _binding_of(known, bindings or ())
    if known.where == HOST:
        rule = Rule.HOST if binding is None else Rule.RESERVED
        return Row(known.name, known.host_port, None, "", None, rule)
    if bindings is None:
        return Row(known.name, known.host_port or None, known.inner_port, "", None, Rule.UNSEEN)
    if binding is None:
        return Row(
            known.name, known.host_port or None, known.inner_port, "", None, Rule.NOT_PUBLISHED
        )
    inner = binding.container_port
    if known.where == CONTAINER or known.host_network:
        return Row(known.name, binding.host_port, inner, "", None, Rule.KEPT)
    return _with_service(known, binding, services)


def _binding_of(known: PublishedService, bindings: Iterable[PortBinding]) -> PortBinding | None:
    for one in bindings:
        if known.host_port == one.host_port:
            return one
        if not known.host_port and known.container_port == one.container_port:
            return one
    return None


def _with_service(
    known: PublishedService, binding: PortBinding, services: Sequence[ServicePort] | None
) -> Row:
    mac, inner = binding.host_port, binding.container_port
    if services is None:
        return Row(known.name, mac, inner, "", None, Rule.UNSEEN)
    right = next((one for one in services if one.node_port == inner), None)
    found = right or named(known, inner, tuple(services))
    if found is None:
        return Row(known.name, mac, inner, "", None, Rule.NO_SERVICE)
    where = f"{found.namespace}/{found.name}:{found.port}"
    if right is not None:
        return Row(known.name, mac, inner, where, inner, Rule.KEPT)
    patch, node_port = node_port_patch(found, inner), found.node_port or None
    return Row(known.name, mac, inner, where, node_port, Rule.NODE_PORT_DIFFERS, patch)


def _unnamed(one: PortBinding) -> Row:
    return Row("", one.host_port, one.container_port, "", None, Rule.UNNAMED)


def _unreached(one: ServicePort) -> Row:
    where = f"{one.namespace}/{one.name}:{one.port}"
    return Row("", None, None, where, one.node_port, Rule.UNREACHED)
