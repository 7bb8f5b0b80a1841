"""The questions about the set-up, layer by layer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from healer.core.observation import Finding
from healer.model import setup_verdicts as verdicts
from healer.model.container import Container
from healer.model.published import POD, PublishedService
from healer.model.setup import Addressing, service_named
from healer.ports import (
    CannotLook,
    PortError,
    SetupEyes,
    TalosEyes,
    TargetIll,
    TargetSilent,
)
from healer.probes.asking import ask
from healer.probes.setup import Check

Asked = Callable[[], Awaitable[tuple[Finding, ...]]]
_WARM: Final = 300.0
"""Seconds that Talos may take to bring its own API up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the settings want the cluster to be set up."""

    namespaces: tuple[str, ...] = ("joelclaw",)
    """Whose workloads are looked at."""
    worker: tuple[str, ...] = ()
    privileged: tuple[str, ...] = ()
    storage_class: str | None = None
    metrics_server: bool = False
    redis_policy: str | None = None
    redis_appendonly: bool = False
    talos_port: int = 50_000
    services: tuple[PublishedService, ...] = ()


@dataclass(frozen=True, slots=True)
class SetupChecks:
    """`container` is what Docker said of it last; None when it was not asked yet."""

    eyes: SetupEyes
    wanted: Wanted
    container: Callable[[], Container | None]
    talos: TalosEyes
    silent: set[int] = field(default_factory=set)
    """Ports that kept silent at the last look."""

    def all(self) -> Sequence[Check]:
        """Every question, lowest layer first."""
        return (
            *self.of_talos(),
            *self.of_apiserver(),
            *self.of_pods(),
            *self.of_services(),
        )

    def of_talos(self) -> Sequence[Check]:
        """Its own API."""
        return (Check("Talos' API", self._talos),)

    def of_apiserver(self) -> Sequence[Check]:
        """What it aggregates, and what it may give."""
        metrics = (Check("metrics-server", self._metrics),) if self.wanted.metrics_server else ()
        return (*metrics, Check("the range of NodePorts", self._node_ports))

    def of_pods(self) -> Sequence[Check]:
        """Namespaces, volumes, and what workloads say of addresses."""
        checks = [Check(f"workloads of {one}", self._addressing(one)) for one in self._namespaces()]
        checks += [
            Check(f"pod security of {one}", self._pod_security(one))
            for one in self.wanted.privileged
        ]
        if self.wanted.storage_class is not None:
            checks.append(Check("StorageClasses", self._storage_classes(self.wanted.storage_class)))
            checks.append(Check("local-path-provisioner", self._provisioner))
        return checks

    def of_services(self) -> Sequence[Check]:
        """What each Redis keeps."""
        return [
            Check(f"settings of Redis on {one.host_port}", self._redis(one.host_port))
            for one in self.wanted.services
            if one.protocol == "redis" and one.where == POD
        ]

    def _namespaces(self) -> Sequence[str]:
        return tuple(dict.fromkeys(self.wanted.namespaces))

    def _known(self, place: str) -> Container:
        container = self.container()
        if container is None:
            raise CannotLook(place, "what Docker publishes is not known yet")
        return container

    async def _talos(self) -> tuple[Finding, ...]:
        """A port that nobody publishes is not asked, nor a Talos that has just begun."""
        container = self._known("Talos' API")
        port = container.host_port(self.wanted.talos_port)
        if port is None or (container.started_ago or 0.0) < _WARM:
            return ()
        return await self._talos_at(port)

    async def _talos_at(self, port: int) -> tuple[Finding, ...]:
        """What refuses is asked twice; silence may be a slow Mac's, and counts at the second look.

        Raises TargetSilent at the first.
        """
        was_silent = port in self.silent
        self.silent.discard(port)
        try:
            await self.eyes.talos(port)
        except TargetSilent as silence:
            self.silent.add(port)
            if not was_silent:
                raise
            return verdicts.of_talos(port, silence.detail)
        except TargetIll:
            return await self._refused_again(port)
        return ()

    async def _refused_again(self, port: int) -> tuple[Finding, ...]:
        try:
            await self.eyes.talos(port)
        except TargetSilent:
            raise
        except TargetIll as ill:
            return verdicts.of_talos(port, ill.detail)
        return ()

    async def _metrics(self) -> tuple[Finding, ...]:
        return verdicts.of_metrics(await self.eyes.metrics())

    async def _node_ports(self) -> tuple[Finding, ...]:
        """Of what is published: a port that no container has needs no NodePort."""
        published = {one.container_port for one in self._known("published ports").ports}
        wanted = (
            one.inner_port
            for one in self.wanted.services
            if one.where == POD and not one.host_network and one.inner_port in published
        )
        said, ports = await self.eyes.node_ports(), tuple(wanted)
        found = verdicts.of_node_ports(said, ports)
        if not found:
            return ()
        config = await ask(self.talos.machine_config)
        if isinstance(config, PortError):
            return found
        return verdicts.of_node_ports(said, ports, config)

    async def _provisioner(self) -> tuple[Finding, ...]:
        return verdicts.of_provisioner(await self.eyes.provisioner())

    def _addressing(self, namespace: str) -> Asked:
        async def ask() -> tuple[Finding, ...]:
            found = await self.eyes.addressing(namespace)
            return verdicts.of_addressing(found, self.wanted.worker, await self._services(found))

        return ask

    async def _services(self, found: Sequence[Addressing]) -> frozenset[tuple[str, str]]:
        """Those among the addresses that are a Service's; who is the worker is not asked for."""
        named = dict.fromkeys(  # in their order: a seed's questions must not hang on hashes
            service_named(one.host, one.place.namespace)
            for each in found
            for one in each.addresses
            if one.words not in self.wanted.worker
        )
        return frozenset([one for one in named if one and await self.eyes.has_service(*one)])

    def _pod_security(self, namespace: str) -> Asked:
        async def ask() -> tuple[Finding, ...]:
            return verdicts.of_pod_security(namespace, await self.eyes.pod_security(namespace))

        return ask

    def _storage_classes(self, wanted: str) -> Asked:
        async def ask() -> tuple[Finding, ...]:
            return verdicts.of_storage_classes(await self.eyes.storage_classes(), wanted)

        return ask

    def _redis(self, port: int) -> Asked:
        async def ask() -> tuple[Finding, ...]:
            if all(one.host_port != port for one in self._known("published ports").ports):
                return ()
            return verdicts.of_redis(
                port,
                await self.eyes.redis(port),
                self.wanted.redis_policy,
                appendonly=self.wanted.redis_appendonly,
            )

        return ask
