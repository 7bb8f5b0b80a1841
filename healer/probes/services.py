"""Published ports, end to end: each speaks its own protocol, from the Mac.

What comes back through one proves that VM, Docker and Talos live, whatever else says
otherwise (R38); a bare accept proves nothing, since usernet and docker-proxy accept for the
dead (facts/colima.md §2).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio

from healer.core.observation import Finding, Observation, Sign
from healer.core.tower import Layer
from healer.model.cluster import Deployment, Listing, ServicePort
from healer.model.path import NOT_ASKED, Answer, Heard, Path, Seen, walk
from healer.model.published import DEFAULT_PUBLISHED, HOST_ONLY, POD, PublishedService
from healer.model.reachability import Behind, Silence, behind, mismatch, trouble
from healer.ports import (
    ClusterEyes,
    Denied,
    EngineEyes,
    PortError,
    PortEyes,
    TargetIll,
    VmEyes,
    WrongAnswer,
)
from healer.probes.api import unseen
from healer.probes.asking import ask, ask_both, by_port
from healer.probes.resync import ALWAYS, Resync
from healer.probes.tracing import heard

Beside = Callable[[Observation], Awaitable[Observation]]
"""Adds to what was seen of the ports what is known beside them; changes nothing else."""


@dataclass(frozen=True, slots=True)
class ServiceEyes:
    """Everything that this probe looks through."""

    ports: PortEyes
    cluster: ClusterEyes
    engine: EngineEyes
    vm: VmEyes
    open_in_vm: Callable[[], Awaitable[frozenset[int]]]
    """Which of the Mac's published ports are open in the VM."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one port said, and whose listener it was."""

    service: PublishedService
    answer: str | PortError
    ours: bool | None

    @property
    def spoke(self) -> bool:
        """Whether something behind it spoke: rightly, wrongly, or to refuse us."""
        return isinstance(self.answer, str | WrongAnswer | Denied)

    @property
    def unseen(self) -> str:
        """Why it could not be looked at; '' when it was."""
        seen = isinstance(self.answer, str | TargetIll | Denied)
        return "" if seen else str(self.answer)


