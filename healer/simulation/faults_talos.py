"""What befalls the container, Talos, the API and the node (talos-kubernetes.md §1, §2)."""

from healer.core.tower import Layer
from healer.simulation.happening import Choice, Happening, fault, seconds
from healer.simulation.node import READY, STARTING, STOPPED_POSTING
from healer.simulation.physics import Tower

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


def _lasting(tower: Tower, trouble: str, duration: float, what: str) -> None:
    setattr(tower.troubles, trouble, tower.clock.at + duration)
    tower.tell(what)
    tower.clock.after(duration, lambda: tower.tell(f"it is over: {what}"))


def _api_silent(tower: Tower, seconds: float) -> None:
    _lasting(tower, "api_silent_until", seconds, "the API accepts and says nothing")


def _api_dies(tower: Tower, seconds: float) -> None:
    """Its kubelet starts it anew after a while."""
    api = tower.cluster.api
    if not api.up:
        return
    api.up = False
    tower.tell("the API server is dead")
    tower.cluster.life.after(seconds, tower.cluster.api_back)


def _api_errors(tower: Tower, seconds: float) -> None:
    _lasting(tower, "api_errors_until", seconds, "the API answers 500")


def _api_unauthorized(tower: Tower) -> None:
    tower.cluster.api.unauthorized = True
    tower.tell("the API does not know our certificate any more")


def _kubeconfig_stale(tower: Tower) -> None:
    tower.cluster.api.kubeconfig_port = 64_784
    tower.tell("the kubeconfig names a port of the cluster before")


FAULTS_OF_TALOS: tuple[Happening, ...] = (
    fault(
        "docker_kill",
        Layer.TALOS,
        _docker_kill,
        "The container is killed through Docker, which marks it as stopped by hand (talos §1).",
    ),
    fault(
        "container_dies",
        Layer.TALOS,
        _container_dies,
        "The container's init ends by itself; its restart policy brings it back (talos §9).",
    ),
    fault(
        "container_oom_killed",
        Layer.TALOS,
        _container_oom_killed,
        "The cgroup's OOM killer ends the container (talos §1, incident 13).",
    ),
    fault(
        "policy_lost",
        Layer.TALOS,
        _policy_lost,
        "The container has no restart policy, as talosctl creates it (talos §1, R37).",
    ),
    fault(
        "container_missing",
        Layer.TALOS,
        _container_missing,
        "Somebody removed the container; only a human can make it anew (talos §1).",
        covered=False,
    ),
    fault(
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
    fault(
        "memory_capped",
        Layer.TALOS,
        _memory_capped,
        "The container is capped at 4 GiB, as it was created (incident 13); advisory.",
    ),
    fault(
        "port_drift",
        Layer.TALOS,
        _port_drift,
        "The container publishes a port of the Mac's own (incident 19); advisory.",
    ),
    fault(
        "talos_shutting_down",
        Layer.TALOS,
        _talos_shutting_down,
        "Talos hangs in a shutdown: cordoned, pods failed, the API lives (talos §1, incident 2).",
    ),
    fault(
        "talos_wedged",
        Layer.TALOS,
        _talos_wedged,
        "etcd or the kubelet restart for ever in a container that runs (talos §1).",
    ),
    fault(
        "api_silent",
        Layer.APISERVER,
        _api_silent,
        "The API accepts and says nothing for a while (talos §0.6).",
        {"seconds": seconds(60.0, 900.0)},
    ),
    fault(
        "api_dies",
        Layer.APISERVER,
        _api_dies,
        "The API server's process is killed; the kubelet starts it anew after a while.",
        {"seconds": seconds(20.0, 900.0)},
    ),
    fault(
        "api_errors",
        Layer.APISERVER,
        _api_errors,
        "The API answers 500 for a while, as when etcd is slow.",
        {"seconds": seconds(60.0, 900.0)},
    ),
    fault(
        "api_unauthorized",
        Layer.APISERVER,
        _api_unauthorized,
        "The API refuses the kubeconfig's certificate, which does not renew itself (talos §1).",
        covered=False,
    ),
    fault(
        "kubeconfig_stale",
        Layer.APISERVER,
        _kubeconfig_stale,
        "The kubeconfig names another port than Docker publishes (incident 17); advisory.",
    ),
    fault(
        "taint_put_back",
        Layer.NODE,
        _taint_put_back,
        "Talos puts its control-plane taint back (talos §2).",
    ),
    fault(
        "annotation_written",
        Layer.NODE,
        _annotation_written,
        "Somebody writes an annotation on the node, so Talos taints it (talos §2).",
    ),
    fault(
        "ready_flip",
        Layer.NODE,
        _ready_flip,
        "The node is not Ready for a moment, so Talos taints it (talos §2).",
    ),
    fault(
        "kubelet_dies",
        Layer.NODE,
        _kubelet_dies,
        "The kubelet dies in a container that runs; pods live on unwatched (talos §1).",
        covered=False,
    ),
    fault(
        "cordon_by_talos",
        Layer.NODE,
        _cordon_by_talos,
        "Talos left its own cordon behind (talos §1, §2).",
    ),
)
