"""Ladders and limits: which remedy answers which reason, how often, and on whose word.

This file is the table of design §3 as data; `render_table` prints it. Numbers are seconds
unless a name says otherwise, and each comes from design §3, §4 or §10.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from healer.core.observation import Component
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.word import Word

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR


class Remedy(Word):
    """Everything healer can do; what is not here does not exist as code (I9)."""

    START_VM = "start_vm"
    CYCLE_VM = "cycle_vm"
    FORCE_CYCLE_VM = "force_cycle_vm"
    CLEAN_STALE_FILES = "clean_stale_files"
    REFORWARD = "reforward"
    TERM_MUX = "term_mux"
    START_ENGINE = "start_engine"
    RESTART_ENGINE = "restart_engine"
    LOAD_MODULES = "load_modules"
    START_CONTAINER = "start_container"
    RESTART_CONTAINER = "restart_container"
    SET_RESTART_POLICY = "set_restart_policy"
    SET_MEMORY_LIMIT = "set_memory_limit"
    UNCORDON = "uncordon"
    UNTAINT = "untaint"
    DELETE_FLANNEL_POD = "delete_flannel_pod"
    DELETE_POD = "delete_pod"
    FORCE_DELETE_POD = "force_delete_pod"
    PATCH_LIVEKIT = "patch_livekit"
    KICKSTART_JOB = "kickstart_job"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `count` runs within any `window` seconds."""

    count: int
    window: float


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential wait with full jitter between runs: up to `first * 2**n`, at most `cap`."""

    first: float
    cap: float


@dataclass(frozen=True, slots=True)
class Limits:
    """How often one remedy may run on one target, and what it must stand on."""

    budget: Budget
    requires: frozenset[Layer] = frozenset()
    """Layers that must have been seen and be well; an unknown one makes it wait."""
    cooldown: float = 0.0
    """Least time between two runs on the same target."""
    backoff: Backoff | None = None
    cap: float = 60.0
    """How long one run may take before it is ended (for the VM: before it is given up)."""
    settle: float = 60.0
    """How long after the act its effect may take to show before it counts as failed."""
    passes: int = 2
    """Consecutive good looks that make a recovery."""
    window: float = 0.0
    """Time that those looks must span (the VM: 90 s)."""
    counts_with: frozenset[Remedy] = frozenset()
    """Remedies whose runs use up the same budget; empty = its own only."""
    disruptive: bool = False
    """Takes something down that may be serving: I5 and I7 apply."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What a disruptive act needs to have heard (I5), and what forbids it (I6)."""

    accused: frozenset[Component]
    """What the act takes for dead. A witness is a silent sign that depends on one of these, and on
    nothing else that is known to be dead; two are independent when nothing else that may be dead
    lies on both ways."""
    spares: frozenset[Component]
    """What the act would take down: a fresh answer that depends on one of these forbids it."""
    count: int = 2
    """Independent witnesses that are needed."""
    over: float = 30.0
    """Seconds for which every witness must have been silent."""
    asked: frozenset[Layer] = frozenset()
    """Layers that must have been looked at lately: who was not asked has not been silent."""
    seen: frozenset[Layer] = frozenset()
    """Layers whose last look must not have been blind, unless an accused component is seen dead by
    itself: such a look knows what else on the way is dead (Lima's usernet) and explains silence."""
    proven: frozenset[Component] = frozenset()
    """What a fresh answer must prove to live, so that it explains no silence."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder."""

    remedy: Remedy
    tries: int = 3
    """Runs without recovery before the next rung is taken."""
    witnesses: Witnesses | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """What answers a reason, gentlest first; no rungs means: report only."""

    samples: int = 2
    """Bad looks before it counts as confirmed.

    One, with `over` at 0, is enough for what cannot come and go by itself: a setting, what a human
    set, a certificate. A pass over a healthy tower looks only once, and acts on it or reports it.
    """
    over: float = 5.0
    """Time from the first bad look to the confirming one."""
    rungs: tuple[Rung, ...] = ()
    hold: float = 1800.0
    """Rest after the ladder is spent without success."""
    hold_target: bool = False
    """Only the target rests: the others of its layer have nothing to do with it."""
    patience: float = 0.0
    """How long a human's own doing is respected before it is answered."""
    advice: str = ""
    """What a human should do when there is no rung, or none helped."""


