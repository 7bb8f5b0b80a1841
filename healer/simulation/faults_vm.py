"""What befalls the Mac's disk, the VM, its forwards and Docker (facts/colima.md §1-§8)."""

from healer.core.tower import Layer
from healer.model.machine import Forwarder
from healer.simulation.forwards import PUBLISHED, Way
from healer.simulation.happening import Choice, Happening, Kind, Number, fault, seconds
from healer.simulation.machine import Guest
from healer.simulation.physics import Tower

_RESTARTED_AFTER = 2.0
"""Seconds, RestartSec of Docker's unit."""


def _vm_power_cut(tower: Tower) -> None:
    if tower.machine.on:
        tower.machine.power_cut()
        tower.tell("the VM has lost its power")


def _vm_crashes(tower: Tower) -> None:
    if tower.machine.on:
        tower.machine.driver_dies()
        tower.tell("the VM has crashed, and its hostagent has cleaned up after it")


def _vm_broken(tower: Tower) -> None:
    tower.mac_reboots()
    tower.machine.break_by_stale_files()


def _hostagent_dies(tower: Tower) -> None:
    if tower.machine.on:
        tower.machine.lose_hostagent()


def _hostagent_frozen(tower: Tower) -> None:
    if tower.machine.hostagent:
        tower.machine.hang_hostagent()


def _vm_zombie(tower: Tower) -> None:
    _sicken(tower, Guest.DEAD)


def _vm_frozen(tower: Tower) -> None:
    _sicken(tower, Guest.HUNG)


def _usernet_dies(tower: Tower) -> None:
    _lose_usernet(tower, Way.REFUSED)


def _usernet_frozen(tower: Tower) -> None:
    _lose_usernet(tower, Way.SILENT)


def _lose_usernet(tower: Tower, way: Way) -> None:
    if tower.machine.on and tower.machine.ready:
        tower.machine.lose_usernet(way)


def _ports_by_ssh(tower: Tower) -> None:
    tower.forwards.kind = Forwarder.SSH


def _sicken(tower: Tower, guest: Guest) -> None:
    if tower.machine.on and tower.machine.ready:
        tower.machine.sicken(guest)


def _vm_reboots_loop(tower: Tower, uptime: float) -> None:
    tower.machine.dies_after = uptime
    _vm_power_cut(tower)


def _disk_lock(tower: Tower) -> None:
    _vm_power_cut(tower)
    tower.machine.disk_locked = True
    tower.tell("the data disk stays marked as in use")


def _vm_missing(tower: Tower) -> None:
    _vm_power_cut(tower)
    tower.machine.created = False
    tower.tell("the VM's folder is gone")


def _vm_disk_full(tower: Tower, percent: float) -> None:
    tower.machine.disk_used = percent / 100.0
    tower.tell(f"the disk of Docker's data is {percent:.0f} % full")


def _state_disk_full(tower: Tower) -> None:
    tower.mac.disk_free = 20 * 2**20
    tower.tell("the disk of the state folder is full")


def _ssh_port_drift(tower: Tower) -> None:
    tower.machine.ssh_port += 17
    tower.tell("the ssh port in ssh.config is another one than the true one")


def _module_gone(tower: Tower) -> None:
    tower.kernel.loaded = tower.kernel.persisted = False
    tower.tell("br_netfilter is not loaded any more")


def _module_not_persisted(tower: Tower) -> None:
    tower.kernel.persisted = False


def _mux_killed(tower: Tower) -> None:
    if tower.forwards.mux_pid is not None:
        tower.forwards.mux_ends()
        tower.tell("Lima's ssh master is dead")


def _mux_wedged(tower: Tower) -> None:
    if tower.forwards.mux_pid is not None:
        tower.forwards.wedged = True
        tower.tell("Lima's ssh master passes nothing on")


def _forward_port_dead(tower: Tower, port: float) -> None:
    if tower.forwards.up:
        tower.forwards.lost.add(int(port))
        tower.tell(f"port {port:.0f} is forwarded no more")


def _usernet_leak(tower: Tower) -> None:
    tower.mac.usernets += 3
    tower.tell("three usernet processes are left behind")


def _engine_dies(tower: Tower) -> None:
    if tower.dockerd.up:
        tower.dockerd.dies(alone=False)


def _engine_dies_alone(tower: Tower) -> None:
    if tower.dockerd.up:
        tower.dockerd.dies(alone=True)


def _engine_crashes(tower: Tower) -> None:
    if tower.dockerd.up:
        tower.dockerd.crashes()
        tower.machine.in_life(_RESTARTED_AFTER, tower.dockerd.comes_up)


def _engine_frozen(tower: Tower) -> None:
    if tower.dockerd.up:
        tower.dockerd.freezes()


def _tool_missing(tower: Tower, tool: str) -> None:
    tower.mac.missing.add(tool)
    tower.tell(f"{tool} is not on PATH any more")


_PORT = Choice("the Mac's port", 8108, tuple(one for one in PUBLISHED if one != 50_000))  # noqa: PLR2004  (Talos' own API: nobody asks it)

