"""What befalls the container, Talos, the API, the node and pods (facts/talos-kubernetes.md)."""

from collections.abc import Mapping

from healer.core.tower import Layer
from healer.simulation.flannel import BACKOFF
from healer.simulation.happening import Befall, Choice, Happening, Kind, Parameter, seconds
from healer.simulation.node import READY, STARTING, STOPPED_POSTING
from healer.simulation.physics import Tower
from healer.simulation.workloads import LIVEKIT, Workload

_CPUS = "range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"
_KUBELET_GIVEN_UP_AFTER = 40.0
"""node-monitor-grace-period: then the controller writes Unknown (§2)."""


def _docker_kill(tower: Tower) -> None:
    if tower.dockerd.up and tower.box.running:
        tower.box.kill_by_hand()


def _container_dies(tower: Tower) -> None:
    if tower.box.running:
        tower.box.dies(255)


def _container_oom_killed(tower: Tower) -> None:
    if tower.box.running:
        tower.box.dies(137)
        tower.box.oom_killed = True


def _policy_lost(tower: Tower) -> None:
    tower.box.restart_policy = "no"
    tower.tell("the container has no restart policy any more")


def _container_missing(tower: Tower) -> None:
    if tower.box.running:
        tower.box.ended(137)
    tower.box.there = False
    tower.tell("the container was removed")


def _container_start_refused(tower: Tower, message: str) -> None:
    tower.box.refusal = tower.box.error = message
    if tower.box.running:
        tower.box.dies(255)
    tower.tell(f"Docker cannot start the container: {message}")


def _memory_capped(tower: Tower) -> None:
    tower.box.memory = 4 * 2**30
    tower.tell("the container is capped at 4 GiB")


def _port_drift(tower: Tower) -> None:
    tower.box.ports = (*tower.box.ports, 3111)
    tower.tell("the container publishes 3111, which is the Mac's own")


def _talos_shutting_down(tower: Tower) -> None:
    if tower.cluster.api.up and tower.cluster.node.reporting:
        tower.cluster.hang_in_shutdown()


def _talos_wedged(tower: Tower) -> None:
    if tower.box.running:
        tower.cluster.wedge()


def _taint_put_back(tower: Tower) -> None:
    if tower.cluster.api.up:
        tower.cluster.taint()


def _annotation_written(tower: Tower) -> None:
    if tower.cluster.api.up:
        tower.cluster.node.version += 1
        tower.cluster.node_changed()


def _ready_flip(tower: Tower) -> None:
    if not tower.cluster.node.reporting:
        return
    tower.cluster.node.say("False", STARTING)
    tower.cluster.life.after(3.0, tower.cluster.node_ready)


def _kubelet_dies(tower: Tower) -> None:
    node = tower.cluster.node
    node.fall_silent()
    tower.tell("the kubelet is dead")

    def given_up() -> None:
        if not node.reporting and node.message == READY:
            node.say("Unknown", STOPPED_POSTING)

    tower.cluster.life.after(_KUBELET_GIVEN_UP_AFTER, given_up)


def _cordon_by_talos(tower: Tower) -> None:
    if tower.cluster.api.up and not tower.cluster.node.cordoned:
        tower.cluster.node.cordon(by_talos=True)
        tower.tell("Talos has left its cordon behind")


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


def _crash_loop(tower: Tower, workload: str) -> None:
    found = tower.cluster.kubelet.named(workload)
    if found.desired:
        found.crashes_after = 3.0
        tower.cluster.kubelet.replace(found)
        tower.tell(f"{workload} crashes again and again")


def _livekit_probes_reset(tower: Tower) -> None:
    livekit = tower.cluster.kubelet.named(LIVEKIT)
    if livekit.desired and tower.cluster.api.up:
        livekit.probes_drifted = True
        livekit.generation += 1
        tower.cluster.kubelet.replace(livekit)
        tower.tell("a chart upgrade has reset LiveKit's probes")


