"""Probes, remedies and engine over any outside, real or simulated."""

import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.ledger import Attempt
from healer.core.observation import ForeignOperation
from healer.engine.parts import Pace, Parts
from healer.engine.telling import Listener
from healer.engine.watching import Probe
from healer.model.client_config import Kind
from healer.model.config_faults import NODE_ADDRESS, Known
from healer.model.identity import Ours
from healer.model.livekit import PatchWhen
from healer.model.machine import ProcessInfo
from healer.model.operations import Foreign, foreign_operations
from healer.model.verdicts import WantedContainer
from healer.ports import (
    Clock,
    ClusterEyes,
    ClusterHands,
    CredentialEyes,
    EngineDoor,
    EngineEyes,
    EngineHands,
    ForwardEyes,
    ForwardHands,
    FrontEyes,
    GuestEyes,
    GuestHands,
    HostEyes,
    JobEyes,
    JobHands,
    Journal,
    News,
    PathEyes,
    PortEyes,
    Remedial,
    SetupEyes,
    TalosEyes,
    VmEyes,
    VmHands,
)
from healer.probes.ages import Ages
from healer.probes.apiserver import ApiserverProbe
from healer.probes.colima import ColimaProbe
from healer.probes.credentials import CredentialsLook
from healer.probes.docker import DockerProbe
from healer.probes.flannel import FlannelProbe
from healer.probes.flannel_need import FlannelNeed
from healer.probes.front import FrontLook, FrontParts
from healer.probes.guest import GuestLook
from healer.probes.host import HostProbe
from healer.probes.kernel import KernelProbe
from healer.probes.launchd import LaunchdProbe
from healer.probes.livekit import LivekitProbe
from healer.probes.named import NamedIllness
from healer.probes.node import NodeProbe
from healer.probes.pods import PodsProbe
from healer.probes.resync import ALWAYS, Resync
from healer.probes.services import ServiceEyes, ServicesProbe
from healer.probes.setup_checks import SetupChecks
from healer.probes.sharing import RememberedPorts, SharedCluster, SharedEngine, SharedHost
from healer.probes.ssh import SshProbe
from healer.probes.talos import TalosProbe
from healer.remedies.colima import (
    AnsweringPort,
    CleanStaleFiles,
    CycleVm,
    ForceCycleVm,
    Life,
    Others,
    StartVm,
)
from healer.remedies.docker import Forwards, Reforward, RestartEngine, StartEngine, TermMux
from healer.remedies.flannel import DeleteFlannelPod
from healer.remedies.kernel import LoadModules
from healer.remedies.launchd import KickstartJob
from healer.remedies.livekit import PatchLivekit
from healer.remedies.node import Uncordon, Untaint
from healer.remedies.pods import DeletePod, ForceDeletePod
from healer.remedies.talos import (
    RestartContainer,
    SetMemoryLimit,
    SetRestartPolicy,
    StartContainer,
)
from healer.settings import Settings
from healer.wiring.front import wanted_front
from healer.wiring.jobs import watched_jobs
from healer.wiring.setup import setup_looks, setup_wanted

_RIVALS_FOR = 600.0
_LISTENERS_FOR = 600.0
_LISTS_EVERY = 600.0
_LEAKS_FOR = 75.0
"""Seconds for which a daemon believes what costs it much and changes rarely (design §9, §10)."""
_SETUP_FOR = 60.0
"""Seconds for which a pass believes how the cluster was set up: it heals, and has no time."""
_SAME_START = 3.0
"""Seconds by which a process list and a spawn may differ about one start."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Every port, real or simulated."""

    clock: Clock
    host: HostEyes
    ours: Ours
    """Which of its processes are our VM's."""
    vm: VmEyes
    vm_hands: VmHands
    guest: GuestEyes
    guest_hands: GuestHands
    door: EngineDoor
    """Before every connect to docker.sock."""
    forward: ForwardEyes
    forward_hands: ForwardHands
    engine: EngineEyes
    engine_hands: EngineHands
    cluster: ClusterEyes
    cluster_hands: ClusterHands
    published: PortEyes
    path: PathEyes
    """The way to each service, hop by hop."""
    credentials: CredentialEyes
    front: FrontEyes
    """What stands in front of the Mac's ports."""
    setup: SetupEyes
    """How the cluster was set up."""
    talos: TalosEyes
    jobs: JobEyes
    job_hands: JobHands
    close: Callable[[], Awaitable[None]]
    news: tuple[News, ...] = ()
    """What wakes the daemon's probes; a pass needs none."""
    watched: ClusterEyes | None = None
    """Eyes that believe that news, for a daemon's probes and for nobody else."""


