"""A tower of few bits: what is truly so, and what a perfect look at each layer would show.

It is a second opinion beside healer's own simulation: it shares no code with it, knows no ports,
and is quick enough for a million schedules over the pure core.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from healer.core.observation import Component, Finding, ForeignOperation, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import LAYERS, Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BOOT: Final = 23.0
"""Seconds of a start of the VM until docker answers for good (facts/colima.md §8)."""
API_AFTER: Final = 14.0
READY_AFTER: Final = 20.0
FLANNEL_AFTER: Final = 18.0
"""Seconds after the container's start (facts/lab.md)."""
PODS_AFTER: Final = 26.0
LIVEKIT_AFTER: Final = 12.0
"""Seconds from LiveKit's start to Ready: its readiness probe begins after ten."""
THROTTLE: Final = 10.0
"""Seconds for which launchd lets a job that died rest, before it starts it itself."""
LOOP: Final = 3
LOOP_WITHIN: Final = 300.0
"""So many starts by launchd within so many seconds are a crash loop."""
ANSWERS_AFTER: Final = 4.0
"""Seconds from a job's start to its first answer."""
JOB: Final = "com.joel.caddy"
PODS: Final = ("redis", "inngest", "typesense", "worker", "pds")


@dataclass(slots=True)
class SmallTower:
    """The truth; times in seconds, None = never."""

    vm: str = "on"
    """on, booting, off, broken, zombie, looks_zombie (its ports answer), locked, missing."""
    vm_since: float = -3600.0
    vm_stopped_by_human: float | None = None
    hostagent: str = "up"
    """up, dead, hung; the VM goes on without it."""
    usernet: bool = True
    """Whether the VM's network card lives: all of ssh goes through it."""
    mux: str = "live"
    """live, dead, wedged."""
    by_ssh: bool = False
    """Whether published ports ride the mux; else the hostagent carries them."""
    engine: str = "up"
    """up, failed, stopped (by a human's systemctl)."""
    engine_stopped_at: float = 0.0
    module: bool = True
    persisted: bool = True
    box: str = "running"
    """running, exited, shutting_down, wedged, refused, missing."""
    box_since: float = -3600.0
    box_stopped_by_human: float | None = None
    policy: bool = True
    """Whether Docker brings the container back by itself."""
    api_silent: bool = False
    """The API alone is silent while workloads serve."""
    api_failing: bool = False
    """It answers each question with an error."""
    tainted: bool = False
    cordoned: str = ""
    """'', talos, human."""
    flannel: str = "up"
    """up, crashing."""
    flannel_since: float = -3600.0
    unknown_pods: dict[str, int] = field(default_factory=dict)
    """Pods in STATUS Unknown, with a serial that makes their uid."""
    stuck_pods: dict[str, int] = field(default_factory=dict)
    bare_pods: tuple[str, ...] = ()
    """Pods that are lost and that healer may not delete: told of, and nothing else."""
    drift: int = 0
    """Generation of LiveKit with the probe trap; 0 = none."""
    rolled_out: float = -3600.0
    """When LiveKit's pod was last replaced."""
    starts: bool = True
    """Whether LiveKit's newest template works at all."""
    rollout_paused: bool = False
    """By a human."""
    port_dead: bool = False
    job: str = "up"
    """A launchd job: up, dead, absent (booted out by a human), disabled (and down)."""
    job_since: float = -3600.0
    job_kept: bool = False
    """Whether launchd itself starts it again."""
    job_silent: bool = False
    """It runs, and its health URL does not answer."""
    job_dies: bool = False
    """It dies as soon as it is started."""
    job_runs: int = 1
    """How often it was started."""
    job_starts: tuple[float, ...] = ()
    """When launchd itself started it lately."""
    foreign: tuple[ForeignOperation, ...] = ()
    others_unseen: bool = False
    serial: int = 0

    def booted(self, now: float) -> bool:
        """Whether the VM runs and has booted."""
        if self.vm == "booting" and now - self.vm_since >= BOOT:
            self.vm = "on"
        return self.vm == "on"

    def engine_answers(self, now: float) -> bool:
        """In the VM."""
        return self.booted(now) and self.engine == "up"

    def ssh_answers(self, now: float) -> bool:
        """A login of our own."""
        return self.booted(now) and self.usernet

    def docker_answers(self, now: float) -> bool:
        """On the Mac."""
        return self.engine_answers(now) and self.mux == "live" and self.usernet

    @property
    def carries(self) -> bool:
        """Whether a published port leads into the VM."""
        return self.mux == "live" and self.usernet if self.by_ssh else self.hostagent == "up"

    def runs(self, now: float) -> bool:
        """The container."""
        alive = self.box in {"running", "shutting_down", "wedged"}
        return alive and self.engine_answers(now)

    def api_answers(self, now: float) -> bool:
        """Through its published port."""
        return self.api(now) and self.carries

    def api(self, now: float) -> bool:
        """In the VM."""
        up = self.box in {"running", "shutting_down"} and now - self.box_since >= API_AFTER
        return up and self.runs(now) and not (self.api_silent or self.api_failing)

    def ready(self, now: float) -> bool:
        """The node."""
        return self.api(now) and now - self.box_since >= READY_AFTER and self.box == "running"

    def network(self, now: float) -> bool:
        """flannel."""
        since = max(self.box_since, self.flannel_since) + FLANNEL_AFTER
        return self.ready(now) and self.flannel == "up" and self.module and now >= since

    def serves(self, now: float) -> bool:
        """Workloads answer through their ports, which needs no API."""
        return self.carries and self._serves(now)

    def _serves(self, now: float) -> bool:
        if self.vm == "looks_zombie":
            return True
        up = self.runs(now) and self.box == "running"
        return up and now - self.box_since >= PODS_AFTER and not self.tainted

    def livekit_ready(self, now: float) -> bool:
        """Whether a pod of its newest template is Ready."""
        return not self.drift and self.starts and now - self.rolled_out >= LIVEKIT_AFTER

    def job_runs_now(self, now: float) -> bool:
        """Whether the job has a process; launchd starts again what it keeps alive."""
        while self.job == "dead" and self.job_kept and now - self.job_since >= THROTTLE:
            at = self.job_since + THROTTLE
            self.job_starts = (*self.job_starts, at)[-LOOP:]
            self.start_job(at)
        return self.job == "up"

    def job_loops(self, now: float) -> bool:
        """Whether launchd has started it again and again."""
        return len(self.job_starts) == LOOP and now - self.job_starts[0] < LOOP_WITHIN

    def start_job(self, now: float) -> None:
        """It has a process, for however long."""
        self.job_runs += 1
        self.job, self.job_since = "dead" if self.job_dies else "up", now

    def lose_job(self, now: float, how: str = "dead") -> None:
        """Its process is gone."""
        self.job, self.job_since = how, now

    def lose_box(self, now: float) -> None:
        """The container ends; flannel's files and the pods' sandboxes go with it."""
        self.box, self.box_since = "exited", now
        self.flannel_since = now

    def start_box(self, now: float) -> None:
        """It runs; Talos puts its taint back with each start (facts/talos-kubernetes.md §2)."""
        self.box, self.box_since, self.box_stopped_by_human = "running", now, None
        self.tainted, self.flannel_since = True, now

    def lose_vm(self, now: float, how: str) -> None:
        """All in it is gone."""
        self.vm, self.vm_since, self.mux = how, now, "dead"
        if self.box in {"running", "shutting_down", "wedged"}:
            self.lose_box(now)

    def boot_vm(self, now: float) -> None:
        """The kernel starts anew; the container by its policy, unless a human had stopped it."""
        self.vm, self.vm_since, self.vm_stopped_by_human = "booting", now, None
        self.hostagent, self.usernet = "up", True
        self.mux, self.engine, self.module = "live", "up", self.persisted
        if self.box == "exited" and self.policy and self.box_stopped_by_human is None:
            self.start_box(now + BOOT)

    def well(self, now: float) -> Mapping[Layer, bool]:
        """Which layers are truly well, advisory matters aside."""
        docker = self.docker_answers(now)
        ready = self.ready(now)
        network = self.network(now)
        pods = network and not (self.unknown_pods or self.stuck_pods)
        livekit = pods and self.livekit_ready(now)
        return {
            Layer.HOST: True,
            Layer.COLIMA: self.booted(now)
            and (self.hostagent == "up" or self.ssh_answers(now) or docker),
            Layer.SSH: self.ssh_answers(now),
            Layer.DOCKER: docker,
            Layer.KERNEL: self.booted(now) and self.module,
            Layer.TALOS: docker and self.box == "running",
            Layer.APISERVER: self.api_answers(now),
            Layer.NODE: ready and not self.tainted and self.cordoned != "talos",
            Layer.FLANNEL: network,
            Layer.PODS: pods,
            Layer.LIVEKIT: livekit,
            Layer.SERVICES: self.serves(now) and not self.port_dead,
            Layer.LAUNCHD: self.job_runs_now(now) or self.job in {"absent", "disabled"},
        }