def _service_silent(tower: Tower, port: float) -> None:
    tower.troubles.silent_ports.add(int(port))
    tower.tell(f"what is behind port {port:.0f} accepts and says nothing")


def _lasting(tower: Tower, trouble: str, duration: float, what: str) -> None:
    setattr(tower.troubles, trouble, tower.clock.at + duration)
    tower.tell(what)
    tower.clock.after(duration, lambda: tower.tell(f"it is over: {what}"))


def _api_silent(tower: Tower, seconds: float) -> None:
    _lasting(tower, "api_silent_until", seconds, "the API accepts and says nothing")


def _api_errors(tower: Tower, seconds: float) -> None:
    _lasting(tower, "api_errors_until", seconds, "the API answers 500")


def _api_unauthorized(tower: Tower) -> None:
    tower.cluster.api.unauthorized = True
    tower.tell("the API does not know our certificate any more")


def _kubeconfig_stale(tower: Tower) -> None:
    tower.cluster.api.kubeconfig_port = 64_784
    tower.tell("the kubeconfig names a port of the cluster before")


_PORTLESS = ("system-bus-worker", "local-path-provisioner")
_WORKER = {"workload": Choice("which", "system-bus-worker", _PORTLESS)}
_DATABASES = {"workload": Choice("which", "typesense", ("typesense", "inngest", "redis"))}


def _fault(
    name: str,
    layer: Layer,
    act: Befall,
    about: str,
    parameters: Mapping[str, Parameter] | None = None,
    *,
    covered: bool = True,
) -> Happening:
    return Happening(name, about, layer, Kind.FAULT, covered, act, parameters or {})


