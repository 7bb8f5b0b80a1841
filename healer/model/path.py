"""The way to a service, hop by hop: `Mac → Lima's forward → Docker → NodePort → pod`.

From what each place said when it was spoken to, and from what Docker and Kubernetes say of
themselves, the first broken hop is named, and what is proved alive beyond it. Most of what
users feel breaks on this path, and an accept proves nothing anywhere on it: usernet and
docker-proxy accept for the dead (facts/colima.md §2, R27).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from healer.core.word import Word
from healer.model.cluster import ServicePort
from healer.model.published import CONTAINER, HOST, PublishedService
from healer.outside import cleaned, line


class Hop(Word):
    """One stretch of the way, in the order in which bytes travel."""

    FUNNEL = "funnel"
    """From the internet to the Mac's port, by Tailscale."""
    CADDY = "caddy"
    """From a name of the tailnet to the Mac's port, by Caddy."""
    PROGRAM = "program"
    """A program of the Mac itself, which no tower carries."""
    FORWARD = "forward"
    """From the Mac's port into the VM, by Lima."""
    PORT_MAP = "port map"
    """From the VM's port into the container, by Docker."""
    NODE_PORT = "node port"
    """From the container's port to a Service, by Kubernetes."""
    ENDPOINTS = "endpoints"
    """From the Service to pods that are ready."""
    POD = "pod"
    """What the program in the pod says."""
    SERVER = "server"
    """What a program of the container itself says: the APIs of Kubernetes and of Talos."""


class Verdict(Word):
    """What is known of one hop."""

    OK = "ok"
    BROKEN = "broken"
    UNSEEN = "unseen"
    """It could not be looked at."""
    BLOCKED = "blocked"
    """It cannot be judged while another hop is broken."""
    UNWANTED = "unwanted"
    """Nothing should answer: scaled to zero is healthy (R49)."""


class Heard(Word):
    """What came of speaking to a place."""

    SPOKE = "spoke"
    """The right answer; for plain tcp: it accepts, which is all that can be known."""
    WRONG = "wrong"
    """The right protocol, and not the right answer."""
    OPEN = "open"
    """It accepts; it was not spoken to."""
    REFUSED = "refused"
    CUT = "cut"
    """It accepted, and closed without an answer of that protocol."""
    SILENT = "silent"
    """It accepted, and said nothing in time."""
    UNSEEN = "unseen"
    """It could not be asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a place said."""

    heard: Heard
    words: str = ""
    took: float | None = None
    """Seconds."""

    @property
    def spoke(self) -> bool:
        """Whether the program at the end was heard, rightly or wrongly."""
        return self.heard in {Heard.SPOKE, Heard.WRONG}

    @property
    def accepted(self) -> bool:
        """Whether somebody listens there, dead or alive."""
        return self.spoke or self.heard in {Heard.OPEN, Heard.CUT, Heard.SILENT}


_OWNER: Final = "lsof -nP -iTCP:{} -sTCP:LISTEN"
NOT_ASKED: Final = Answer(Heard.UNSEEN, "not asked")


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was seen of the way to one service; None = could not be looked at."""

    service: PublishedService
    inner_port: int
    """The container's port: Docker's word, else the settings'."""
    on_mac: Answer
    by_lima: bool | None = None
    """Whether hostagent, mux or usernet listens on the Mac's port."""
    in_vm: Answer = NOT_ASKED
    container: str | None = None
    """Docker's word for the container's state."""
    published: bool | None = None
    """Whether Docker publishes the Mac's port."""
    ports: tuple[ServicePort, ...] | None = None
    """Ports of all Services of the cluster, with a NodePort or without."""
    ready: int | None = None
    """Pods that are ready of a workload on the node's own network, where no Service counts."""
    desired: int | None = None
    """And how many are wanted of it."""
    by_api: Answer = NOT_ASKED
    """What the pod says when the API server asks it."""
    looked: tuple[tuple[Hop, float], ...] = ()
    """Seconds that looking at a hop took, where it was no speaking."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hop, judged."""

    hop: Hop
    verdict: Verdict
    words: str
    took: float | None = None
    """Seconds; None where nothing was asked."""
    command: str = ""
    """For a broken hop: what mends it."""


