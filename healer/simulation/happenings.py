"""What befalls a tower: a healthy one to begin with, and the faults of a scenario."""

from collections.abc import Callable

from healer.simulation.physics import Tower
from healer.simulation.workloads import Workload


def healthy_tower(now: Callable[[], float]) -> Tower:
    """A tower that has been well for an hour when the run begins."""
    tower = Tower(now)
    machine, box, cluster = tower.machine, tower.box, tower.cluster
    machine.on = machine.ssh = machine.ready = machine.engine = True
    machine.module = machine.forward = machine.port_forwards = True
    machine.listed, machine.engine_unit, machine.mux_pid = "Running", "active", 13_000
    machine.booted_at = machine.changed_at = -3600.0
    machine.generation = box.generation = 1
    box.status, box.started_at = "running", -3600.0
    cluster.api = cluster.ready = True
    cluster.ready_since = -3580.0
    cluster.flannel.running = cluster.flannel.subnet_env = True
    cluster.flannel.started_at = -3580.0
    for workload in cluster.workloads:
        if workload.desired:
            workload.up = workload.ready = True
            workload.started_at = -3570.0
    return tower


def livekit_of(tower: Tower) -> Workload:
    """LiveKit's workload."""
    return next(one for one in tower.cluster.workloads if one.name == "livekit-server")


def mac_reboot(tower: Tower) -> None:
    """The Mac reboots while LiveKit's probes have just been reset by a chart upgrade.

    Everything that ran is gone; pid files and sockets of the life before stay
    (facts/colima.md §2). The container had no restart policy, the module was never persisted.
    """
    livekit_of(tower).probes_drifted = True
    livekit_of(tower).ready = False
    tower.power_cut()
    tower.machine.changed_at = tower.at - 300.0
    tower.mac_booted_at = tower.at - 60.0
    tower.tell("the Mac has rebooted: the VM is off, its files are left behind")
