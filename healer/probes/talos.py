"""The Talos container: does it run, is it set as wanted, and does what is in it live."""

from dataclasses import dataclass
from typing import Final

from healer.core.observation import Component, Finding, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.cluster import Condition, Listing, Node, Readiness
from healer.model.container import Container
from healer.model.verdicts import WantedContainer, shutting_down, start_refusal
from healer.ports import ClusterEyes, EngineEyes, GuestEyes, NotThere, PortError, VmEyes
from healer.probes.ages import CONTAINER, Ages
from healer.probes.asking import CONTROL_BY_SSH, ask, ask_both, by_api, silent, witness
from healer.probes.setup import NOTHING, SetupLook

WARM_UP: Final = 300.0
"""Seconds that Talos and etcd may take before a silent API counts (design §3, `wedged`)."""

ADVANCED: Final = 5.0
"""Seconds between two heartbeats that prove a kubelet at work."""

LONGEST_STOP: Final = 150.0
"""Seconds: more than a `docker stop -t 120` of somebody's can take, so a kubelet that has
been saying so for longer is stuck and not on its way out."""

BOOTING: Final = 120.0
"""Seconds of the VM's uptime in which a container that is not there may still come: a boot is over
within 30 s as a rule."""

MOUNTED: Final = 600.0
"""Seconds after which a data disk that is not mounted is not awaited any more: Lima gives a boot as
many, and an emulated one took 360."""

READYZ: Final = "API /readyz"
NODE: Final = "API node"
CONDITION: Final = "the node's Ready condition"
IN_VM: Final = "the container runs on in the VM"


@dataclass(frozen=True, slots=True)
class _Sighting:
    """The first heartbeat at which this run was seen to be shutting down."""

    run: str
    heartbeat: float


class TalosProbe:
    """Looks at the one container and, while it runs, at what its API says of it."""

    layer = Layer.TALOS

    def __init__(  # noqa: PLR0913, PLR0917  (all that it looks at)
        self,
        engine: EngineEyes,
        cluster: ClusterEyes,
        guest: GuestEyes,
        vm: VmEyes,
        ages: Ages,
        wanted: WantedContainer | None = None,
        setup: SetupLook = NOTHING,
    ) -> None:
        self._engine = engine
        self._cluster = cluster
        self._guest = guest
        self._vm = vm
        self._ages = ages
        self._wanted = wanted or WantedContainer()
        self._setup = setup
        self._sighting: _Sighting | None = None

    async def look(self) -> Observation:
        """Look once."""
        return await self._setup.added_to(await self._look())

    async def _look(self) -> Observation:
        found = await ask(self._engine.container)
        if isinstance(found, NotThere):
            return await self._missing(found)
        if isinstance(found, PortError):
            return Observation(self.layer, unknown=str(found))
        if not found.running:
            return await self._down(found)
        return await self._up(found)

    async def _missing(self, found: NotThere) -> Observation:
        """Each boot starts dockerd on an empty folder, before the data disk is mounted over it."""
        facts = await ask(self._guest.facts)
        if isinstance(facts, PortError):
            why = f"{found}; whether Docker has its data disk is not known: {facts}"
            return Observation(self.layer, unknown=why)
        up = f"the VM is up for {facts.uptime:.0f} s"
        if facts.awaits_data_disk and facts.uptime <= MOUNTED:
            why = f"{found}; {up}, and its data disk is not mounted at {facts.docker_root} yet"
            return Observation(self.layer, unknown=why)
        if facts.uptime <= BOOTING:
            return Observation(self.layer, unknown=f"{found}; {up}, and may still be starting")
        bare = f"; {facts.docker_root} is not on the data disk" if facts.awaits_data_disk else ""
        return Observation(self.layer, (Finding(Reason.TALOS_MISSING, f"{found}{bare}"),))

    async def _down(self, container: Container) -> Observation:
        self._sighting = None
        settings = self._settings(container)
        advice = start_refusal(container)
        if advice:
            said = f": {container.error}" if container.error else ""
            evidence = f"{_how_it_ended(container)}{said}"
            refused = Finding(Reason.TALOS_START_REFUSED, evidence, advice=advice)
            return Observation(self.layer, (refused, *settings))
        return Observation(self.layer, (await self._stopped(container), *settings))

    async def _stopped(self, container: Container) -> Finding:
        ago = await ask(lambda: self._engine.stopped_by_human_ago(container))
        evidence = _how_it_ended(container)
        lasts = self._lasts(container, container.finished_ago if ago is None else ago)
        if isinstance(ago, PortError):
            # Not to know whether a human did it is no leave to undo it (I15).
            unsure = f"{evidence}; whether somebody stopped it is not known: {ago}"
            return Finding(Reason.TALOS_STOPPED, unsure, human_ago=0.0)
        if ago is None:
            return Finding(Reason.TALOS_STOPPED, evidence)
        facts = await ask(self._guest.facts)
        if not isinstance(facts, PortError) and facts.docker.ended_by_itself(lasts):
            by_docker = f"{evidence}; dockerd ended it as it started or ended itself"
            return Finding(Reason.TALOS_STOPPED, by_docker)
        evidence = f"{evidence}; somebody stopped it {lasts:.0f} s ago"
        return Finding(Reason.TALOS_STOPPED, evidence, human_ago=lasts)

    def _lasts(self, container: Container, told: float | PortError | None) -> float:
        """Seconds for which it has been up, or down; `told` by the VM's wall clock."""
        phase = f"{container.id} {container.started_at} {container.running}"
        return self._ages.age(CONTAINER, phase, told if isinstance(told, float) else 0.0)

    async def _up(self, container: Container) -> Observation:
        node, ready = await ask_both(self._cluster.node, self._cluster.readiness)
        up = self._lasts(container, container.started_ago)
        stuck = self._stuck(container, node)
        wedged = () if stuck else _wedged(container, up, node, ready)
        return Observation(
            self.layer,
            (*stuck, *wedged, *self._settings(container), *_drift(container, self._wanted)),
            signs=(
                *witness(ready, by_api(self._vm), READYZ),
                *witness(node, by_api(self._vm), NODE),
                *await self._own_control(node, stuck=bool(stuck)),
            ),
            uptime=up,
            summary=_summary(container, node, stuck=bool(stuck)),
        )

    def _stuck(self, container: Container, node: Listing[Node] | PortError) -> tuple[Finding, ...]:
        """`shutting_down`, once it is proved that the kubelet of this run still says so."""
        if isinstance(node, PortError):
            return ()
        said = _says_shutting_down(node)
        if said is None:
            self._sighting = None
            return ()
        began = node.server_time - (container.started_ago or 0.0)
        if not self._goes_on(container.started_at, said, began):
            return ()
        return (
            Finding(
                Reason.TALOS_SHUTTING_DOWN,
                f"Ready=False {said.reason}: {said.message}; its heartbeat goes on",
                fingerprint=container.started_at,
            ),
        )

    def _goes_on(self, run: str, said: Condition, began: float) -> bool:
        """A heartbeat from before this run is stale; one that advances is a live kubelet's.

        The kubelet writes an unchanged status every 5 min only, so beside two looks the
        server's own two times count: the turn to False and the heartbeat after it.
        """
        if said.heartbeat is None or said.heartbeat <= began:
            return False
        first = self._sighting
        if first is None or first.run != run:
            self._sighting = first = _Sighting(run, said.heartbeat)
        since = None if said.transition is None else max(said.transition, began)
        lasting = since is not None and said.heartbeat - since >= LONGEST_STOP
        return lasting or said.heartbeat - first.heartbeat >= ADVANCED

    async def _own_control(
        self, node: Listing[Node] | PortError, *, stuck: bool
    ) -> tuple[Sign, ...]:
        """Whether the container's own control lives: by its node, and by the VM's docker."""
        way = by_api(self._vm) | {Component.CONTROL}
        if not stuck:
            alive = _is_ready(node)
            return (Sign(CONDITION, way, alive=True),) if alive else ()
        dead = Sign(CONDITION, way, alive=False)
        facts = await ask(self._guest.facts)
        if isinstance(facts, PortError) or facts.container_status != "running":
            return (dead,)
        return (dead, Sign(IN_VM, CONTROL_BY_SSH, alive=False))

    def _settings(self, container: Container) -> tuple[Finding, ...]:
        return (*_policy(container, self._wanted), *_memory(container, self._wanted))


