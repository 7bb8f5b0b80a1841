"""Which layers are truly well, whatever anybody has seen: the oracle of every run."""

from collections.abc import Callable, Mapping

from healer.core.tower import Layer
from healer.model.machine import VmStatus
from healer.simulation.box import Box
from healer.simulation.cluster import Cluster
from healer.simulation.forwards import Way
from healer.simulation.jobs import Launchd
from healer.simulation.mac import Mac
from healer.simulation.machine import Guest, Machine
from healer.simulation.troubles import Troubles
from healer.simulation.workloads import LIVEKIT, REDIS, Workload

LEAST_FREE = 200 * 2**20
"""Bytes without which the journal cannot go on (design §3, `disk_full`)."""


class Truth:
    """Since when each layer has been well; one that is ill is absent.

    A layer is judged by what it is for, not by what it stands on: behind a dead docker.sock the
    container is well, and a port that answers is well whoever else is ill. What healer only
    reports (design §10, advisory) makes no layer ill.
    """

    def __init__(
        self, mac: Mac, machine: Machine, box: Box, troubles: Troubles, launchd: Launchd
    ) -> None:
        self._mac = mac
        self._machine = machine
        self._box = box
        self._troubles = troubles
        self._launchd = launchd
        self._since: dict[Layer, float] = {}
        self._known: Mapping[Layer, float] = {}
        self._tests: tuple[tuple[Layer, Callable[[], bool]], ...] = (
            (Layer.HOST, self._host),
            (Layer.COLIMA, self._colima),
            (Layer.SSH, self._ssh),
            (Layer.DOCKER, self._docker),
            (Layer.KERNEL, self._kernel),
            (Layer.TALOS, self._talos),
            (Layer.APISERVER, self._apiserver),
            (Layer.NODE, self._node),
            (Layer.FLANNEL, self._flannel),
            (Layer.PODS, self._pods),
            (Layer.LIVEKIT, self._livekit),
            (Layer.SERVICES, self._services),
            (Layer.LAUNCHD, self._jobs),
        )

    @property
    def cluster(self) -> Cluster:
        """What runs in the container."""
        return self._box.talos

    def look(self, now: float) -> Mapping[Layer, float]:
        """Since when each layer has been well. Unchanged answers are the very same object."""
        since, changed = self._since, False
        for layer, test in self._tests:
            well = test()
            if well != (layer in since):
                changed = True
                if well:
                    since[layer] = now
                else:
                    del since[layer]
        if changed:
            self._known = dict(since)
        return self._known

    def _host(self) -> bool:
        return self._mac.disk_free >= LEAST_FREE

    def _colima(self) -> bool:
        """A VM that answers is well without its hostagent: that is only reported."""
        machine = self._machine
        reached = machine.answers or Way.OPEN in {machine.to_ssh(), machine.to_socket()}
        return machine.listed is not VmStatus.STOPPED and machine.alive and reached

    def _ssh(self) -> bool:
        return self._machine.to_ssh() is Way.OPEN

    def _docker(self) -> bool:
        return self._machine.dockerd.up and self._machine.to_socket() is Way.OPEN

    def _kernel(self) -> bool:
        suffices = self._machine.kernel.loaded or self.cluster.flannel.nftables
        return self._machine.alive and suffices

    def _talos(self) -> bool:
        cluster = self.cluster
        lives = self._box.running and self._machine.guest is Guest.ALIVE
        return lives and not cluster.shutting_down and not cluster.wedged

    def _apiserver(self) -> bool:
        api, troubles = self.cluster.api, self._troubles
        if not api.up or api.unauthorized or troubles.api_silent or troubles.api_errors:
            return False
        return self._reached(api.port)

    def _node(self) -> bool:
        node = self.cluster.node
        if not (self.cluster.api.up and node.reporting and node.ready == "True"):
            return False
        return not (node.tainted or node.cordoned_by_talos)

    def _flannel(self) -> bool:
        return self.cluster.flannel.running and self.cluster.flannel.subnet_env

    def _pods(self) -> bool:
        return all(_is_well(one) for one in self.cluster.kubelet.workloads if one.name != LIVEKIT)

    def _livekit(self) -> bool:
        livekit, redis = (self.cluster.kubelet.named(one) for one in (LIVEKIT, REDIS))
        if self._waits_for_a_human(livekit):
            return True
        return _is_well(livekit) and (redis.ready or not (redis.desired and livekit.desired))

    def _waits_for_a_human(self, workload: Workload) -> bool:
        """LiveKit without the Redis that somebody scaled to 0."""
        off = not self.cluster.kubelet.named(REDIS).desired
        return off and workload.name == LIVEKIT and not workload.ready

    def _services(self) -> bool:
        return all(
            one.ready and self._reached(one.port) and one.port not in self._troubles.silent_ports
            for one in self.cluster.kubelet.workloads
            if one.port is not None and one.desired and not self._waits_for_a_human(one)
        )

    def _jobs(self) -> bool:
        return self._launchd.well

    def _reached(self, port: int) -> bool:
        return self._machine.to_port(port) is Way.OPEN


def _is_well(workload: Workload) -> bool:
    if not workload.desired or workload.excused:
        return True
    return workload.ready and not workload.overdue
