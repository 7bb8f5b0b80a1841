"""What runs in the Talos container: its boot, the API server, the node and its pods."""

from dataclasses import dataclass

from healer.simulation.clockwork import Clockwork
from healer.simulation.flannel import Flannel
from healer.simulation.kernel import Kernel
from healer.simulation.kubelet import Kubelet
from healer.simulation.life import Life
from healer.simulation.node import READY, SHUTTING_DOWN, STARTING, NodeState
from healer.simulation.setup import Setup

API_AFTER = 14.0
"""From the container's start to /readyz (facts/lab.md: node Ready after 20 s)."""
TAINT_AFTER = 16.0
KUBELET_AFTER = 15.0
"""The API is a static pod of the kubelet's, which reports as soon as it answers; until then the
API shows everything as it was before the end (§1, Stuck states)."""
FLANNEL_AFTER = 16.0
"""Flannel's pod is on the node's own network: it needs nothing but a kubelet."""
NODE_READY_AFTER = 20.0
UNCORDON_AFTER = 22.0
"""On its next boot Talos takes back the cordon of its own shutdown (talos-kubernetes.md §1)."""
TAINT_WITHIN = 1.0
"""Talos' controller answers a change of the node within a second."""


@dataclass(slots=True)
class Api:
    """The API server's process and what it makes of us."""

    up: bool = False
    since: float = 0.0
    port: int = 6443
    kubeconfig_port: int = 6443
    unauthorized: bool = False
    certificate_days: float = 300.0


class Cluster:
    """Talos and Kubernetes. etcd survives the container, /run does not (§1)."""

    def __init__(self, clock: Clockwork, kernel: Kernel) -> None:
        self.clock = clock
        self.life = Life(clock)
        self.api = Api()
        self.node = NodeState(clock)
        self.flannel = Flannel(clock, self.life, kernel)
        self.kubelet = Kubelet(clock, self.life, self.node, self.flannel)
        self.setup = Setup()
        self.shutting_down = False
        """machined is on its way out; only a new start of it clears that (§1)."""
        self.wedged = False
        """It runs, and nothing in it will come up any more."""

    def boot(self) -> None:
        """machined starts; /run is empty, etcd is as it was."""
        self.life.begin()
        self.shutting_down = self.wedged = False
        self.flannel.subnet_env = False
        after = self.life.after
        after(API_AFTER, self._api_up)
        after(TAINT_AFTER, self.taint)
        after(KUBELET_AFTER, self._kubelet_up)
        after(FLANNEL_AFTER, self.flannel.start)
        after(NODE_READY_AFTER, self.node_ready)
        after(UNCORDON_AFTER, self._own_uncordon)

    def halt(self) -> None:
        """All that ran in the container is gone."""
        self.life.end()
        self.api.up = False
        self.node.fall_silent()
        self.flannel.halt()
        self.kubelet.halt()

    def api_back(self) -> None:
        """Its process was gone, and everything else went on."""
        if not self.wedged:
            self._api_up()

    def _api_up(self) -> None:
        self.api.up, self.api.since = True, self.clock.at
        self.flannel.api_since = self.clock.at
        self.clock.tell("the API server is ready")

    def _kubelet_up(self) -> None:
        self.node.reporting = True
        self.node.say("False", STARTING)
        self.flannel.resume()
        self.kubelet.resume()

    def node_ready(self) -> None:
        """A Ready flip makes Talos look at its taints again (§2)."""
        self.node.say("True", READY)
        self.clock.tell("the node is Ready")
        self.kubelet.start_all()
        self.node_changed()

    def _own_uncordon(self) -> None:
        if self.node.cordoned_by_talos:
            self.uncordon()

    def uncordon(self) -> None:
        """That changes the node, so Talos looks at its taints (§2)."""
        self.node.uncordon()
        self.kubelet.reschedule()
        self.node_changed()

    def node_changed(self) -> None:
        """A Ready flip, a cordon, a label or an annotation: Talos' controller runs (§2)."""
        self.life.after(TAINT_WITHIN, self.taint)

    def taint(self) -> None:
        """Talos adds its taint whenever it is absent (§2)."""
        if self.node.taint():
            self.clock.tell("Talos puts the control-plane taint back")

    def untaint(self) -> None:
        """Pods that waited for it are scheduled; taints themselves Talos does not watch (§2)."""
        self.node.untaint()
        self.kubelet.reschedule()
        self.clock.tell("the taint is removed")

    def begin_shutdown(self) -> None:
        """SIGTERM: no drain, but Talos cordons, and the kubelet says so (§1)."""
        if self.shutting_down or not self.api.up:
            return
        self.shutting_down = True
        if not self.node.cordoned:
            self.node.cordon(by_talos=True)
        self.node.say("False", SHUTTING_DOWN)

    def hang_in_shutdown(self) -> None:
        """The shutdown never ends: pods have failed, the API and the heartbeat go on (§1)."""
        self.begin_shutdown()
        self.kubelet.shut_down()
        self.flannel.running = False
        self.flannel.version += 1
        self.clock.tell("Talos hangs in its shutdown")

    def wedge(self) -> None:
        """etcd or the kubelet restart for ever: nothing answers (§1, Stuck states)."""
        self.wedged = True
        self.halt()
        self.clock.tell("the cluster hangs, its container runs")