def _found(reason: Reason, **more: object) -> Finding:
    return Finding(reason, reason.word, **more)  # type: ignore[arg-type]


def _host(tower: SmallTower, now: float) -> Observation:
    del now
    if tower.others_unseen:
        return Observation(Layer.HOST, unknown="ps failed", others_unseen="ps failed")
    return Observation(Layer.HOST, foreign=tower.foreign)


_VM: Final = frozenset({Component.DRIVER, Component.GUEST})
_SSH: Final = _VM | {Component.USERNET, Component.SSHD}
_SOCKET: Final = _VM | {Component.USERNET, Component.MUX, Component.DOCKERD}
_PORT: Final = _VM | {Component.PORT_FORWARDER, Component.DOCKERD, Component.CONTAINER}
_INSIDE: Final = _SSH | {Component.DOCKERD}
_IN_BOX: Final = _INSIDE | {Component.CONTAINER}


def _port(tower: SmallTower) -> frozenset[Component]:
    return _PORT | (_SOCKET if tower.by_ssh else {Component.HOSTAGENT})


@cache
def _sign(what: str, depends_on: frozenset[Component], *, alive: bool) -> Sign:
    return Sign(what, depends_on, alive)


def _alone(component: Component, *, alive: bool) -> Sign:
    return _sign(component, frozenset({component}), alive=alive)


