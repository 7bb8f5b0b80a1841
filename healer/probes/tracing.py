"""Looks at every hop to a service at once, and lets the pure walk name the broken one.

All questions run side by side, each with a deadline of its own, so that a trace ends within
three seconds however ill the tower is.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeVar

import anyio

from healer.model.cluster import Deployment, ServicePort
from healer.model.container import Container
from healer.model.front import FrontSeen, WantedFront, Watch
from healer.model.front_hops import with_front
from healer.model.path import NOT_ASKED, Answer, Heard, Hop, Path, Seen, named, walk
from healer.model.published import CONTAINER, POD, PublishedService
from healer.ports import (
    CannotLook,
    Denied,
    PathEyes,
    PortError,
    TargetIll,
    TargetSilent,
    WrongAnswer,
)
from healer.probes.front import FrontParts, look_in_front

T = TypeVar("T")
SECONDS: Final = 2.9
"""For all of it: whoever waits at a terminal is told within three."""
_DOCKER_SECONDS: Final = 1.2
"""For what only Docker knows of a port. The VM is asked by ssh first, whether a word to Docker
would start it; one that hangs must not cost the rest."""


@dataclass(slots=True)
class _Looked:
    """What came back of what all services share; a PortError is why it did not."""

    container: Container | PortError = field(default_factory=lambda: _late("docker"))
    ports: Sequence[ServicePort] | PortError = field(default_factory=lambda: _late("services"))
    livekit: Sequence[Deployment] | PortError = field(default_factory=lambda: _late("LiveKit"))
    in_vm: Mapping[int, str | PortError] | PortError = field(default_factory=lambda: _late("ssh"))
    on_mac: dict[int, Answer] = field(default_factory=dict)
    by_lima: dict[int, bool] = field(default_factory=dict)
    by_api: dict[str, Answer] = field(default_factory=dict)
    took: dict[Hop, float] = field(default_factory=dict)
    docker_asked: anyio.Event = field(default_factory=anyio.Event)


def _late(what: str) -> CannotLook:
    return CannotLook(what, f"no answer within {SECONDS:g} s")


@dataclass(frozen=True, slots=True)
class Above:
    """What leads to the Mac's ports, and how it is looked at."""

    parts: FrontParts
    wanted: WantedFront

    def only(self, services: Iterable[PublishedService]) -> "Above":
        """The same for these services: nobody waits for what leads elsewhere."""
        ports = {one.host_port for one in services}
        caddy, funnel = self.wanted.caddy, self.wanted.funnel
        urls = tuple(one for one in caddy.urls if one.port in ports)
        if not urls:
            caddy = replace(caddy, watch=Watch.NEVER)
        if funnel.leads_to not in ports:
            funnel = replace(funnel, watch=Watch.NEVER)
        return replace(self, wanted=WantedFront(replace(caddy, urls=urls), funnel))


async def trace(
    eyes: PathEyes, services: Sequence[PublishedService], above: Above | None = None
) -> tuple[Path, ...]:
    """The way to each of them, judged hop by hop."""
    if above is None:
        return await _trace(eyes, services)
    above = above.only(services)
    seen = FrontSeen()
    paths: tuple[Path, ...] = ()

    async def below() -> None:
        nonlocal paths
        paths = await _trace(eyes, services)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(below, name="the ways")
        seen = await look_in_front(above.parts, above.wanted)
    return tuple(with_front(one, seen, above.wanted) for one in paths)


async def _trace(eyes: PathEyes, services: Sequence[PublishedService]) -> tuple[Path, ...]:
    looked, known = _Looked(), tuple(services)
    with anyio.move_on_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            if all(one.host_port for one in services):
                tasks.start_soon(_ask_docker, eyes, looked, SECONDS)
            else:
                known = await _with_ports(eyes, services, looked)
            for one in known:
                tasks.start_soon(_ask_mac, eyes, one, looked)
            tasks.start_soon(_ask_vm, eyes, known, looked)
            tasks.start_soon(_ask_cluster, eyes, known, looked)
        return tuple(walk(_seen(one, looked)) for one in known)
    return tuple(walk(_seen(_placed(one, looked), looked)) for one in services)


async def _with_ports(
    eyes: PathEyes, services: Sequence[PublishedService], looked: _Looked
) -> tuple[PublishedService, ...]:
    """The same, with the Mac's port of the container's own APIs, which is Docker's to say."""
    await _ask_docker(eyes, looked, min(_DOCKER_SECONDS, SECONDS))
    return tuple(_placed(one, looked) for one in services)


async def _ask_docker(eyes: PathEyes, looked: _Looked, seconds: float) -> None:
    with anyio.move_on_after(seconds):
        looked.container = await _timed(Hop.PORT_MAP, eyes.container, looked)
    looked.docker_asked.set()


def _placed(service: PublishedService, looked: _Looked) -> PublishedService:
    if service.host_port or isinstance(looked.container, PortError):
        return service
    return service.through(looked.container.host_port(service.container_port) or 0)