@dataclass(frozen=True, slots=True)
class Path:
    """The whole way."""

    service: PublishedService
    steps: tuple[Step, ...]

    @property
    def broken(self) -> Step | None:
        """The first broken hop; none of a way that nobody wants."""
        if any(one.verdict is Verdict.UNWANTED for one in self.steps):
            return None
        return next((one for one in self.steps if one.verdict is Verdict.BROKEN), None)

    @property
    def alive_beyond(self) -> tuple[Hop, ...]:
        """What is proved to be in order behind the first broken hop."""
        if self.broken is None:
            return ()
        behind = self.steps[self.steps.index(self.broken) + 1 :]
        # Caddy stands beside the funnel, and never behind anything.
        well = (one.hop for one in behind if one.verdict is Verdict.OK)
        return tuple(one for one in well if one is not Hop.CADDY)

    @property
    def verdict(self) -> Verdict:
        """Of the whole: broken before unwanted, and unseen only when the end was not heard."""
        if any(one.verdict is Verdict.UNWANTED for one in self.steps):
            return Verdict.UNWANTED
        if self.broken is not None:
            return Verdict.BROKEN
        return Verdict.OK if self.steps[-1].verdict is Verdict.OK else Verdict.UNSEEN

    @property
    def line(self) -> str:
        """In one line, for evidence and logs."""
        broken = self.broken
        if broken is None:
            return f"no hop is seen broken ({self.verdict})"
        beyond = ", ".join(self.alive_beyond)
        said = f"broken at the {broken.hop}: {broken.words}"
        return f"{said}; alive beyond it: {beyond}" if beyond else said


def walk(seen: Seen) -> Path:
    """Judge every hop of the way."""
    took = dict(seen.looked)
    steps = (judge(seen) for judge in _way(seen.service))
    return Path(
        seen.service,
        tuple(
            replace(
                one,
                words=cleaned(one.words),
                command=line(one.command),
                took=took.get(one.hop) if one.took is None else one.took,
            )
            for one in steps
        ),
    )


def _program(seen: Seen) -> Step:
    """A port of the Mac's own programs; a Lima that took it makes both lie (design §10)."""
    heard, port = seen.on_mac, seen.service.host_port
    if seen.by_lima:
        words = f"Lima listens on {port}, which belongs to the Mac"
        return Step(Hop.PROGRAM, Verdict.BROKEN, words, heard.took, "healer ports")
    if heard.heard is Heard.UNSEEN:
        return Step(Hop.PROGRAM, Verdict.UNSEEN, heard.words)
    verdict = Verdict.OK if heard.heard is Heard.SPOKE else Verdict.BROKEN
    command = "" if verdict is Verdict.OK else _OWNER.format(port)
    return Step(Hop.PROGRAM, verdict, heard.words, heard.took, command)


def _forward(seen: Seen) -> Step:
    mac, vm = seen.on_mac, seen.in_vm
    if mac.heard is Heard.UNSEEN:
        return Step(Hop.FORWARD, Verdict.UNSEEN, mac.words)
    if mac.spoke:
        return Step(Hop.FORWARD, Verdict.OK, _carrier(seen), mac.took)
    dead = _why_dead(seen)
    if dead:
        mend = _OWNER.format(seen.service.host_port) if _is_held(seen) else "healer --once"
        return Step(Hop.FORWARD, Verdict.BROKEN, dead, mac.took, mend)
    verdict, words = {
        Heard.REFUSED: (Verdict.BLOCKED, "nobody listens in the VM: there is nothing to forward"),
        Heard.OPEN: (Verdict.UNSEEN, f"{mac.words}; in the VM it accepts, and was not spoken to"),
        Heard.UNSEEN: (Verdict.UNSEEN, f"{mac.words}; the VM could not be asked: {vm.words}"),
    }.get(vm.heard, (Verdict.OK, f"carries to the VM, where it is the same: {vm.words}"))
    return Step(Hop.FORWARD, verdict, words, mac.took)