_VM: Final = frozenset({Component.DRIVER, Component.GUEST})
_PORTS: Final = frozenset({Layer.SERVICES})
_VM_WITNESSES: Final = Witnesses(
    _VM, frozenset({Component.GUEST}), over=60.0, asked=_PORTS, seen=frozenset({Layer.SSH})
)
_VM_WITNESSES_BROKEN: Final = replace(_VM_WITNESSES, over=30.0)
_ENGINE_WITNESSES: Final = Witnesses(
    frozenset({Component.DOCKERD}),
    frozenset({Component.DOCKERD, Component.CONTAINER}),
    asked=_PORTS,
)
# Its one witness is the silence of what it carries; that dockerd answers by another way leaves
# nothing but the master to explain it.
_MUX_WITNESSES: Final = Witnesses(
    frozenset({Component.MUX}),
    frozenset({Component.MUX}),
    count=1,
    over=60.0,
    proven=frozenset({Component.DOCKERD}),
)
_WEDGED_WITNESSES: Final = Witnesses(
    frozenset({Component.CONTAINER, Component.API_SERVER}),
    frozenset({Component.CONTAINER, Component.API_SERVER}),
    asked=_PORTS,
)
_SHUTDOWN_WITNESSES: Final = Witnesses(
    frozenset({Component.CONTROL}), frozenset({Component.CONTROL})
)

_SURE: Final = 3
_SURE_OVER: Final = 30.0
_SILENCE: Final = 3
"""Looks in a row that heard no answer: where one answer in 500 gets lost, two in a row are lost
about once in ten days on a tower that is well, and three once in years. What refuses says so at
each look, two seconds apart, and is confirmed no later for it."""
_LOOKED_TWICE: Final = 90.0
"""Longer than the rest between the first two looks of a daemon at what is in front of the ports."""