_COLIMA: Final = {
    "broken": Reason.COLIMA_BROKEN,
    "zombie": Reason.COLIMA_ZOMBIE,
    "looks_zombie": Reason.COLIMA_ZOMBIE,
    "locked": Reason.COLIMA_DISK_LOCKED,
    "missing": Reason.COLIMA_MISSING,
}
_HAS_DRIVER: Final = frozenset({"on", "booting", "zombie", "looks_zombie"})


def _colima(tower: SmallTower, now: float) -> Observation:
    if tower.booted(now):
        return _running(tower, now)
    if tower.vm == "booting":
        return Observation(Layer.COLIMA, unknown="it is starting")
    gone = _alone(Component.DRIVER, alive=False)
    if tower.vm == "off":
        by_human = tower.vm_stopped_by_human
        ago = None if by_human is None else now - by_human
        found = _found(Reason.COLIMA_STOPPED, human_ago=ago, fingerprint=str(tower.vm_since))
        return Observation(Layer.COLIMA, (found,), signs=(gone,))
    found = _found(_COLIMA[tower.vm], fingerprint=str(tower.vm_since))
    signs = () if tower.vm in _HAS_DRIVER else (gone,)
    return Observation(Layer.COLIMA, (found,), signs=signs)


def _running(tower: SmallTower, now: float) -> Observation:
    """By its hostagent, and by two who could prove that it lives."""
    ssh, docker = tower.ssh_answers(now), tower.docker_answers(now)
    signs = (_sign("ssh", _SSH, alive=ssh), _sign("docker.sock", _SOCKET, alive=docker))
    if tower.hostagent == "up":
        found = () if ssh or docker else (_found(Reason.COLIMA_ZOMBIE),)
        return Observation(Layer.COLIMA, found, signs=signs)
    processes = (
        _alone(Component.HOSTAGENT, alive=False),
        _alone(Component.DRIVER, alive=True),
    )
    reason = Reason.HOSTAGENT_SILENT if ssh or docker else Reason.COLIMA_BROKEN
    return Observation(Layer.COLIMA, (_found(reason),), signs=(*signs, *processes))


def _ssh(tower: SmallTower, now: float) -> Observation:
    if tower.vm not in _HAS_DRIVER:
        return Observation(Layer.SSH, unknown="nobody knows the port")
    if not tower.ssh_answers(now):
        dead = _sign("ssh", _SSH, alive=False)
        card = _alone(Component.USERNET, alive=tower.usernet)
        return Observation(Layer.SSH, (_found(Reason.SSH_UNREACHABLE),), signs=(dead, card))
    signs = (
        _sign("ssh", _SSH, alive=True),
        _sign("engine inside", _INSIDE, alive=tower.engine == "up"),
        _sign(
            "api inside",
            _IN_BOX | {Component.API_SERVER},
            alive=tower.api(now) or (tower.api_failing and tower.runs(now)),
        ),
    )
    return Observation(Layer.SSH, signs=signs, uptime=now - tower.vm_since)