async def _timed(hop: Hop, call: Callable[[], Awaitable[T]], looked: _Looked) -> T | PortError:
    began = anyio.current_time()
    try:
        return await call()
    except PortError as error:
        return error
    finally:
        looked.took[hop] = anyio.current_time() - began


async def _ask_mac(eyes: PathEyes, service: PublishedService, looked: _Looked) -> None:
    port = service.host_port
    if port:
        looked.on_mac[port] = await _answer(partial(eyes.on_mac, service))
        found = await _timed(Hop.PROGRAM, partial(eyes.listener_is_ours, port), looked)
        if not isinstance(found, PortError):
            looked.by_lima[port] = found


async def _ask_vm(eyes: PathEyes, services: Iterable[PublishedService], looked: _Looked) -> None:
    carried = [one for one in services if one.where in {POD, CONTAINER} and one.host_port]
    if carried:
        looked.in_vm = await _timed(Hop.FORWARD, partial(eyes.in_vm, carried), looked)


async def _ask_cluster(
    eyes: PathEyes, services: Sequence[PublishedService], looked: _Looked
) -> None:
    pods = [one for one in services if one.where == POD]
    if any(one.host_network for one in pods):
        deployments = await _timed(Hop.ENDPOINTS, eyes.livekit, looked)
        looked.livekit = deployments if isinstance(deployments, PortError) else deployments.items
    if not pods:
        return
    ports = await _timed(Hop.NODE_PORT, eyes.services, looked)
    looked.ports = ports if isinstance(ports, PortError) else ports.items
    if isinstance(ports, PortError):
        return
    with anyio.move_on_after(_DOCKER_SECONDS):
        await looked.docker_asked.wait()
    async with anyio.create_task_group() as tasks:
        for one in pods:
            meant = named(one, _inner_port(one, looked), ports.items)
            if one.protocol == "http" and meant is not None and not one.host_network:
                tasks.start_soon(_ask_pod, eyes, one, meant.port, looked)


async def _ask_pod(eyes: PathEyes, service: PublishedService, port: int, looked: _Looked) -> None:
    looked.by_api[_key(service)] = await _answer(partial(eyes.by_api, service, port))


async def _answer(call: Callable[[], Awaitable[str]]) -> Answer:
    began = anyio.current_time()
    try:
        said: str | PortError = await call()
    except PortError as error:
        said = error
    return replace(heard(said), took=anyio.current_time() - began)


def heard(said: str | PortError) -> Answer:
    """What an answer, or the lack of one, tells."""
    match said:
        case str():
            return Answer(Heard.SPOKE, said)
        case WrongAnswer() | Denied():
            return Answer(Heard.WRONG, said.detail)
        case TargetSilent():
            return Answer(Heard.SILENT, said.detail)
        case TargetIll():
            is_refused = "refused" in said.detail.lower()
            return Answer(Heard.REFUSED if is_refused else Heard.CUT, said.detail)
        case _:
            return Answer(Heard.UNSEEN, str(said))


def _key(service: PublishedService) -> str:
    return f"{service.namespace}/{service.name}:{service.container_port or service.host_port}"


def _inner_port(service: PublishedService, looked: _Looked) -> int:
    """Docker's word for the container's port, else the settings'."""
    if isinstance(looked.container, PortError):
        return service.inner_port
    mapped = (one for one in looked.container.ports if one.host_port == service.host_port)
    return next((one.container_port for one in mapped), service.inner_port)


def _seen(service: PublishedService, looked: _Looked) -> Seen:
    container, port = looked.container, service.host_port
    unseen = isinstance(container, PortError)
    livekit = None if isinstance(looked.livekit, PortError) else looked.livekit
    deployment = next((one for one in livekit or () if one.name == service.name), None)
    return Seen(
        service,
        _inner_port(service, looked),
        looked.on_mac.get(port, NOT_ASKED),
        by_lima=looked.by_lima.get(port),
        in_vm=_in_vm(port, looked),
        container=None if isinstance(container, PortError) else container.status,
        published=None if isinstance(container, PortError) else _published(container, port),
        ports=None if isinstance(looked.ports, PortError) else tuple(looked.ports),
        ready=None if deployment is None or unseen else deployment.ready,
        desired=None if deployment is None else deployment.desired,
        by_api=looked.by_api.get(_key(service), NOT_ASKED),
        looked=tuple(looked.took.items()),
    )


def _published(container: Container, port: int) -> bool:
    return bool(port) and any(one.host_port == port for one in container.ports)


def _in_vm(port: int, looked: _Looked) -> Answer:
    if isinstance(looked.in_vm, PortError):
        return (
            heard(looked.in_vm)
            if isinstance(looked.in_vm, CannotLook)
            else Answer(Heard.UNSEEN, str(looked.in_vm))
        )
    said = looked.in_vm.get(port)
    return NOT_ASKED if said is None else heard(said)