LADDERS: Final[Mapping[Reason, Ladder]] = MappingProxyType(
    {
        Reason.TOOL_MISSING: Ladder(1, 0.0, advice="install it and put it on PATH"),
        Reason.TOOL_ABSENT: Ladder(1, 0.0, advice="install it when you need it"),
        Reason.RIVAL_LOADED: Ladder(1, 0.0, advice="boot the other owner out with launchctl"),
        Reason.OPERATION_LASTS: Ladder(1, 0.0, advice="find out what it waits for, or end it"),
        Reason.DISK_FULL: Ladder(advice="free space on the disk of the state folder"),
        Reason.KUBECONFIG_WRONG: Ladder(1, 0.0, advice="healer kubeconfig"),
        Reason.TALOSCONFIG_WRONG: Ladder(1, 0.0, advice="healer kubeconfig"),
        Reason.HOST_CERTIFICATE_EXPIRING: Ladder(1, 0.0, advice="renew it: healer certificates"),
        # A server that is being restarted shows no certificate for a while.
        Reason.CERTIFICATE_UNREAD: Ladder(_SURE, 300.0, advice="healer certificates"),
        Reason.COLIMA_STOPPED: Ladder(
            rungs=(Rung(Remedy.START_VM, 4),),
            patience=10 * MINUTE,
            advice="read INST/ha.stderr.log, then run: colima start",
        ),
        Reason.COLIMA_BROKEN: Ladder(
            samples=_SURE,
            over=15.0,
            rungs=(
                Rung(Remedy.CLEAN_STALE_FILES, 1),
                Rung(Remedy.FORCE_CYCLE_VM, 1, _VM_WITNESSES_BROKEN),
            ),
            advice="if nothing in the VM is needed any more: colima stop --force && colima start",
        ),
        Reason.HOSTAGENT_SILENT: Ladder(
            _SURE,
            15.0,
            advice="the VM goes on without it; when nothing in the VM is needed: "
            "colima stop --force && colima start",
        ),
        Reason.COLIMA_ZOMBIE: Ladder(
            samples=_SURE,
            over=60.0,
            rungs=(
                Rung(Remedy.CYCLE_VM, 1, _VM_WITNESSES),
                Rung(Remedy.FORCE_CYCLE_VM, 1, _VM_WITNESSES),
            ),
            advice="colima stop --force && colima start",
        ),
        Reason.COLIMA_MISSING: Ladder(advice="create the VM by hand: colima start"),
        Reason.COLIMA_DISK_LOCKED: Ladder(
            advice="when no VM process lives: "
            'LIMA_HOME="$HOME/.colima/_lima" limactl disk unlock colima'
        ),
        Reason.COLIMA_UNREADABLE: Ladder(
            _SURE, 15.0, advice="colima list --json; mend what it complains of, then: colima start"
        ),
        Reason.COLIMA_CRASH_LOOP: Ladder(
            1, 0.0, advice="read INST/serialv.log; look at memory and nestedVirtualization"
        ),
        Reason.SSH_UNREACHABLE: Ladder(
            _SURE, _SURE_OVER, advice="ssh into the VM by hand and read its journal"
        ),
        Reason.CLOCK_SKEW: Ladder(advice="update Lima to 2.1 or newer: it keeps the clock"),
        Reason.VM_DISK: Ladder(
            advice="free space in the VM on the disk that is named: docker system df shows what "
            "Docker uses, and sudo du -xh -d1 what any folder does"
        ),
        Reason.USERNET_LEAK: Ladder(advice="orphan limactl usernet processes: end them by PID"),
        Reason.DOCKER_FORWARD_DEAD: Ladder(
            _SILENCE,
            rungs=(Rung(Remedy.REFORWARD), Rung(Remedy.CYCLE_VM, 1, _VM_WITNESSES)),
            advice="colima stop && colima start, when nothing in the VM is in use",
        ),
        Reason.DOCKER_MUX_WEDGED: Ladder(
            samples=_SURE,
            over=60.0,
            rungs=(Rung(Remedy.TERM_MUX, 2, _MUX_WITNESSES),),
            advice="end the process `ssh: INST/ssh.sock [mux]` by its PID",
        ),
        # What systemd itself calls stopped takes nothing down when it starts: one word is enough.
        Reason.DOCKER_ENGINE_STOPPED: Ladder(
            samples=_SURE,
            over=_SURE_OVER,
            rungs=(Rung(Remedy.START_ENGINE, 2),),
            patience=10 * MINUTE,
            advice="in the VM: sudo systemctl start docker",
        ),
        Reason.DOCKER_ENGINE_DOWN: Ladder(
            samples=_SURE,
            over=_SURE_OVER,
            rungs=(Rung(Remedy.RESTART_ENGINE, 1, _ENGINE_WITNESSES),),
            advice="in the VM: sudo journalctl -u docker; sudo systemctl restart docker",
        ),
        Reason.DOCKER_SILENT: Ladder(
            _SILENCE, advice="the engine answers neither the Mac nor the VM"
        ),
        Reason.BR_NETFILTER_MISSING: Ladder(
            rungs=(Rung(Remedy.LOAD_MODULES),),
            advice="in the VM: sudo modprobe -a br_netfilter vxlan",
        ),
        Reason.BR_NETFILTER_UNUSED: Ladder(
            advice="nothing needs it now; in the VM: sudo modprobe br_netfilter, before iptables "
            "mode is used",
        ),
        Reason.TALOS_STOPPED: Ladder(
            rungs=(Rung(Remedy.START_CONTAINER),),
            patience=60.0,
            advice="docker start the container and read docker logs",
        ),
        Reason.TALOS_SHUTTING_DOWN: Ladder(
            samples=_SURE,
            over=_SURE_OVER,
            rungs=(Rung(Remedy.RESTART_CONTAINER, 2, _SHUTDOWN_WITNESSES),),
            advice="docker restart -t 120 the container",
        ),
        Reason.TALOS_WEDGED: Ladder(
            samples=_SURE,
            over=60.0,
            rungs=(Rung(Remedy.RESTART_CONTAINER, 2, _WEDGED_WITNESSES),),
            advice="docker restart -t 120 the container, when no workload is in use",
        ),
        Reason.TALOS_START_REFUSED: Ladder(advice="mend what Docker's message names"),
        Reason.TALOS_MISSING: Ladder(advice="the container is not there: recreate it by hand"),
        Reason.RESTART_POLICY: Ladder(1, 0.0, rungs=(Rung(Remedy.SET_RESTART_POLICY),)),
        Reason.MEMORY_LIMIT: Ladder(1, 0.0, rungs=(Rung(Remedy.SET_MEMORY_LIMIT),)),
        Reason.PORT_DRIFT: Ladder(
            1, 0.0, advice="the container's published ports need an edit by hand"
        ),
        Reason.API_UNREACHABLE: Ladder(
            _SILENCE, advice="talosctl health, and docker logs of the container"
        ),
        Reason.API_FAILING: Ladder(
            _SURE,
            _SURE_OVER,
            advice="talosctl -n 10.5.0.2 service etcd; talosctl -n 10.5.0.2 logs -k with the id of "
            "kube-apiserver from: talosctl -n 10.5.0.2 containers -k; and look at the VM's disk",
        ),
        Reason.API_UNAUTHORIZED: Ladder(advice="fetch a new kubeconfig: talosctl kubeconfig"),
        Reason.KUBECONFIG_STALE: Ladder(1, 0.0, advice="set the server line of the kubeconfig"),
        Reason.CERTIFICATE_EXPIRING: Ladder(1, 0.0, advice="renew it: talosctl kubeconfig"),
        Reason.NODE_NOT_READY: Ladder(advice="kubectl describe node"),
        Reason.NETWORK_NOT_READY: Ladder(advice="flannel is the one to look at"),
        Reason.NODE_TAINTED: Ladder(
            rungs=(Rung(Remedy.UNTAINT),),
            advice="for good: healer advice prints the patch of Talos' machine config; from 1.14 "
            "on its form decides which one works",
        ),
        Reason.NODE_CORDONED: Ladder(
            rungs=(Rung(Remedy.UNCORDON),), advice="kubectl uncordon the node"
        ),
        Reason.CORDONED_BY_HUMAN: Ladder(
            1, 0.0, advice="when the maintenance is over: kubectl uncordon the node"
        ),
        Reason.NODE_PRESSURE: Ladder(advice="free the resource that the condition names"),
        Reason.FOREIGN_TAINT: Ladder(1, 0.0, advice="kubectl taint node, when it is not meant"),
        Reason.FLANNEL_CRASHING: Ladder(
            rungs=(Rung(Remedy.DELETE_FLANNEL_POD),),
            advice="kubectl -n kube-system logs ds/kube-flannel --previous",
        ),
        Reason.SUBNET_ENV_MISSING: Ladder(
            rungs=(Rung(Remedy.DELETE_FLANNEL_POD),),
            advice="kubectl -n kube-system logs ds/kube-flannel",
        ),
        Reason.FLANNEL_NOT_AVAILABLE: Ladder(
            advice="kubectl -n kube-system describe ds/kube-flannel"
        ),
        Reason.POD_UNKNOWN: Ladder(
            rungs=(Rung(Remedy.DELETE_POD),), advice="kubectl describe the pod"
        ),
        Reason.POD_STUCK_TERMINATING: Ladder(
            rungs=(Rung(Remedy.FORCE_DELETE_POD),), advice="kubectl describe the pod"
        ),
        Reason.POD_IMAGE_PULL: Ladder(advice="mend the image's name or its pull secret"),
        Reason.POD_CRASH_LOOP: Ladder(advice="kubectl logs --previous of the pod"),
        Reason.POD_PENDING: Ladder(advice="kubectl describe the pod"),
        Reason.POD_UNMANAGED: Ladder(advice="nothing recreates it: delete it by hand if it may go"),
        Reason.LIVEKIT_PROBE_DRIFT: Ladder(
            rungs=(Rung(Remedy.PATCH_LIVEKIT),),
            advice="set the probes in the chart's values",
        ),
        Reason.LIVEKIT_DRIFT_TOLERATED: Ladder(
            1, 0.0, advice="LiveKit is Ready, so its drifted probes are left alone"
        ),
        # Its probes give a new pod ten seconds at the least (facts/talos-kubernetes.md §6).
        Reason.LIVEKIT_UNHEALTHY: Ladder(
            _SURE, _SURE_OVER, advice="kubectl -n joelclaw logs deploy/livekit-server"
        ),
        Reason.LIVEKIT_NODE_STALE: Ladder(advice="it cannot refresh its node stats: see Redis"),
        Reason.LIVEKIT_REDIS_ILL: Ladder(advice="mend Redis first; LiveKit follows it"),
        Reason.LIVEKIT_REDIS_OFF: Ladder(
            1, 0.0, advice="LiveKit gets Ready when Redis is scaled up again"
        ),
        Reason.LIVEKIT_PAUSED: Ladder(
            1, 0.0, advice="when the maintenance is over: kubectl rollout resume it"
        ),
        # A rollout takes its time; one that takes five minutes has got stuck.
        Reason.LIVEKIT_ROLLING_OUT: Ladder(
            _SURE, 300.0, advice="kubectl -n joelclaw rollout status deploy/livekit-server"
        ),
        Reason.SERVICE_FORWARD_DEAD: Ladder(
            _SILENCE,
            rungs=(Rung(Remedy.REFORWARD),),
            advice="colima stop && colima start, when idle",
        ),
        # Nothing is done about these, and a service may well come up last: told of after a while.
        Reason.SERVICE_NO_ENDPOINTS: Ladder(
            _SURE, _SURE_OVER, advice="no ready pod stands behind the service"
        ),
        Reason.SERVICE_SILENT: Ladder(
            _SURE, _SURE_OVER, advice="the pod is up and does not answer: read its logs"
        ),
        Reason.NODEPORT_MISMATCH: Ladder(
            1, 0.0, advice="make the NodePort equal to the container port"
        ),
        # It is looked at again after a minute, and a Caddy that is reloaded is no finding.
        Reason.CADDY_DOWN: Ladder(
            over=_LOOKED_TWICE, advice="launchctl kickstart -k gui/$(id -u)/com.joel.caddy"
        ),
        Reason.CADDY_URL_WRONG: Ladder(
            over=_LOOKED_TWICE, advice="look into the Caddyfile, then: caddy reload"
        ),
        # A certificate and a funnel do not come and go by themselves.
        Reason.CADDY_CERTIFICATE: Ladder(
            1, 0.0, advice="renew the certificate, then: caddy reload --force"
        ),
        Reason.FUNNEL_WRONG: Ladder(
            1, 0.0, advice="tailscale funnel --bg --https=443 http://127.0.0.1:3111"
        ),
        # Objects say it in so many words, and what passes by itself is given its time before.
        Reason.TALOS_API_SILENT: Ladder(1, 0.0, advice="talosctl health; it may need a restart"),
        Reason.METRICS_ABSENT: Ladder(1, 0.0, advice="install metrics-server"),
        Reason.NODE_PORT_RANGE: Ladder(1, 0.0, advice="widen it in Talos' machine config"),
        Reason.ENV_NAMES_K3D: Ladder(1, 0.0, advice="name the Mac as this VM knows it"),
        Reason.WORKER_ADDRESS: Ladder(1, 0.0, advice="name the worker's own address"),
        Reason.POD_SECURITY: Ladder(1, 0.0, advice="label the namespace as privileged"),
        Reason.STORAGE_CLASS: Ladder(1, 0.0, advice="make one StorageClass the default"),
        Reason.PROVISIONER: Ladder(1, 0.0, advice="mend local-path-provisioner"),
        Reason.REDIS_AOF_CORRUPT: Ladder(
            1, 0.0, advice="copy its files, then: redis-check-aof --fix"
        ),
        Reason.MOUNT_HANGS: Ladder(1, 0.0, advice="see to the file server; nothing is restarted"),
        Reason.REDIS_SETTINGS: Ladder(1, 0.0, advice="set it in Redis' own configuration"),
        Reason.JOB_CRASH_LOOP: Ladder(
            1,
            0.0,
            advice="launchd starts it again and again: read the job's StandardErrorPath",
        ),
        # launchd itself waits 10 s before it starts a job again (launchd.plist(5)): it comes first.
        Reason.JOB_NOT_RUNNING: Ladder(
            _SURE,
            _SURE_OVER,
            rungs=(Rung(Remedy.KICKSTART_JOB),),
            hold_target=True,
            advice="read the job's StandardErrorPath, and: launchctl print the job",
        ),
        # It may still be starting, and nothing is done about it.
        Reason.JOB_UNHEALTHY: Ladder(
            _SURE, 60.0, advice="it runs and does not answer: read its log; healer restarts no job"
        ),
        Reason.JOB_FAILED: Ladder(1, 0.0, advice="read the job's StandardErrorPath"),
        Reason.JOB_OVERDUE: Ladder(_SURE, _SURE_OVER, advice="launchctl print the job"),
        Reason.JOB_LEFT_ALONE: Ladder(
            _SURE, _SURE_OVER, advice="start it by hand when it should run: launchctl kickstart"
        ),
        Reason.JOB_IN_SYSTEM: Ladder(
            _SURE, _SURE_OVER, advice="only root may start it: sudo launchctl kickstart"
        ),
        # After a login launchd loads its agents one by one.
        Reason.JOB_ABSENT: Ladder(
            _SURE,
            60.0,
            advice="launchctl bootstrap its plist, or leave it out of [[jobs]]",
        ),
    }
)

