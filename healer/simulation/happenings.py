"""What befalls a tower: a healthy one to begin with, and everything that can happen to it."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from healer.model.machine import Forwarder, VmStatus
from healer.simulation.faults_front import FAULTS_OF_THE_FRONT
from healer.simulation.faults_jobs import FAULTS_OF_JOBS
from healer.simulation.faults_papers import FAULTS_OF_PAPERS
from healer.simulation.faults_pods import FAULTS_OF_PODS
from healer.simulation.faults_setup import FAULTS_OF_THE_SETUP
from healer.simulation.faults_talos import FAULTS_OF_TALOS
from healer.simulation.faults_vm import FAULTS_OF_THE_VM
from healer.simulation.happening import Choice, Happening, Kind, Number, Parameter, Value
from healer.simulation.humans import HUMANS
from healer.simulation.node import READY
from healer.simulation.physics import Tower
from healer.simulation.times import NOISES, TIMES
from healer.simulation.workloads import LIVEKIT, Workload

__all__ = [
    "HAPPENINGS",
    "Choice",
    "Happening",
    "Kind",
    "Number",
    "Parameter",
    "Value",
    "healthy_tower",
    "livekit_of",
    "mac_reboot",
]

_ALL: Final = (
    *FAULTS_OF_THE_VM,
    *FAULTS_OF_TALOS,
    *FAULTS_OF_PODS,
    *FAULTS_OF_PAPERS,
    *FAULTS_OF_THE_FRONT,
    *FAULTS_OF_THE_SETUP,
    *FAULTS_OF_JOBS,
    *HUMANS,
    *TIMES,
    *NOISES,
)
HAPPENINGS: Final[Mapping[str, Happening]] = MappingProxyType({one.name: one for one in _ALL})
"""Everything that can befall a tower, by its name."""

_UP = -3600.0


def healthy_tower(
    awake: Callable[[], float],
    random: Random | None = None,
    forwarder: Forwarder = Forwarder.GRPC,
) -> Tower:
    """A tower that has been well for an hour when the run begins, as healer leaves one behind."""
    tower = Tower(awake, random, forwarder)
    machine, box, cluster = tower.machine, tower.box, tower.cluster
    machine.on = machine.ssh = machine.ready = machine.hostagent = True
    machine.listed = VmStatus.RUNNING
    machine.booted_at = machine.logged_at = _UP
    machine.life = 1
    tower.kernel.loaded = tower.kernel.persisted = True
    tower.forwards.made()
    tower.dockerd.up, tower.dockerd.unit, tower.dockerd.socket = True, "active", True
    tower.dockerd.data_mounted = tower.dockerd.has_data = True
    tower.dockerd.began_at = _UP
    box.running, box.status, box.started_at = True, "running", _UP
    box.restart_policy = "unless-stopped"
    cluster.life.begin()
    cluster.api.up, cluster.api.since, cluster.flannel.api_since = True, _UP, _UP
    node, flannel = cluster.node, cluster.flannel
    node.reporting, node.ready, node.message = True, "True", READY
    node.ready_since = node.written_at = _UP + 20.0
    flannel.running = flannel.subnet_env = True
    flannel.started_at = _UP + 20.0
    for workload in tower.workloads:
        if workload.desired:
            workload.up = workload.ready = True
            workload.started_at = workload.ready_since = _UP + 30.0
    tower.truth(_UP)
    return tower


def livekit_of(tower: Tower) -> Workload:
    """LiveKit's workload."""
    return tower.cluster.kubelet.named(LIVEKIT)


def mac_reboot(tower: Tower) -> None:
    """The Mac reboots while LiveKit's probes have just been reset by a chart upgrade.

    No healer was ever here: the container has no restart policy, and nothing loads the kernel
    module at a boot.
    """
    tower.box.restart_policy = "no"
    tower.kernel.persisted = False
    livekit = livekit_of(tower)
    livekit.probes_drifted = True
    livekit.become(ready=False, at=_UP)
    tower.mac_reboots(ago=60.0)
    tower.changed()