class ServicesProbe:
    """Looks at each published port, and asks the cluster what should be behind it.

    `cause_of` knows of a workload, as `namespace/name`, what its own log names as its illness.

    It keeps what it last knew of the container's ports and of what is scaled to zero, so
    that a port nobody published or wanted never counts as a sign of death. `beside` adds what
    is known of what stands in front of the ports (probes/front) and of their set-up (probes/setup).
    """

    layer = Layer.SERVICES

    def __init__(
        self,
        eyes: ServiceEyes,
        published: Sequence[PublishedService] = DEFAULT_PUBLISHED,
        resync: Resync = ALWAYS,
        beside: Sequence[Beside] = (),
        cause_of: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._eyes = eyes
        self._cause_of = cause_of
        self._resync = resync
        self._beside = beside
        self._mismatches: tuple[Finding, ...] = ()
        self._configured = tuple(
            one for one in published if one.where == POD and one.host_port not in HOST_ONLY
        )
        self._inner: Mapping[int, int] | None = None
        self._unwanted: frozenset[int] = frozenset()

    async def look(self) -> Observation:
        """Look once. Ports that Docker does not publish are not asked."""
        seen = await self._look()
        for add in self._beside:
            seen = await add(seen)
        return seen

    async def _look(self) -> Observation:
        bindings = await self._learn_bindings()
        heard = await self._speak_to_all()
        ill = [one for one in heard if isinstance(one.answer, TargetIll)]
        if not ill and not isinstance(bindings, PortError) and not self._resync.due():
            # Four whole lists say nothing of ports that all answer but whether numbers match.
            unseen_here = "; ".join(one.unseen for one in heard if one.unseen)
            return Observation(
                self.layer,
                self._mismatches,
                unknown=unseen_here,
                signs=self._signs(heard),
                summary=_summary(heard),
            )
        services, deployments = await ask_both(self._eyes.cluster.services, self._deployments(ill))
        if not isinstance(services, PortError) and not isinstance(deployments, PortError):
            self._remember_unwanted(ill, services.items, deployments)
        unseen_ports = "; ".join(one.unseen for one in heard if one.unseen)
        seen = Observation(
            self.layer, unknown=unseen_ports, signs=self._signs(heard), summary=_summary(heard)
        )
        if isinstance(services, PortError):
            return _unless_well(seen, ill, unseen(self.layer, services).unknown)
        if isinstance(deployments, PortError):
            return _unless_well(seen, ill, unseen(self.layer, deployments).unknown)
        if isinstance(bindings, PortError) and self._inner is None:
            return _unless_well(seen, ill, f"which ports are published is not known: {bindings}")
        findings = await self._findings(ill, services.items, deployments)
        self._resync.done()
        self._mismatches = tuple(one for one in findings if not one.reason.gating)
        return replace(seen, findings=findings)

    async def _learn_bindings(self) -> PortError | None:
        container = await ask(self._eyes.engine.container)
        if isinstance(container, PortError):
            return container
        self._inner = {one.host_port: one.container_port for one in container.ports}
        return None

    def _inner_port(self, service: PublishedService) -> int:
        known = self._inner or {}
        return known.get(service.host_port, service.inner_port)

    async def _speak_to_all(self) -> list[_Heard]:
        """All at once, so that deadlines do not add up."""
        asked = [
            one for one in self._configured if self._inner is None or one.host_port in self._inner
        ]
        heard: dict[int, _Heard] = {}

        async def speak(service: PublishedService) -> None:
            heard[service.host_port] = await self._speak(service)

        async with anyio.create_task_group() as tasks:
            for one in asked:
                tasks.start_soon(speak, one, name=f"port {one.host_port}")
        return [heard[one.host_port] for one in asked]

    async def _speak(self, service: PublishedService) -> _Heard:
        port = service.host_port
        words = (port, service.protocol, service.path, service.expect)
        answer = await ask(partial(self._eyes.ports.speak, *words))
        ours = await ask(partial(self._eyes.ports.listener_is_ours, port))
        return _Heard(service, answer, None if isinstance(ours, PortError) else ours)

    def _deployments(
        self, ill: Sequence[_Heard]
    ) -> Callable[[], Awaitable[tuple[Deployment, ...]]]:
        """Asked only for what no Service stands before: LiveKit on the node's own network."""

        async def deployments() -> tuple[Deployment, ...]:
            if not any(one.service.host_network for one in ill):
                return ()
            heard: Listing[Deployment] = await self._eyes.cluster.livekit()
            return heard.items

        return deployments

    def _remember_unwanted(
        self,
        ill: Sequence[_Heard],
        services: Sequence[ServicePort],
        deployments: Sequence[Deployment],
    ) -> None:
        """What answers is wanted; of what does not, the cluster knows."""
        ports: set[int] = set()
        for one in ill:
            found = behind(one.service, self._inner_port(one.service), services, deployments)
            if found is None or not found.wanted:
                ports.add(one.service.host_port)
        self._unwanted = frozenset(ports)

    def _signs(self, heard: Sequence[_Heard]) -> tuple[Sign, ...]:
        """An answer is life, unless its listener is known for a stranger's."""
        way = by_port(self._eyes.vm)
        signs: list[Sign] = []
        for one in heard:
            what = _what(one.service)
            if not one.service.proves_life:
                continue
            if one.spoke and one.ours is not False:
                signs.append(Sign(what, way, alive=True))
            elif not one.spoke and self._should_answer(one):
                signs.append(Sign(what, way, alive=False))
        return tuple(signs)

    def _should_answer(self, one: _Heard) -> bool:
        """Only of a port known to be published, and not known to be unwanted."""
        published = self._inner is not None and one.service.host_port in self._inner
        wanted = one.service.host_port not in self._unwanted
        return isinstance(one.answer, TargetIll) and published and wanted

    def _way(
        self,
        one: _Heard,
        found: Behind,
        opened: frozenset[int] | None,
        services: Sequence[ServicePort],
    ) -> Path:
        """The way to a silent port, as far as one look can tell."""
        port = one.service.host_port
        return walk(
            Seen(
                one.service,
                self._inner_port(one.service),
                heard(one.answer),
                by_lima=one.ours,
                in_vm=_open(port, opened),
                container="running",
                published=None if self._inner is None else port in self._inner,
                ports=tuple(services),
                ready=found.ready,
                desired=found.desired,
            )
        )

    async def _findings(
        self,
        ill: Sequence[_Heard],
        services: Sequence[ServicePort],
        deployments: Sequence[Deployment],
    ) -> tuple[Finding, ...]:
        expected = [
            (one, found)
            for one in ill
            if (found := behind(one.service, self._inner_port(one.service), services, deployments))
        ]
        inside = await ask(self._eyes.open_in_vm) if expected else frozenset[int]()
        opened = None if isinstance(inside, PortError) else inside
        troubles = [
            _traced(trouble(_silence(one, found, opened)), self._way(one, found, opened, services))
            for one, found in expected
        ]
        mismatches = [
            mismatch(one, self._inner_port(one), services)
            for one in self._configured
            if self._inner is None or one.host_port in self._inner
        ]
        return tuple(self._caused(one) for one in (*troubles, *mismatches) if one is not None)

    def _caused(self, found: Finding) -> Finding:
        """With the illness behind it, when its pod has named one: it is told once, and whole."""
        namespace, _, name = found.owner.partition("/Service/")
        cause = self._cause_of(f"{namespace}/{name}")
        return replace(found, evidence=f"{found.evidence}; {cause}") if cause else found


def _traced(found: Finding | None, way: Path) -> Finding | None:
    """With the hop named by what this look has seen; `healer trace` asks further."""
    if found is None or way.broken is None:
        return found
    return replace(found, evidence=f"{found.evidence}; {way.line}")


def _open(port: int, opened: frozenset[int] | None) -> Answer:
    if opened is None:
        return NOT_ASKED
    return Answer(Heard.OPEN, "open") if port in opened else Answer(Heard.REFUSED, "closed")


def _silence(one: _Heard, found: Behind, opened: frozenset[int] | None) -> Silence:
    port = one.service.host_port
    return Silence(
        service=one.service,
        seen=str(one.answer),
        answered=one.spoke,
        listener_is_ours=one.ours,
        open_in_vm=None if opened is None else port in opened,
        behind=found,
    )


def _unless_well(seen: Observation, ill: Sequence[_Heard], unknown: str) -> Observation:
    """Ports that all answer need nobody's word; a silent one cannot be judged without it."""
    if not ill:
        return seen
    return replace(seen, unknown=unknown)


def _what(service: PublishedService) -> str:
    verb = "PING" if service.protocol == "redis" else f"GET {service.path}"
    return f"port {service.host_port} {verb}"


def _summary(heard: Sequence[_Heard]) -> str:
    """Who owns a listener is worth a word: a port-forward by hand masks a dead port (R36)."""
    answers = sum(isinstance(one.answer, str) for one in heard)
    said = f"{answers} of {len(heard)} ports answer"
    foreign = [
        str(one.service.host_port)
        for one in heard
        if isinstance(one.answer, str) and one.ours is False
    ]
    return f"{said}; not through Lima: {', '.join(foreign)}" if foreign else said
