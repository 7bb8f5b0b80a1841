"""A published port that does not answer: where on the way to its pod the fault lies."""

from collections.abc import Iterable
from dataclasses import dataclass

from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.model.cluster import Deployment, ServicePort
from healer.model.path import named, node_port_patch
from healer.model.published import PublishedService


@dataclass(frozen=True, slots=True)
class Behind:
    """What the cluster says of the pods behind a port."""

    ready: int
    desired: int | None
    """Replicas wanted; None when no workload is known."""

    @property
    def wanted(self) -> bool:
        """Whether anything should answer: scaled to zero is healthy (R49)."""
        return self.ready > 0 or bool(self.desired)


@dataclass(frozen=True, slots=True)
class Silence:
    """A port that did not speak as it should, and what is known around it."""

    service: PublishedService
    seen: str
    """The error's own words."""
    answered: bool
    """Something spoke the protocol, so the way there works."""
    listener_is_ours: bool | None
    """Whether Lima listens on the Mac; None = could not look."""
    open_in_vm: bool | None
    """Whether the port is open in the VM; None = could not look."""
    behind: Behind


def behind(
    service: PublishedService,
    inner_port: int,
    services: Iterable[ServicePort],
    deployments: Iterable[Deployment],
) -> Behind | None:
    """What stands behind a port; None when the cluster knows of nothing there."""
    if service.host_network:
        named = (one for one in deployments if one.name == service.name)
        return next((Behind(one.ready, one.desired) for one in named), None)
    found = (one for one in services if one.node_port == inner_port)
    return next((Behind(one.ready_endpoints, one.desired) for one in found), None)


def trouble(silence: Silence) -> Finding | None:
    """What is wrong; None when nothing should answer there.

    A pod on the node's own network that is not ready, or says something wrong, has a layer of
    its own to say so.
    """
    service, known = silence.service, silence.behind
    if not known.wanted or (service.host_network and (silence.answered or not known.ready)):
        return None
    seen = f"{service.name}: {silence.seen}"
    port = str(service.host_port)
    owner = f"{service.namespace}/Service/{service.name}"
    if known.ready == 0 and not silence.answered:
        evidence = f"{seen}; {known.desired} wanted and no ready endpoint"
        advice = f"kubectl -n {service.namespace} describe endpointslices; and its pods"
        return Finding(Reason.SERVICE_NO_ENDPOINTS, evidence, port, owner=owner, advice=advice)
    if silence.open_in_vm and not silence.answered:
        whose = "" if silence.listener_is_ours else "; no listener of Lima's on the Mac"
        evidence = f"{seen}; open in the VM, {known.ready} endpoints ready{whose}"
        return Finding(Reason.SERVICE_FORWARD_DEAD, evidence, port, owner=owner)
    inside = {True: "open", False: "closed", None: "not seen"}[silence.open_in_vm]
    evidence = f"{seen}; {known.ready} endpoints ready, in the VM the port is {inside}"
    return Finding(Reason.SERVICE_SILENT, evidence, port, owner=owner)


def mismatch(
    service: PublishedService, inner_port: int, services: Iterable[ServicePort]
) -> Finding | None:
    """A Service whose NodePort is not the container's port, so that nothing arrives (R35)."""
    listed = tuple(services)
    if service.host_network or any(one.node_port == inner_port for one in listed):
        return None
    meant = named(service, inner_port, listed)
    return None if meant is None or meant.desired == 0 else _mismatched(meant, inner_port)


def _mismatched(one: ServicePort, inner_port: int) -> Finding:
    has = f"NodePort {one.node_port}" if one.node_port else "no NodePort (ClusterIP)"
    return Finding(
        Reason.NODEPORT_MISMATCH,
        f"{one.namespace}/{one.name} has {has} for port {one.port}, "
        f"and Docker publishes the container's port {inner_port}",
        target=f"{one.namespace}/{one.name}:{one.port}",
        fingerprint=str(one.node_port),
        owner=f"{one.namespace}/Service/{one.name}",
        advice=node_port_patch(one, inner_port),
    )