def _docker(tower: SmallTower, now: float) -> Observation:
    inside = _sign("engine inside", _INSIDE, alive=tower.engine_answers(now))
    if tower.ssh_answers(now) and tower.engine == "stopped":
        # To ask docker.sock would start it.
        found = _found(Reason.DOCKER_ENGINE_STOPPED, human_ago=now - tower.engine_stopped_at)
        return Observation(Layer.DOCKER, (found,), signs=(inside,))
    answers = tower.docker_answers(now)
    sign = _sign("docker.sock", _SOCKET, alive=answers)
    if answers:
        return Observation(Layer.DOCKER, signs=(sign,))
    if not tower.ssh_answers(now):
        return Observation(Layer.DOCKER, (_found(Reason.DOCKER_SILENT),), signs=(sign,))
    if not tower.engine_answers(now):
        found = _found(Reason.DOCKER_ENGINE_DOWN)
        return Observation(Layer.DOCKER, (found,), signs=(sign, inside))
    wedged = tower.mux == "wedged"
    found = _found(Reason.DOCKER_MUX_WEDGED if wedged else Reason.DOCKER_FORWARD_DEAD)
    return Observation(Layer.DOCKER, (found,), signs=(sign, inside))


def _kernel(tower: SmallTower, now: float) -> Observation:
    if not tower.ssh_answers(now):
        return Observation(Layer.KERNEL, unknown="ssh refused")
    if tower.module:
        return Observation(Layer.KERNEL)
    return Observation(Layer.KERNEL, (_found(Reason.BR_NETFILTER_MISSING),))


_BOX: Final = {
    "refused": Reason.TALOS_START_REFUSED,
    "missing": Reason.TALOS_MISSING,
}


def _talos(tower: SmallTower, now: float) -> Observation:
    if not tower.docker_answers(now):
        return Observation(Layer.TALOS, unknown="docker does not answer")
    up = now - tower.box_since
    if tower.box == "exited":
        by_human = tower.box_stopped_by_human
        ago = None if by_human is None else now - by_human
        found = _found(Reason.TALOS_STOPPED, human_ago=ago, fingerprint=str(tower.box_since))
        return Observation(Layer.TALOS, (found,))
    if tower.box in _BOX:
        return Observation(Layer.TALOS, (_found(_BOX[tower.box]),))
    advisory = () if tower.policy else (_found(Reason.RESTART_POLICY),)
    if tower.box == "shutting_down" and tower.api_answers(now):
        signs = (
            _sign(
                "condition",
                _port(tower) | {Component.API_SERVER, Component.CONTROL},
                alive=False,
            ),
            _sign("in the VM", _IN_BOX | {Component.CONTROL}, alive=False),
        )
        shut = _found(Reason.TALOS_SHUTTING_DOWN)
        return Observation(Layer.TALOS, (shut, *advisory), signs=signs, uptime=up)
    if tower.box == "wedged" and up > READY_AFTER:
        return Observation(Layer.TALOS, (_found(Reason.TALOS_WEDGED), *advisory), uptime=up)
    return Observation(Layer.TALOS, advisory, uptime=up)


def _apiserver(tower: SmallTower, now: float) -> Observation:
    failing = tower.api_failing and tower.runs(now) and tower.carries
    alive = tower.api_answers(now) or failing
    sign = _sign("/readyz", _port(tower) | {Component.API_SERVER}, alive=alive)
    if failing:
        return Observation(Layer.APISERVER, (_found(Reason.API_FAILING),), signs=(sign,))
    found = () if alive else (_found(Reason.API_UNREACHABLE),)
    return Observation(Layer.APISERVER, found, signs=(sign,))


def _node(tower: SmallTower, now: float) -> Observation:
    if not tower.api_answers(now):
        return Observation(Layer.NODE, unknown="the API does not answer")
    found = []
    if not tower.ready(now):
        found.append(_found(Reason.NODE_NOT_READY))
    elif tower.cordoned == "talos":
        found.append(_found(Reason.NODE_CORDONED))
    elif tower.cordoned == "human":
        found.append(_found(Reason.CORDONED_BY_HUMAN))
    if tower.tainted:
        found.append(_found(Reason.NODE_TAINTED))
    return Observation(Layer.NODE, tuple(found))