def _why_dead(seen: Seen) -> str:
    """Why the forward itself does not carry; '' when nothing proves that."""
    mac, vm = seen.on_mac, seen.in_vm
    if _is_held(seen):
        return f"{mac.words}; held by another program, not by Lima"
    if vm.spoke:
        return f"{mac.words}; in the VM it answers {vm.words}".rstrip()
    if mac.heard is Heard.REFUSED and vm.accepted:
        return "nobody listens on the Mac; in the VM the port is open"
    return ""


def _is_held(seen: Seen) -> bool:
    """Whether another program than Lima listens on the Mac's port."""
    return seen.by_lima is False and seen.on_mac.accepted


def _port_map(seen: Seen) -> Step:
    port, inner = seen.service.host_port, seen.inner_port
    if seen.container is None or seen.published is None:
        if seen.on_mac.spoke or seen.in_vm.spoke:
            return Step(Hop.PORT_MAP, Verdict.OK, "carries an answer; Docker could not be asked")
        return Step(Hop.PORT_MAP, Verdict.UNSEEN, "Docker could not be asked")
    if seen.container != "running":
        words = f"the container is {seen.container}"
        return Step(Hop.PORT_MAP, Verdict.BROKEN, words, command="healer --once")
    if not seen.published:
        words = f"Docker publishes no {port} of the container's {inner}"
        add = f"healer ports add {port}" + ("" if port == inner else f":{inner}")
        return Step(Hop.PORT_MAP, Verdict.BROKEN, words, command=add)
    if seen.in_vm.heard is Heard.REFUSED and not seen.on_mac.spoke:
        words = f"Docker maps {port} to {inner}, and nobody listens there in the VM"
        return Step(Hop.PORT_MAP, Verdict.BROKEN, words, command="healer explain docker")
    return Step(Hop.PORT_MAP, Verdict.OK, f"{port} to the container's {inner}")


def _node_port(seen: Seen) -> Step:
    if seen.ports is None:
        if seen.on_mac.spoke or seen.in_vm.spoke:
            return Step(Hop.NODE_PORT, Verdict.OK, "carries an answer; the API was not asked")
        return Step(Hop.NODE_PORT, Verdict.UNSEEN, "the Kubernetes API could not be asked")
    found = _of_node_port(seen)
    if found is None:
        return _no_node_port(seen)
    name = f"{found.namespace}/{found.name}"
    if seen.by_api.heard is Heard.SPOKE and seen.in_vm.heard in {Heard.CUT, Heard.SILENT}:
        words = f"the pod answers the API server, and nothing comes through {name}'s NodePort"
        return Step(Hop.NODE_PORT, Verdict.BROKEN, words, command="healer explain flannel")
    return Step(Hop.NODE_PORT, Verdict.OK, f"{found.node_port} is {name}:{found.port}")


def _no_node_port(seen: Seen) -> Step:
    service, inner = seen.service, seen.inner_port
    name = f"{service.namespace}/{service.name}"
    meant = named(service, inner, seen.ports or ())
    if meant is None:
        words = f"no Service {name}, and no NodePort {inner}"
        command = f"kubectl -n {service.namespace} get services"
        return Step(Hop.NODE_PORT, Verdict.BROKEN, words, command=command)
    has = f"NodePort {meant.node_port}" if meant.node_port else "no NodePort (ClusterIP)"
    words = f"{name} has {has} for port {meant.port}; Docker publishes {inner}"
    return Step(Hop.NODE_PORT, Verdict.BROKEN, words, command=node_port_patch(meant, inner))


def node_port_patch(one: ServicePort, inner_port: int) -> str:
    """The command that gives a Service the NodePort that Docker publishes."""
    kind = "" if one.node_port else '"type":"NodePort",'
    patch = f'{{"spec":{{{kind}"ports":[{{"port":{one.port},"nodePort":{inner_port}}}]}}}}'
    return f"kubectl -n {one.namespace} patch service {one.name} -p '{patch}'"


