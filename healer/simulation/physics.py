"""The simulated tower's state and what moves it: a queue of events on virtual time.

A healthy tower is built, then things are done to it (`happenings.py`); every change that takes
time is an event in the queue. Ports (`eyes.py`, `hands.py`) let due events happen before they
answer. Durations are those seen on the real parts; each names its fact.
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from healer.simulation.workloads import Workload, owners_workloads

LISTED_RUNNING_AFTER = 2.0
"""`colima list` says Running long before ssh answers (facts/colima.md §8)."""
SSH_AFTER = 9.0
"""A vz guest's sshd; 61 s under emulation, 10 to 30 s for a whole start on a Mac (§1.5)."""
FORWARDS_AFTER = 13.0
DOCKER_GONE_AFTER = 15.0
DOCKER_BACK_AFTER = 21.0
"""Colima restarts docker while it provisions: it answers, vanishes, answers again (§8)."""
START_DONE_AFTER = 23.0
CLEAN_STOP_TAKES = 9.0
FORCE_STOP_TAKES = 0.5

API_AFTER = 14.0
"""From the container's start to /readyz (facts/lab.md: node Ready after 20 s)."""
NODE_READY_AFTER = 20.0
TAINT_AFTER = 16.0
FLANNEL_AFTER = 15.0
FLANNEL_RACE = 12.0
"""flanneld reaches the API by KubePrism (talos-kubernetes.md §5), which needs a moment after the
API is up; a start within it ends with exit 1 like any other failed start (inferred)."""
SUBNET_ENV_AFTER = 2.0
"""flanneld writes subnet.env near the end of its start (facts/talos-kubernetes.md §5)."""
SANDBOX_EVERY = 11.0
"""kubelet tries a failed sandbox again."""
POD_READY_AFTER = 4.0
CRASH_BACKOFF = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Kubernetes' crash back-off, doubling up to five minutes."""


@dataclass(slots=True)
class Machine:
    """The VM and what Colima keeps of it on the Mac."""

    created: bool = True
    on: bool = False
    listed: str = "Stopped"
    booted_at: float = 0.0
    ssh: bool = False
    ready: bool = False
    ssh_port: int = 41000
    generation: int = 0
    """Counts power-ons: an event of an earlier life is void."""
    leftovers: tuple[str, ...] = ()
    leftovers_stale: bool = False
    changed_at: float = 0.0
    """When the instance folder last changed."""
    module: bool = False
    persisted: bool = False
    engine: bool = False
    engine_unit: str = "inactive"
    forward: bool = False
    """docker.sock on the Mac reaches the engine."""
    port_forwards: bool = False
    mux_pid: int | None = None


@dataclass(slots=True)
class Box:
    """The Talos container."""

    id: str = "7a105c0de"
    status: str = "created"
    exit_code: int = 0
    error: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    restart_policy: str = "no"
    memory: int = 0
    stopped_by_human: bool = False
    generation: int = 0


@dataclass(slots=True)
class Flannel:
    """The flannel pod of the one node."""

    uid: int = 1
    running: bool = False
    started_at: float = 0.0
    restarts: int = 0
    finished_at: float = 0.0
    subnet_env: bool = False


@dataclass(slots=True)
class SandboxEvent:
    """A FailedCreatePodSandBox event, as the API keeps it."""

    pod: Workload
    last_seen: float


@dataclass(slots=True)
class Cluster:
    """Kubernetes inside the container."""

    api: bool = False
    api_since: float = 0.0
    ready: bool = False
    ready_since: float = 0.0
    tainted: bool = False
    cordoned: bool = False
    cordoned_by_talos: bool = False
    version: int = 1
    flannel: Flannel = field(default_factory=Flannel)
    workloads: list[Workload] = field(default_factory=owners_workloads)
    sandbox_failures: dict[str, SandboxEvent] = field(default_factory=dict)


@dataclass(slots=True)
class Told:
    """One line of what really happened, for the timeline."""

    at: float
    what: str


