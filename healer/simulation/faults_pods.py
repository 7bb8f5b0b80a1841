"""What befalls flannel, pods, LiveKit and services (facts/talos-kubernetes.md §3-§6)."""

from healer.core.tower import Layer
from healer.simulation.flannel import BACKOFF
from healer.simulation.happening import Choice, Happening, fault
from healer.simulation.physics import Tower
from healer.simulation.workloads import LIVEKIT, REDIS, Workload


def _flannel_crashes(tower: Tower) -> None:
    flannel = tower.cluster.flannel
    if flannel.running:
        flannel.restarts = len(BACKOFF) - 1
        flannel.crash("it was killed again and again")


def _subnet_env_lost(tower: Tower) -> None:
    kubelet = tower.cluster.kubelet
    tower.cluster.flannel.subnet_env = False
    tower.tell("subnet.env is gone")
    for one in tower.workloads:
        if one.up and one.name == "system-bus-worker":
            kubelet.replace(one)


def _pod_unknown(tower: Tower, owner: str) -> None:
    _lose(tower, _of_kind(tower, owner))


def _lose(tower: Tower, workload: Workload) -> None:
    if not workload.up:
        return
    tower.cluster.kubelet.end_container(workload)
    workload.found_lost(tower.clock.at)
    workload.attempt += 1
    workload.stuck = True
    tower.tell(f"{workload.name}: containerd lost its container")


_BARE = "debug-shell"
_OF_KIND = {
    "StatefulSet": "typesense",
    "Deployment": "system-bus-worker",
    "bare": _BARE,
    "mirror": "kube-apiserver-joelclaw-controlplane-1",
}


def _livekit_pod_unknown(tower: Tower) -> None:
    _lose(tower, tower.cluster.kubelet.named(LIVEKIT))


def _of_kind(tower: Tower, owner: str) -> Workload:
    name = _OF_KIND[owner]
    if name == _BARE and all(one.name != _BARE for one in tower.workloads):
        bare = Workload(_BARE, "Pod", "default", up=True, ready=True)
        bare.created_at = bare.started_at = tower.clock.at - 900.0
        tower.workloads.append(bare)
    return tower.cluster.kubelet.named(name)


def _pod_stuck_terminating(tower: Tower, workload: str) -> None:
    found = tower.cluster.kubelet.named(workload)
    if found.desired and found.up:
        tower.cluster.kubelet.end_container(found)
        found.holds_on = True
        tower.cluster.kubelet.delete(found, 30.0)
        tower.tell(f"{workload} is being deleted, and hangs")


def _bad_image(tower: Tower, workload: str) -> None:
    found = tower.cluster.kubelet.named(workload)
    if found.desired:
        found.image_bad = True
        tower.cluster.kubelet.replace(found)
        tower.tell(f"{workload} has an image that nobody can pull")


def _mount_hangs(tower: Tower, workload: str) -> None:
    found = tower.cluster.kubelet.named(workload)
    if found.desired:
        found.mount_hangs = True
        tower.cluster.kubelet.replace(found)
        tower.tell(f"the NAS is off, and {workload} waits for its volume")


def _crash_loop(tower: Tower, workload: str) -> None:
    found = tower.cluster.kubelet.named(workload)
    if found.desired:
        found.crashes_after = 3.0
        tower.cluster.kubelet.replace(found)
        tower.tell(f"{workload} crashes again and again")


def _aof_corrupt(tower: Tower) -> None:
    redis = tower.cluster.kubelet.named(REDIS)
    if redis.desired:
        redis.last_words = _LAST_WORDS
        _crash_loop(tower, REDIS)


def _livekit_probes_reset(tower: Tower) -> None:
    livekit = tower.cluster.kubelet.named(LIVEKIT)
    if livekit.desired and tower.cluster.api.up:
        livekit.generation += 1
        if livekit.paused:
            livekit.template_waits = True
            tower.tell("a chart upgrade has reset LiveKit's probes, and its rollout is paused")
            return
        livekit.probes_drifted = True
        tower.cluster.kubelet.replace(livekit)
        tower.tell("a chart upgrade has reset LiveKit's probes")