FAULTS_OF_THE_VM: tuple[Happening, ...] = (
    fault(
        "vm_power_cut",
        Layer.COLIMA,
        _vm_power_cut,
        "The VM's process is killed: everything in it is gone, files on the Mac stay (colima §2).",
    ),
    fault(
        "vm_crashes",
        Layer.COLIMA,
        _vm_crashes,
        "The VM's driver dies alone, and the hostagent cleans up as after a stop (colima §9).",
    ),
    Happening(
        "vm_broken",
        "After a reboot pid files name strangers, so Colima says Broken for ever (colima §2, §5).",
        Layer.COLIMA,
        Kind.FAULT,
        covered=True,
        act=_vm_broken,
        ends_healer=True,
    ),
    fault(
        "hostagent_dies",
        Layer.COLIMA,
        _hostagent_dies,
        "The hostagent alone dies: Broken, while the VM goes on; ports by grpc end with it.",
        covered=False,
    ),
    fault(
        "hostagent_frozen",
        Layer.COLIMA,
        _hostagent_frozen,
        "The hostagent is frozen: Broken, while the VM goes on; ports by grpc are silent.",
        covered=False,
    ),
    fault(
        "vm_zombie",
        Layer.COLIMA,
        _vm_zombie,
        "The guest is dead inside: Running, and ssh, docker and every port refuse (incident 5).",
    ),
    fault(
        "vm_frozen",
        Layer.COLIMA,
        _vm_frozen,
        "The guest hangs: Running, everything accepts and nothing answers (colima §8).",
    ),
    fault(
        "usernet_dies",
        Layer.SSH,
        _usernet_dies,
        "usernet dies: ssh and docker.sock are dead, ports by grpc go on (incident 27).",
        covered=False,
    ),
    fault(
        "usernet_frozen",
        Layer.SSH,
        _usernet_frozen,
        "usernet is frozen: ssh and docker.sock accept and are silent, ports by grpc go on.",
        covered=False,
    ),
    Happening(
        "ports_by_ssh",
        "The profile says `portForwarder: ssh`, Colima's default: ports ride the mux.",
        None,
        Kind.NOISE,
        covered=True,
        act=_ports_by_ssh,
    ),
    fault(
        "vm_reboots_loop",
        Layer.COLIMA,
        _vm_reboots_loop,
        "The VM crashes again and again soon after each start (incidents 14, R18).",
        {"uptime": seconds(40.0, 90.0, "seconds after a start until it crashes")},
        covered=False,
    ),
    fault(
        "disk_lock",
        Layer.COLIMA,
        _disk_lock,
        "The VM crashed and its data disk stays marked in use, so no start works (incident 34).",
        covered=False,
    ),
    fault(
        "vm_missing",
        Layer.COLIMA,
        _vm_missing,
        "Somebody deleted the VM: there is no lima.yaml, and healer creates none (colima §1.5).",
        covered=False,
    ),
    fault(
        "vm_disk_full",
        Layer.SSH,
        _vm_disk_full,
        "The VM's data disk fills up, while its root has room (incident 11, R15).",
        {"percent": Number("how full it is", 93.0, 0.0, 100.0)},
    ),
    fault(
        "state_disk_full",
        Layer.HOST,
        _state_disk_full,
        "The disk of healer's state folder is full (design §6).",
        covered=False,
    ),
    fault(
        "tool_missing",
        Layer.HOST,
        _tool_missing,
        "A tool is not on PATH any more; without ssh or colima healer is blind (incident 1).",
        {"tool": Choice("which", "talosctl", ("talosctl", "kubectl"))},
    ),
    Happening(
        "ssh_port_drift",
        "ssh.config names a port of the start before; only /v1/info knows (colima §3).",
        Layer.SSH,
        Kind.NOISE,
        covered=True,
        act=_ssh_port_drift,
    ),
    Happening(
        "usernet_leak",
        "Failed starts left usernet processes behind (colima §1.5, R16).",
        Layer.SSH,
        Kind.NOISE,
        covered=True,
        act=_usernet_leak,
    ),
    fault(
        "module_gone",
        Layer.KERNEL,
        _module_gone,
        "br_netfilter is not loaded, and nothing loads it at a boot (talos §5).",
    ),
    Happening(
        "module_not_persisted",
        "Nothing loads br_netfilter at the next boot of the VM (colima §8).",
        Layer.KERNEL,
        Kind.NOISE,
        covered=True,
        act=_module_not_persisted,
    ),
    fault(
        "mux_killed",
        Layer.DOCKER,
        _mux_killed,
        "Lima's ssh master dies: docker.sock refuses, all else goes on (colima §4, §8).",
    ),
    fault(
        "mux_wedged",
        Layer.DOCKER,
        _mux_wedged,
        "Lima's ssh master lives and passes nothing on: docker.sock is silent (colima §3).",
    ),
    fault(
        "forward_port_dead",
        Layer.SERVICES,
        _forward_port_dead,
        "The hostagent forwards one port no more; only a restart of the VM helps (colima §4).",
        {"port": _PORT},
        covered=False,
    ),
    fault(
        "engine_dies",
        Layer.DOCKER,
        _engine_dies,
        "dockerd dies in the VM, and its containers with it (colima §4).",
    ),
    fault(
        "engine_crashes",
        Layer.DOCKER,
        _engine_crashes,
        "dockerd crashes; the one that systemd starts anew ends the container, as if by hand.",
    ),
    fault(
        "engine_dies_alone",
        Layer.DOCKER,
        _engine_dies_alone,
        "dockerd crashes, and its containers run on: a restart of it would kill them (talos §1).",
        covered=False,
    ),
    fault(
        "engine_frozen",
        Layer.DOCKER,
        _engine_frozen,
        "dockerd is frozen, and its containers run on: it accepts and says nothing.",
        covered=False,
    ),
)