class Tower:
    """The whole, with its queue of things to come."""

    def __init__(self, now: Callable[[], float], *, epoch: float = 1_795_000_000.0) -> None:
        self._now = now
        self.epoch = epoch
        self.mac_booted_at = -86_400.0
        self.slept = 0.0
        """Seconds for which the Mac slept; clocks that stand still in a sleep lag by them."""
        self.machine = Machine()
        self.box = Box()
        self.cluster = Cluster()
        self.happened: list[Told] = []
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        """Virtual seconds since the run began; what is due by then has happened."""
        now = self._now() + self.slept
        while self._queue and self._queue[0][0] <= now:
            self._at, _, happen = heapq.heappop(self._queue)
            happen()
        self._at = now
        return now

    def wall(self, at: float | None = None) -> float:
        """Epoch seconds of a virtual time."""
        return self.epoch + (self._now() + self.slept if at is None else at)

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen that much later than what is happening now."""
        heapq.heappush(self._queue, (self._at + seconds, next(self._order), happen))

    def sleep(self, seconds: float) -> None:
        """Let the Mac sleep so long: timers of programs stand still, the world goes on."""
        self.slept += seconds
        self.tell(f"the Mac has slept for {seconds:.0f} s")

    def tell(self, what: str) -> None:
        """Note what really happened."""
        self.happened.append(Told(self._at, what))

    @property
    def at(self) -> float:
        """The time of what is happening just now."""
        return self._at

    _at = 0.0

    # The VM.

    def power_on(self) -> None:
        """A start of the VM, in the phases that were seen on a real one."""
        machine = self.machine
        machine.generation += 1
        life = machine.generation
        machine.on, machine.booted_at, machine.changed_at = True, self.at, self.at
        machine.ssh_port += 17
        machine.module = machine.persisted
        machine.leftovers, machine.leftovers_stale, machine.ready = (), False, False
        self._in_life(life, LISTED_RUNNING_AFTER, self._listed_running)
        self._in_life(life, SSH_AFTER, self._ssh_up)
        self._in_life(life, FORWARDS_AFTER, self._forwards_up)
        self._in_life(life, DOCKER_GONE_AFTER, self._engine_gone)
        self._in_life(life, DOCKER_BACK_AFTER, self._engine_up)
        self._in_life(life, START_DONE_AFTER, self._start_done)

    def _in_life(self, life: int, seconds: float, happen: Callable[[], None]) -> None:
        def unless_dead() -> None:
            if self.machine.on and self.machine.generation == life:
                happen()

        self.after(seconds, unless_dead)

    def _listed_running(self) -> None:
        self.machine.listed = "Running"

    def _ssh_up(self) -> None:
        self.machine.ssh = True
        self.tell("the VM's ssh answers")

    def _forwards_up(self) -> None:
        self.machine.mux_pid = 13_000 + self.machine.generation
        self._engine_up()
        self.restore_forwards()

    def restore_forwards(self) -> None:
        """Lima's mux carries docker.sock and the ports again."""
        self.machine.forward = self.machine.port_forwards = True

    def _engine_gone(self) -> None:
        self.machine.engine = False

    def _engine_up(self) -> None:
        machine = self.machine
        machine.engine, machine.engine_unit = True, "active"
        self.tell("docker answers in the VM")
        if self.box.status == "running" or self._comes_back():
            self.box_started()

    def _comes_back(self) -> bool:
        if self.box.status != "exited" or self.box.stopped_by_human:
            return False
        return self.box.restart_policy in {"always", "unless-stopped"}

    def _start_done(self) -> None:
        self.machine.ready = True

    def power_cut(self) -> None:
        """Everything in the VM is gone at once; files on the Mac stay (facts/colima.md §2)."""
        self._lose_vm(exit_code=255)
        self.machine.leftovers = ("ha.pid", "ha.sock", "ssh.sock", "docker.sock", "vz.pid")

    def clean_stop(self) -> None:
        """As `colima stop` does it: still a hard kill for Talos (talos-kubernetes.md §1)."""
        self._lose_vm(exit_code=137)
        self.machine.leftovers = ()

    def _lose_vm(self, *, exit_code: int) -> None:
        machine = self.machine
        machine.on = machine.ssh = machine.engine = machine.ready = False
        machine.forward = machine.port_forwards = False
        machine.mux_pid, machine.listed, machine.changed_at = None, "Stopped", self.at
        machine.generation += 1
        if self.box.status == "running":
            self.box_ended(exit_code)

    # The container.

    def box_started(self) -> None:
        """The Talos container's init runs; the cluster inside comes up by itself."""
        box, cluster = self.box, self.cluster
        box.status, box.error, box.started_at = "running", "", self.at
        box.stopped_by_human = False
        box.generation += 1
        cluster.flannel.subnet_env = False
        life = box.generation
        self.tell("the Talos container starts")
        self._in_box(life, API_AFTER, self._api_up)
        self._in_box(life, TAINT_AFTER, self.taint)
        self._in_box(life, NODE_READY_AFTER, self._node_ready)
        self._in_box(life, FLANNEL_AFTER, self.start_flannel)
        for workload in cluster.workloads:
            if workload.desired:
                workload.lose_container(self.at)
                self._in_box(life, NODE_READY_AFTER + 1.0, partial(self.sandbox, workload))

    def _in_box(self, life: int, seconds: float, happen: Callable[[], None]) -> None:
        def unless_dead() -> None:
            if self.box.status == "running" and self.box.generation == life:
                happen()

        self.after(seconds, unless_dead)

    def in_this_box(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen later, if the container still runs this very life."""
        self._in_box(self.box.generation, seconds, happen)

    def box_ended(self, exit_code: int) -> None:
        """The container is gone, and all that ran in it."""
        box, cluster = self.box, self.cluster
        box.status, box.exit_code, box.finished_at = "exited", exit_code, self.at
        box.generation += 1
        cluster.api = cluster.ready = False
        cluster.flannel.running = cluster.flannel.subnet_env = False
        for workload in cluster.workloads:
            workload.up = workload.ready = False
        self.tell(f"the Talos container is gone (exit {exit_code})")

    # The cluster.

    def _api_up(self) -> None:
        self.cluster.api, self.cluster.api_since = True, self.at
        self.tell("the API server is ready")

    def taint(self) -> None:
        """Talos adds its taint whenever it is absent (talos-kubernetes.md §2)."""
        if not self.cluster.tainted:
            self.cluster.tainted = True
            self.cluster.version += 1
            self.tell("Talos puts the control-plane taint back")

    def _node_ready(self) -> None:
        """A Ready flip makes Talos look at its taints again (§2)."""
        cluster = self.cluster
        cluster.ready, cluster.ready_since = True, self.at
        cluster.version += 1
        self.tell("the node is Ready")
        self.in_this_box(1.0, self.taint)

    def start_flannel(self) -> None:
        """flanneld exits 1 without br_netfilter, and backs off (§5)."""
        flannel = self.cluster.flannel
        flannel.started_at = self.at
        reaches_api = self.at - self.cluster.api_since >= FLANNEL_RACE
        if self.machine.module and reaches_api:
            flannel.running = True
            self.in_this_box(SUBNET_ENV_AFTER, self._subnet_env_written)
            return
        flannel.running, flannel.finished_at = False, self.at
        wait = CRASH_BACKOFF[min(flannel.restarts, len(CRASH_BACKOFF) - 1)]
        flannel.restarts += 1
        missing = (
            "the API does not answer it yet" if self.machine.module else "br_netfilter is missing"
        )
        self.tell(f"flannel crashes: {missing}")
        uid = flannel.uid
        self.in_this_box(wait, lambda: self._restart_flannel(uid))

    def _restart_flannel(self, uid: int) -> None:
        if self.cluster.flannel.uid == uid and not self.cluster.flannel.running:
            self.start_flannel()

    def _subnet_env_written(self) -> None:
        if self.cluster.flannel.running:
            self.cluster.flannel.subnet_env = True
            self.tell("flannel wrote subnet.env")

    def replace_flannel_pod(self) -> None:
        """Its DaemonSet makes a new pod at once, without the old one's back-off."""
        old = self.cluster.flannel
        self.cluster.flannel = Flannel(uid=old.uid + 1, subnet_env=old.subnet_env)
        self.in_this_box(2.0, self.start_flannel)

    def sandbox(self, workload: Workload) -> None:
        """kubelet makes a pod's sandbox, which needs flannel's subnet.env (§3, §5)."""
        if workload.up or not workload.desired or workload.pending(tainted=self.cluster.tainted):
            if workload.desired and not workload.up:
                self.in_this_box(SANDBOX_EVERY, lambda: self.sandbox(workload))
            return
        if not (self.cluster.flannel.subnet_env or workload.host_network):
            self.cluster.sandbox_failures[workload.pod_uid] = SandboxEvent(workload, self.at)
            self.in_this_box(SANDBOX_EVERY, lambda: self.sandbox(workload))
            return
        workload.up, workload.scheduled, workload.started_at = True, True, self.at
        self.in_this_box(POD_READY_AFTER, lambda: self.becomes_ready(workload))

    def becomes_ready(self, workload: Workload) -> None:
        """A pod is Ready when its probe can pass at all (LiveKit's trap: §6)."""
        if workload.up and not workload.ready:
            workload.ready = not workload.probes_drifted
            if workload.ready:
                self.tell(f"{workload.name} is Ready")
            else:
                self.in_this_box(30.0, lambda: self._liveness_kill(workload))

    def _liveness_kill(self, workload: Workload) -> None:
        """Probes of the pod IP are refused, so kubelet kills a healthy LiveKit (§6)."""
        if workload.up and workload.probes_drifted:
            workload.restarts += 1
            self.in_this_box(POD_READY_AFTER, lambda: self.becomes_ready(workload))

    def replace_pod(self, workload: Workload) -> None:
        """The controller makes a new pod, which must be scheduled anew."""
        workload.new_pod(self.at)
        self.in_this_box(1.0, lambda: self.sandbox(workload))