def named(
    service: PublishedService, inner_port: int, ports: tuple[ServicePort, ...]
) -> ServicePort | None:
    """The port of the Service of that name which is meant by the published one."""
    for one in ports:
        if (one.namespace, one.name) != (service.namespace, service.name):
            continue
        if one.port in {inner_port, service.host_port} or one.target_port == str(inner_port):
            return one
    return None


def _of_node_port(seen: Seen) -> ServicePort | None:
    return next((one for one in seen.ports or () if one.node_port == seen.inner_port), None)


def _behind(seen: Seen) -> tuple[int, int | None] | None:
    """Ready and wanted pods; None = not known."""
    if seen.service.host_network:
        return None if seen.ready is None else (seen.ready, seen.desired)
    found = _of_node_port(seen) or named(seen.service, seen.inner_port, seen.ports or ())
    return None if found is None else (found.ready_endpoints, found.desired)


def _endpoints(seen: Seen) -> Step:
    behind = _behind(seen)
    if behind is None:
        if seen.on_mac.spoke or seen.in_vm.spoke:
            return Step(Hop.ENDPOINTS, Verdict.OK, "something answers")
        return Step(Hop.ENDPOINTS, Verdict.UNSEEN, "not known")
    ready, desired = behind
    if ready:
        return Step(Hop.ENDPOINTS, Verdict.OK, f"{ready} ready of {desired or ready}")
    if desired == 0:
        return Step(Hop.ENDPOINTS, Verdict.UNWANTED, "none wanted: scaled to zero")
    namespace = seen.service.namespace
    if desired is None:
        words, command = "none, and no workload that it selects", "describe services"
    else:
        words, command = f"{desired} wanted, none ready", "get pods -o wide"
    return Step(Hop.ENDPOINTS, Verdict.BROKEN, words, command=f"kubectl -n {namespace} {command}")


def _pod(seen: Seen) -> Step:
    return _at_the_end(seen, Hop.POD, f"kubectl -n {seen.service.namespace} get pods -o wide")


def _server(seen: Seen) -> Step:
    return _at_the_end(seen, Hop.SERVER, "healer explain apiserver")


def _at_the_end(seen: Seen, hop: Hop, command: str) -> Step:
    """The program itself: by the nearest place from which it was heard."""
    for one, place in (
        (seen.on_mac, ""),
        (seen.in_vm, " (asked in the VM)"),
        (seen.by_api, " (asked by the API server)"),
    ):
        if one.heard is Heard.SPOKE:
            return Step(hop, Verdict.OK, f"{one.words}{place}".strip(), one.took)
        if one.heard is Heard.WRONG:
            words = f"answers wrongly: {one.words}{place}"
            return Step(hop, Verdict.BROKEN, words, one.took, command)
    if seen.by_api.heard is not Heard.UNSEEN:
        return Step(
            hop, Verdict.BROKEN, f"{seen.by_api.words} (asked by the API server)", None, command
        )
    carried = all(judge(seen).verdict is Verdict.OK for judge in _carriers(seen.service))
    if not carried:
        return Step(hop, Verdict.BLOCKED, "is not heard: what lies before it does not carry")
    words = seen.in_vm.words if seen.in_vm.accepted else seen.on_mac.words
    return Step(
        hop, Verdict.BROKEN, f"the way is whole, and it says nothing: {words}", None, command
    )


Judge = Callable[[Seen], Step]


def _way(service: PublishedService) -> tuple[Judge, ...]:
    if service.where == HOST:
        return (_program,)
    return (*_carriers(service), _server if service.where == CONTAINER else _pod)


def _carriers(service: PublishedService) -> tuple[Judge, ...]:
    """What lies before the program; a pod on the node's own network needs no NodePort."""
    if service.where == CONTAINER:
        return (_forward, _port_map)
    if service.host_network:
        return (_forward, _port_map, _endpoints)
    return (_forward, _port_map, _node_port, _endpoints)


def _carrier(seen: Seen) -> str:
    if seen.by_lima is None:
        return "carries an answer"
    return "carries an answer, by Lima" if seen.by_lima else "answered, not through Lima"