@dataclass(slots=True)
class OurChildren:
    """The processes that our acts have spawned: told to the journal, and never foreign."""

    journal: Journal
    ours: int
    """healer's own process, on the Mac that it looks at."""
    pids: set[int] = field(default_factory=set)

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember one."""
        self.pids.add(pid)
        self.journal.spawned(act, pid, started)

    def own(self) -> Collection[int]:
        """All of them, and ourselves."""
        return frozenset({*self.pids, self.ours})


@dataclass(frozen=True, slots=True)
class Looks:
    """What the probes share; see probes/sharing."""

    guest: GuestLook
    host: SharedHost
    ports: RememberedPorts
    engine: SharedEngine
    cluster: SharedCluster
    resync: Resync
    resident: bool
    """Whether they go on for ever, and must cost little."""

    @classmethod
    def over(cls, outside: Outside, *, resident: bool) -> "Looks":
        """`resident`: for a daemon, whose looks go on for ever."""
        clock = outside.clock
        return cls(
            GuestLook(outside.guest, clock),
            SharedHost(outside.host, clock, rivals_for=_RIVALS_FOR if resident else 0.0),
            RememberedPorts(outside.published, clock, _LISTENERS_FOR if resident else 0.0),
            SharedEngine(outside.engine, clock),
            SharedCluster((outside.watched if resident else None) or outside.cluster, clock),
            Resync(clock, _LISTS_EVERY) if resident else ALWAYS,
            resident,
        )

    def forget(self) -> None:
        """An act has changed the world."""
        self.forget_moment()
        self.host.forget()
        self.ports.forget()

    def forget_moment(self) -> None:
        """There is news: what was heard a moment ago was perhaps heard before it."""
        self.guest.forget()
        self.engine.forget()
        self.cluster.forget()


def probes_of(
    outside: Outside, settings: Settings, looks: Looks, children: OurChildren
) -> tuple[Probe, ...]:
    """One probe a layer; they share some looks, and are handed eyes only."""
    home = os.environ.get("HOME")
    foreign = _foreign(outside, settings, children.own)
    look, host = looks.guest, looks.host
    engine, cluster = looks.engine, looks.cluster
    ages = Ages(outside.clock, children.journal)

    async def open_in_vm() -> frozenset[int]:
        return (await look.facts()).open_ports

    papers = outside.credentials
    credentials = CredentialsLook(papers, outside.clock.wall, _known_by(engine, settings))
    services = ServiceEyes(looks.ports, cluster, engine, outside.vm, open_in_vm)
    around = FrontParts(outside.front, host.lately(_LEAKS_FOR), looks.ports, settings.services)
    front = FrontLook(around, wanted_front(settings), outside.clock)
    setup = setup_looks(
        SetupChecks(outside.setup, setup_wanted(settings), lambda: engine.last, outside.talos),
        NamedIllness(outside.setup),
        lambda: Resync(outside.clock, _LISTS_EVERY if looks.resident else _SETUP_FOR),
    )
    return (
        HostProbe(host, Path(home) if home else None, foreign, credentials),
        ColimaProbe(outside.vm, look, engine, host, ages),
        SshProbe(look, host.lately(_LEAKS_FOR), outside.vm, outside.ours),
        DockerProbe(engine, look, outside.forward),
        KernelProbe(look, FlannelNeed(outside.setup, cluster)),
        TalosProbe(engine, cluster, look, outside.vm, ages, _wanted(settings), setup.talos),
        ApiserverProbe(cluster, outside.vm, papers, outside.clock.wall, setup.apiserver),
        NodeProbe(cluster),
        FlannelProbe(cluster),
        PodsProbe(
            cluster,
            frozenset(settings.tower.namespaces),
            force_stateful_sets=settings.pods.force_statefulsets,
            setup=setup.pods,
            named=setup.named,
        ),
        LivekitProbe(
            cluster,
            outside.published,
            _patch_when(settings),
            container=settings.livekit.container,
        ),
        ServicesProbe(
            services,
            settings.services,
            looks.resync,
            (setup.services.added_to, front.beside),
            setup.named.cause_of,
        ),
        LaunchdProbe(outside.jobs, watched_jobs(settings), outside.clock, resident=looks.resident),
    )


def _known_by(engine: SharedEngine, settings: Settings) -> Callable[[Kind], Known]:
    """What Docker said last: the look at the Mac waits for nobody in the VM."""
    tower = settings.tower
    inner = {Kind.KUBECONFIG: tower.api_port, Kind.TALOSCONFIG: tower.talos_port}

    def known(kind: Kind) -> Known:
        container = engine.last
        if container is None:
            return Known(tower.cluster)
        port, addresses = container.host_port(inner[kind]), container.addresses
        return Known(tower.cluster, port, addresses or (NODE_ADDRESS,))

    return known


def _wanted(settings: Settings) -> WantedContainer:
    tower = settings.tower
    return WantedContainer(
        restart_policy=tower.restart_policy or "",
        memory=tower.memory or 0,
        api_port=tower.api_port,
        reserved_ports=frozenset(tower.reserved_ports),
    )


def _patch_when(settings: Settings) -> PatchWhen:
    return PatchWhen(settings.livekit.when)


def remedies_of(
    outside: Outside, settings: Settings, own: Callable[[], Collection[int]]
) -> Mapping[Remedy, Remedial]:
    """Every remedy; `needed()` looks through eyes of its own, never through a cache."""
    namespaces = frozenset(settings.tower.namespaces)
    others = Others(outside.host, _foreign(outside, settings, own))
    answering = AnsweringPort(outside.published, settings.services)
    life = Life(outside.vm, outside.guest, outside.engine, outside.cluster, answering)
    forwards = Forwards(
        outside.engine,
        outside.vm,
        outside.published,
        outside.forward_hands,
        settings.tower.reserved_ports,
    )
    vm, vm_hands, clock = outside.vm, outside.vm_hands, outside.clock
    cluster, cluster_hands = outside.cluster, outside.cluster_hands
    wanted = _wanted(settings)
    made: tuple[Remedial, ...] = (
        StartVm(vm, vm_hands, others),
        CycleVm(vm, vm_hands, others, life, clock),
        ForceCycleVm(vm, vm_hands, others, life, clock),
        CleanStaleFiles(vm, vm_hands),
        Reforward(forwards, outside.guest),
        TermMux(outside.forward, outside.forward_hands, forwards, outside.guest),
        StartEngine(outside.guest, outside.guest_hands),
        RestartEngine(forwards, outside.guest, outside.guest_hands),
        LoadModules(outside.guest, outside.guest_hands),
        StartContainer(outside.engine, outside.engine_hands),
        RestartContainer(outside.engine, cluster, outside.engine_hands),
        SetRestartPolicy(outside.engine, outside.engine_hands, wanted),
        SetMemoryLimit(outside.engine, outside.engine_hands, wanted),
        Uncordon(cluster, cluster_hands),
        Untaint(cluster, cluster_hands),
        DeleteFlannelPod(
            cluster, outside.guest, cluster_hands, FlannelNeed(outside.setup, cluster)
        ),
        DeletePod(cluster, cluster_hands, namespaces),
        ForceDeletePod(
            cluster, cluster_hands, namespaces, stateful_sets=settings.pods.force_statefulsets
        ),
        PatchLivekit(
            cluster, cluster_hands, _patch_when(settings), container=settings.livekit.container
        ),
        KickstartJob(outside.jobs, outside.job_hands, watched_jobs(settings)),
    )
    return {one.remedy: one for one in made}


def parts_of(
    outside: Outside,
    settings: Settings,
    journal: Journal,
    listener: Listener,
    children: OurChildren,
    looks: Looks | None = None,
) -> Parts:
    """What a pass, or a daemon, over any tower is made of."""
    looks = looks or Looks.over(outside, resident=False)
    return Parts(
        probes=probes_of(outside, settings, looks, children),
        remedies=remedies_of(outside, settings, children.own),
        journal=journal,
        clock=outside.clock,
        listener=listener,
        pace=Pace(settings.once.look_every, settings.once.look_deadline),
        still_running=_still_running(outside, children),
        after_act=looks.forget,
    )


def _foreign(outside: Outside, settings: Settings, own: Callable[[], Collection[int]]) -> Foreign:
    ours, containers = outside.ours, (settings.tower.container,)

    def foreign(processes: Sequence[ProcessInfo]) -> tuple[ForeignOperation, ...]:
        return foreign_operations(processes, own(), ours, containers)

    return foreign


def _still_running(outside: Outside, children: OurChildren) -> Callable[[Attempt], Awaitable[bool]]:
    """A `colima start` outlives its healer; it is recognised by pid and start (design §10)."""

    async def running(attempt: Attempt) -> bool:
        pid, started = attempt.child_pid, attempt.child_started
        if pid is None or started is None:
            return False
        for one in await outside.host.processes():
            if one.pid == pid and abs(outside.clock.wall() - one.age - started) <= _SAME_START:
                children.pids.add(pid)
                return True
        return False

    return running