def _flannel(tower: SmallTower, now: float) -> Observation:
    if not tower.api_answers(now):
        return Observation(Layer.FLANNEL, unknown="the API does not answer")
    if tower.network(now):
        return Observation(Layer.FLANNEL)
    if tower.flannel == "up" and tower.module:
        return Observation(Layer.FLANNEL, (_found(Reason.FLANNEL_NOT_AVAILABLE),))
    return Observation(Layer.FLANNEL, (_found(Reason.FLANNEL_CRASHING, target="f@1"),))


def _pods(tower: SmallTower, now: float) -> Observation:
    if not tower.api_answers(now):
        return Observation(Layer.PODS, unknown="the API does not answer")
    found = [
        _found(Reason.POD_UNKNOWN, target=f"joelclaw/{name}@{uid}", owner=name)
        for name, uid in tower.unknown_pods.items()
    ]
    found += [
        _found(Reason.POD_UNMANAGED, target=f"joelclaw/{name}@0", owner=name)
        for name in tower.bare_pods
    ]
    found += [
        _found(Reason.POD_STUCK_TERMINATING, target=f"joelclaw/{name}@{uid}", owner=name)
        for name, uid in tower.stuck_pods.items()
    ]
    return Observation(Layer.PODS, tuple(found), targets=len(PODS) + 1)


def _livekit(tower: SmallTower, now: float) -> Observation:
    if not tower.api_answers(now):
        return Observation(Layer.LIVEKIT, unknown="the API does not answer")
    told = (_found(Reason.LIVEKIT_PAUSED),) if tower.rollout_paused else ()
    if tower.livekit_ready(now):
        return Observation(Layer.LIVEKIT, told)
    if not tower.drift or tower.rollout_paused:
        return Observation(Layer.LIVEKIT, (_found(Reason.LIVEKIT_UNHEALTHY), *told))
    event = f"livekit/drift/{tower.drift}"
    return Observation(Layer.LIVEKIT, (_found(Reason.LIVEKIT_PROBE_DRIFT, event=event),))


def _services(tower: SmallTower, now: float) -> Observation:
    alive = tower.serves(now)
    sign = _sign("port 6379", _port(tower), alive=alive)
    if not alive:
        found = (_found(Reason.SERVICE_SILENT, target="6379"),)
        return Observation(Layer.SERVICES, found, signs=(sign,))
    dead = _found(Reason.SERVICE_FORWARD_DEAD, target="8108")
    return Observation(Layer.SERVICES, (dead,) if tower.port_dead else (), signs=(sign,))


_JOB: Final = {
    "absent": Reason.JOB_ABSENT,
    "disabled": Reason.JOB_LEFT_ALONE,
}


def _launchd(tower: SmallTower, now: float) -> Observation:
    runs = tower.job_runs_now(now)
    if tower.job_loops(now):
        return Observation(Layer.LAUNCHD, (_found(Reason.JOB_CRASH_LOOP, target=JOB),))
    if not runs:
        reason = _JOB.get(tower.job, Reason.JOB_NOT_RUNNING)
        ripe_in = max(0.0, THROTTLE - (now - tower.job_since)) if tower.job_kept else 0.0
        down = _found(reason, target=JOB, fingerprint=str(tower.job_runs), ripe_in=ripe_in)
        return Observation(Layer.LAUNCHD, (down,))
    if tower.job_silent or now - tower.job_since < ANSWERS_AFTER:
        return Observation(Layer.LAUNCHD, (_found(Reason.JOB_UNHEALTHY, target=JOB),))
    return Observation(Layer.LAUNCHD)


_LOOKS: Final[Mapping[Layer, Callable[[SmallTower, float], Observation]]] = {
    Layer.HOST: _host,
    Layer.COLIMA: _colima,
    Layer.SSH: _ssh,
    Layer.DOCKER: _docker,
    Layer.KERNEL: _kernel,
    Layer.TALOS: _talos,
    Layer.APISERVER: _apiserver,
    Layer.NODE: _node,
    Layer.FLANNEL: _flannel,
    Layer.PODS: _pods,
    Layer.LIVEKIT: _livekit,
    Layer.SERVICES: _services,
    Layer.LAUNCHD: _launchd,
}
assert set(_LOOKS) == set(LAYERS)


def look(tower: SmallTower, layer: Layer, now: float) -> Observation:
    """What a look at a layer shows now."""
    return _LOOKS[layer](tower, now)