_VM_START: Final = Budget(4, HOUR)
# A ladder's stop and start count as one start, and all starts share one budget (design §10).
_VM_STARTS: Final = frozenset({Remedy.START_VM, Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM})
_API: Final = frozenset({Layer.APISERVER})

LIMITS: Final[Mapping[Remedy, Limits]] = MappingProxyType(
    {
        # A start has hard limits of 10 min in limactl and 2 min for docker (facts/colima.md §1.5).
        Remedy.START_VM: Limits(
            _VM_START,
            backoff=Backoff(30.0, 10 * MINUTE),
            cap=13 * MINUTE,
            settle=120.0,
            passes=6,
            window=90.0,
            counts_with=_VM_STARTS,
        ),
        Remedy.CYCLE_VM: Limits(
            _VM_START,
            cooldown=900.0,
            cap=17 * MINUTE,
            settle=120.0,
            passes=6,
            window=90.0,
            counts_with=_VM_STARTS,
            disruptive=True,
        ),
        Remedy.FORCE_CYCLE_VM: Limits(
            _VM_START,
            cooldown=900.0,
            cap=16 * MINUTE,
            settle=120.0,
            passes=6,
            window=90.0,
            counts_with=_VM_STARTS,
            disruptive=True,
        ),
        Remedy.CLEAN_STALE_FILES: Limits(Budget(3, HOUR), cooldown=60.0, settle=30.0),
        Remedy.REFORWARD: Limits(
            Budget(3, 10 * MINUTE), frozenset({Layer.SSH}), cooldown=5.0, settle=15.0
        ),
        Remedy.TERM_MUX: Limits(
            Budget(2, HOUR), frozenset({Layer.SSH}), cooldown=60.0, settle=30.0, disruptive=True
        ),
        Remedy.START_ENGINE: Limits(
            Budget(3, HOUR), frozenset({Layer.SSH}), cooldown=60.0, cap=90.0, settle=60.0
        ),
        Remedy.RESTART_ENGINE: Limits(
            Budget(1, 900.0),
            frozenset({Layer.SSH}),
            cooldown=900.0,
            cap=90.0,
            settle=60.0,
            disruptive=True,
        ),
        Remedy.LOAD_MODULES: Limits(Budget(6, HOUR), frozenset({Layer.SSH}), cooldown=30.0),
        Remedy.START_CONTAINER: Limits(
            Budget(6, HOUR), frozenset({Layer.DOCKER}), backoff=Backoff(10.0, 5 * MINUTE)
        ),
        # The stop inside may take its 120 s, and facts/talos-kubernetes.md §1 wants them given.
        Remedy.RESTART_CONTAINER: Limits(
            Budget(2, HOUR),
            frozenset({Layer.DOCKER}),
            cooldown=600.0,
            cap=180.0,
            settle=180.0,
            disruptive=True,
        ),
        Remedy.SET_RESTART_POLICY: Limits(
            Budget(4, DAY), frozenset({Layer.DOCKER, Layer.TALOS}), cooldown=60.0
        ),
        Remedy.SET_MEMORY_LIMIT: Limits(
            Budget(4, DAY), frozenset({Layer.DOCKER, Layer.TALOS}), cooldown=60.0
        ),
        Remedy.UNCORDON: Limits(Budget(6, DAY), _API, cooldown=60.0),
        Remedy.UNTAINT: Limits(Budget(12, DAY), _API, cooldown=5.0, settle=30.0, window=5.0),
        Remedy.DELETE_FLANNEL_POD: Limits(
            Budget(3, HOUR),
            frozenset({Layer.APISERVER, Layer.KERNEL}),
            cooldown=120.0,
            settle=90.0,
        ),
        Remedy.DELETE_POD: Limits(
            Budget(12, HOUR),
            frozenset({Layer.APISERVER, Layer.NODE, Layer.FLANNEL}),
            cooldown=10 * MINUTE,
            settle=120.0,
        ),
        Remedy.FORCE_DELETE_POD: Limits(
            Budget(6, HOUR),
            frozenset({Layer.APISERVER, Layer.NODE, Layer.FLANNEL}),
            cooldown=10 * MINUTE,
            settle=120.0,
        ),
        # Each generation is patched once (its event is used up), so a short gap is enough.
        Remedy.PATCH_LIVEKIT: Limits(Budget(3, DAY), _API, cooldown=MINUTE, settle=180.0),
        # The cooldown is of each job (design §3); three jobs after a reboot are three runs. What
        # dies within launchd's own 10 s of least runtime has not started.
        Remedy.KICKSTART_JOB: Limits(
            Budget(12, DAY), cooldown=900.0, cap=30.0, settle=60.0, window=15.0
        ),
    }
)


GRACE: Final[Mapping[Layer, tuple[Layer, float]]] = MappingProxyType(
    {
        # dockerd starts after sshd, and a start that is not ours may restart it once more.
        Layer.DOCKER: (Layer.SSH, 60.0),
        Layer.APISERVER: (Layer.TALOS, 120.0),
        Layer.NODE: (Layer.TALOS, 60.0),
        Layer.FLANNEL: (Layer.TALOS, 30.0),
    }
)
"""A layer's badness is expected for so long after what it runs in was started (facts §6 of
incidents: the first minute after a boot is no evidence). Findings that name their own proof
(a taint, a crash with the module missing) are not softened by it: see `EXPECTED_AT_START`."""

EXPECTED_AT_START: Final = frozenset(
    {
        Reason.DOCKER_ENGINE_STOPPED,
        Reason.DOCKER_ENGINE_DOWN,
        Reason.DOCKER_SILENT,
        Reason.API_UNREACHABLE,
        Reason.API_FAILING,
        Reason.NODE_NOT_READY,
        Reason.FLANNEL_NOT_AVAILABLE,
    }
)