FAULTS_OF_THE_CLUSTER = (
    _fault(
        "docker_kill",
        Layer.TALOS,
        _docker_kill,
        "The container is killed through Docker, which marks it as stopped by hand (talos §1).",
    ),
    _fault(
        "container_dies",
        Layer.TALOS,
        _container_dies,
        "The container's init ends by itself; its restart policy brings it back (talos §9).",
    ),
    _fault(
        "container_oom_killed",
        Layer.TALOS,
        _container_oom_killed,
        "The cgroup's OOM killer ends the container (talos §1, incident 13).",
    ),
    _fault(
        "policy_lost",
        Layer.TALOS,
        _policy_lost,
        "The container has no restart policy, as talosctl creates it (talos §1, R37).",
    ),
    _fault(
        "container_missing",
        Layer.TALOS,
        _container_missing,
        "Somebody removed the container; only a human can make it anew (talos §1).",
        covered=False,
    ),
    _fault(
        "container_start_refused",
        Layer.TALOS,
        _container_start_refused,
        "The container dies and Docker cannot start it again (talos §1, incident 19).",
        {
            "message": Choice(
                "Docker's words", _CPUS, (_CPUS, "Bind for 0.0.0.0:3111: port is already allocated")
            )
        },
        covered=False,
    ),
    _fault(
        "memory_capped",
        Layer.TALOS,
        _memory_capped,
        "The container is capped at 4 GiB, as it was created (incident 13); advisory.",
    ),
    _fault(
        "port_drift",
        Layer.TALOS,
        _port_drift,
        "The container publishes a port of the Mac's own (incident 19); advisory.",
    ),
    _fault(
        "talos_shutting_down",
        Layer.TALOS,
        _talos_shutting_down,
        "Talos hangs in a shutdown: cordoned, pods failed, the API lives (talos §1, incident 2).",
    ),
    _fault(
        "talos_wedged",
        Layer.TALOS,
        _talos_wedged,
        "etcd or the kubelet restart for ever in a container that runs (talos §1).",
    ),
    _fault(
        "api_silent",
        Layer.APISERVER,
        _api_silent,
        "The API accepts and says nothing for a while (talos §0.6).",
        {"seconds": seconds(60.0, 900.0)},
    ),
    _fault(
        "api_errors",
        Layer.APISERVER,
        _api_errors,
        "The API answers 500 for a while, as when etcd is slow.",
        {"seconds": seconds(60.0, 900.0)},
    ),
    _fault(
        "api_unauthorized",
        Layer.APISERVER,
        _api_unauthorized,
        "The API refuses the kubeconfig's certificate, which does not renew itself (talos §1).",
        covered=False,
    ),
    _fault(
        "kubeconfig_stale",
        Layer.APISERVER,
        _kubeconfig_stale,
        "The kubeconfig names another port than Docker publishes (incident 17); advisory.",
    ),
    _fault(
        "taint_put_back",
        Layer.NODE,
        _taint_put_back,
        "Talos puts its control-plane taint back (talos §2).",
    ),
    _fault(
        "annotation_written",
        Layer.NODE,
        _annotation_written,
        "Somebody writes an annotation on the node, so Talos taints it (talos §2).",
    ),
    _fault(
        "ready_flip",
        Layer.NODE,
        _ready_flip,
        "The node is not Ready for a moment, so Talos taints it (talos §2).",
    ),
    _fault(
        "kubelet_dies",
        Layer.NODE,
        _kubelet_dies,
        "The kubelet dies in a container that runs; pods live on unwatched (talos §1).",
        covered=False,
    ),
    _fault(
        "cordon_by_talos",
        Layer.NODE,
        _cordon_by_talos,
        "Talos left its own cordon behind (talos §1, §2).",
    ),
    _fault(
        "flannel_crashes",
        Layer.FLANNEL,
        _flannel_crashes,
        "flannel was killed so often that its back-off is five minutes (talos §5).",
    ),
    _fault(
        "subnet_env_lost",
        Layer.FLANNEL,
        _subnet_env_lost,
        "subnet.env vanishes under a flannel that runs, and a pod needs it (incident 30).",
    ),
    _fault(
        "pod_unknown",
        Layer.PODS,
        _pod_unknown,
        "containerd lost a pod's container, and the kubelet never starts it again (talos §3 A).",
        {"owner": Choice("whose pod", "StatefulSet", tuple(_OF_KIND))},
    ),
    _fault(
        "livekit_pod_unknown",
        Layer.LIVEKIT,
        _livekit_pod_unknown,
        "The same befalls LiveKit's pod, which has a layer of its own and no such remedy.",
        covered=False,
    ),
    _fault(
        "pod_stuck_terminating",
        Layer.PODS,
        _pod_stuck_terminating,
        "A pod was deleted and the kubelet never ends it (talos §4).",
        {"workload": Choice("which", "system-bus-worker", (*_PORTLESS, "bluesky-pds"))},
    ),
    _fault(
        "image_pull",
        Layer.PODS,
        _bad_image,
        "A worker's image cannot be pulled (incident 35); advisory.",
        _WORKER,
    ),
    _fault(
        "bad_image",
        Layer.SERVICES,
        _bad_image,
        "A database's image cannot be pulled, so its port is dead (incident 35).",
        _DATABASES,
        covered=False,
    ),
    _fault(
        "worker_crash_loop",
        Layer.PODS,
        _crash_loop,
        "A worker crashes again and again; advisory.",
        _WORKER,
    ),
    _fault(
        "crash_loop",
        Layer.SERVICES,
        _crash_loop,
        "A database crashes again and again, as with a corrupt AOF (incident 18).",
        _DATABASES,
        covered=False,
    ),
    _fault(
        "livekit_probes_reset",
        Layer.LIVEKIT,
        _livekit_probes_reset,
        "A chart upgrade resets LiveKit's probes to ones that cannot pass here (talos §6).",
    ),
    _fault(
        "service_silent",
        Layer.SERVICES,
        _service_silent,
        "A service accepts and never answers, while its pod is Ready (incident 36).",
        {"port": Choice("which", 8108, (8108, 8288, 6379))},
        covered=False,
    ),
)