def _service_silent(tower: Tower, port: float) -> None:
    tower.troubles.silent_ports.add(int(port))
    tower.tell(f"what is behind port {port:.0f} accepts and says nothing")


_LAST_WORDS = (
    "1:M 01 Apr 2026 04:12:07.311 * Reading RDB base file on AOF loading...\n"
    "1:M 01 Apr 2026 04:12:07.402 # Bad file format reading the append only file "
    "appendonly.aof.1.incr.aof: make a backup of your AOF file, then use ./redis-check-aof --fix "
    "<filename>\n"
)
"""What a Redis 7 says and ends with."""
_PORTLESS = ("system-bus-worker", "local-path-provisioner")
_WORKER = {"workload": Choice("which", "system-bus-worker", _PORTLESS)}
_DATABASES = {"workload": Choice("which", "typesense", ("typesense", "inngest", "redis"))}


FAULTS_OF_PODS: tuple[Happening, ...] = (
    fault(
        "flannel_crashes",
        Layer.FLANNEL,
        _flannel_crashes,
        "flannel was killed so often that its back-off is five minutes (talos §5).",
    ),
    fault(
        "subnet_env_lost",
        Layer.FLANNEL,
        _subnet_env_lost,
        "subnet.env vanishes under a flannel that runs, and a pod needs it (incident 30).",
    ),
    fault(
        "pod_unknown",
        Layer.PODS,
        _pod_unknown,
        "containerd lost a pod's container, and the kubelet never starts it again (talos §3 A).",
        {"owner": Choice("whose pod", "StatefulSet", tuple(_OF_KIND))},
    ),
    fault(
        "livekit_pod_unknown",
        Layer.LIVEKIT,
        _livekit_pod_unknown,
        "The same befalls LiveKit's pod, which has a layer of its own and no such remedy.",
        covered=False,
    ),
    fault(
        "pod_stuck_terminating",
        Layer.PODS,
        _pod_stuck_terminating,
        "A pod was deleted and the kubelet never ends it (talos §4).",
        {"workload": Choice("which", "system-bus-worker", (*_PORTLESS, "bluesky-pds"))},
    ),
    fault(
        "image_pull",
        Layer.PODS,
        _bad_image,
        "A worker's image cannot be pulled (incident 35); advisory.",
        _WORKER,
    ),
    fault(
        "mount_hangs",
        Layer.PODS,
        _mount_hangs,
        "The NAS is off, so a worker's volume is never mounted (incident 16, R20); advisory.",
        _WORKER,
    ),
    fault(
        "bad_image",
        Layer.SERVICES,
        _bad_image,
        "A database's image cannot be pulled, so its port is dead (incident 35).",
        _DATABASES,
        covered=False,
    ),
    fault(
        "worker_crash_loop",
        Layer.PODS,
        _crash_loop,
        "A worker crashes again and again; advisory.",
        _WORKER,
    ),
    fault(
        "crash_loop",
        Layer.SERVICES,
        _crash_loop,
        "A database crashes again and again.",
        _DATABASES,
        covered=False,
    ),
    fault(
        "aof_corrupt",
        Layer.SERVICES,
        _aof_corrupt,
        "Redis refuses to start, for its append-only file is corrupt (incident 18).",
        covered=False,
    ),
    fault(
        "livekit_probes_reset",
        Layer.LIVEKIT,
        _livekit_probes_reset,
        "A chart upgrade resets LiveKit's probes to ones that cannot pass here (talos §6).",
    ),
    fault(
        "service_silent",
        Layer.SERVICES,
        _service_silent,
        "A service accepts and never answers, while its pod is Ready (incident 36).",
        {"port": Choice("which", 8108, (8108, 8288, 6379))},
        covered=False,
    ),
)