def _says_shutting_down(node: Listing[Node] | PortError) -> Condition | None:
    if isinstance(node, PortError) or not node.items:
        return None
    return shutting_down(node.items[0])


def _is_ready(node: Listing[Node] | PortError) -> bool:
    if isinstance(node, PortError) or not node.items:
        return False
    ready = node.items[0].condition("Ready")
    return ready is not None and ready.status == "True"


def _wedged(
    container: Container, up: float, node: Listing[Node] | PortError, ready: Readiness | PortError
) -> tuple[Finding, ...]:
    """Running long enough, and nobody answers at the API's port; an error is an answer."""
    if up <= WARM_UP or not (silent(ready) and silent(node)):
        return ()
    evidence = f"running for {up:.0f} s, and {ready}"
    return (Finding(Reason.TALOS_WEDGED, evidence, fingerprint=container.started_at),)


def _how_it_ended(container: Container) -> str:
    ended = "never ended"
    if container.finished_ago is not None:
        ended = f"ended {container.finished_ago:.0f} s ago"
    killed = ", out of memory" if container.oom_killed else ""
    policy = container.restart_policy or "no"
    return (
        f"{container.name} is {container.status}, exit code {container.exit_code}{killed}, "
        f"{ended}; restart policy {policy}"
    )


def _policy(container: Container, wanted: WantedContainer) -> tuple[Finding, ...]:
    if not wanted.policy_differs(container):
        return ()
    has = container.restart_policy or "no"
    return (Finding(Reason.RESTART_POLICY, f"it is {has}, wanted {wanted.restart_policy}"),)


def _memory(container: Container, wanted: WantedContainer) -> tuple[Finding, ...]:
    if not wanted.memory_differs(container):
        return ()
    has = f"Memory {container.memory}, MemorySwap {container.memory_swap}"
    return (Finding(Reason.MEMORY_LIMIT, f"{has}; wanted {wanted.memory} for both"),)


def _drift(container: Container, wanted: WantedContainer) -> tuple[Finding, ...]:
    """Published ports need an edit by hand with everything down (facts/talos-kubernetes.md §9)."""
    bound = {one.host_port for one in container.ports}
    taken = [
        Finding(Reason.PORT_DRIFT, f"host port {port} is the Mac's own", target=str(port))
        for port in sorted(wanted.reserved_ports & bound)
    ]
    if container.host_port(wanted.api_port) is None:
        port = str(wanted.api_port)
        taken.append(Finding(Reason.PORT_DRIFT, f"port {port} is not published", target=port))
    return tuple(taken)


def _summary(container: Container, node: Listing[Node] | PortError, *, stuck: bool) -> str:
    up = f"running for {container.started_ago or 0.0:.0f} s"
    if _says_shutting_down(node) is not None and not stuck:
        return f"{up}; its node says that it is shutting down, not proved yet"
    return up
