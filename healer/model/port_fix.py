"""What makes a Service's NodePort the port that Docker publishes: the exact patch, as a value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from healer.model.cluster import ServicePort
from healer.model.container import Container
from healer.model.path import named, node_port_patch
from healer.model.published import POD, PublishedService


@dataclass(frozen=True, slots=True)
class Patch:
    """One port of a Service, and the NodePort that it should have."""

    port: ServicePort
    """As it was seen."""
    node_port: int

    @property
    def command(self) -> str:
        """The same, as a human would send it."""
        return node_port_patch(self.port, self.node_port)

    @property
    def body(self) -> dict[str, object]:
        """A strategic merge patch: ports are merged by `port`, so the others stay."""
        kind = {} if self.port.node_port else {"type": "NodePort"}
        return {"spec": {**kind, "ports": [{"port": self.port.port, "nodePort": self.node_port}]}}


def patches(
    asked: Sequence[PublishedService], container: Container, services: Sequence[ServicePort]
) -> Iterator[Patch]:
    """One for each service whose published port leads to no NodePort, though its Service is there.

    A NodePort that another Service holds is nobody's to take, so nothing is patched there.
    """
    taken = {one.node_port for one in services}
    for service in asked:
        inner = _published(service, container)
        if service.where != POD or service.host_network or inner is None or inner in taken:
            continue
        found = named(service, inner, tuple(services))
        if found is not None:
            yield Patch(found, inner)


def _published(service: PublishedService, container: Container) -> int | None:
    mapped = (one for one in container.ports if one.host_port == service.host_port)
    return next((one.container_port for one in mapped), None)
