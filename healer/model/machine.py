"""The Mac, the VM and what runs between them."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

_BOOT_MARGIN: Final = 1.0
"""Seconds: boot times and some file times are whole seconds."""
_FULL: Final = 0.80
_READ_APART: Final = 2.0
"""Seconds by which ages that Docker and systemd tell of one moment may differ."""


def older_than_boot(modified: float, boot: float) -> bool:
    """Whether a file of that time was surely written before the boot (epoch seconds)."""
    return modified < boot - _BOOT_MARGIN


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """One process of the Mac."""

    pid: int
    ppid: int
    uid: int
    """The effective user."""
    age: float
    """Seconds since it started."""
    command: str
    """Its argv joined by blanks, or its name in brackets when the argv cannot be read."""
    lima_home: Path | None = None
    """Of a `colima` or `limactl` at work: the folder of its VMs, by its own environment.
    None = not known."""
    profile: str = ""
    """The $COLIMA_PROFILE of such a process."""


class VmStatus(StrEnum):
    """Colima's own word for the VM (`colima list --json`), or that there is none."""

    RUNNING = "Running"
    STOPPED = "Stopped"
    BROKEN = "Broken"
    MISSING = "missing"


class Ending(StrEnum):
    """Why the hostagent ended, by its own log."""

    CRASHED = "crashed"
    """The VM's driver stopped by itself; the hostagent then cleaned up as after a stop."""
    TOLD = "told"
    """A signal told it to stop, which is what `colima stop` does."""
    UNKNOWN = "unknown"
    """It wrote nothing of it, or its log could not be understood."""


@dataclass(frozen=True, slots=True)
class Hostagent:
    """What the instance folder and ha.sock say, without running colima."""

    created: bool
    """INST/lima.yaml exists: the VM was made once (never cause a first creation)."""
    pid: int | None = None
    """From ha.pid; None when the file is absent."""
    pid_alive: bool = False
    pid_is_ours: bool = False
    """The process's command line is a `limactl hostagent … INSTANCE`."""
    pid_file_stale: bool = False
    """ha.pid is older than the Mac's boot: stale for certain (facts/colima.md §2)."""
    answers: bool = False
    """`GET /v1/info` on ha.sock answered within its deadline."""
    ssh_port: int | None = None
    """By its own word; None when it does not answer."""
    driver_alive: bool | None = None
    """Whether the process that is the VM lives; looked for only while ha.sock does not answer."""
    ready: bool = False
    """ha.stdout.log holds a line with `"running":true`: Lima's boot is over."""
    leftovers: tuple[str, ...] = ()
    """Sockets and pid files found, as names relative to the profile or instance folder."""
    disk_locked_by: str = ""
    """Target of `_disks/colima/in_use_by` when it is there; '' otherwise."""
    logged_at: float | None = None
    """When it last wrote a log, in epoch seconds by the wall clock of that moment; None without
    logs. Not told by the folder: a mere `colima list` deletes dead pid files and so touches it."""
    ending: Ending = Ending.UNKNOWN
    """Why the last one ended; unknown while one lives."""


def known_ssh_port(told: int | None, configured: int | None, *, driver_alive: bool) -> int | None:
    """Where the VM's sshd is reached on 127.0.0.1; None when nobody knows.

    The hostagent's word `told` comes first. Without it ssh.config is right as long as the VM
    lives that it was written for; that of a VM which has ended may name a stranger's port.
    """
    if told is not None:
        return told
    return configured if driver_alive else None


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit in the VM: `systemctl show -p ActiveState,Result,…`."""

    active: str
    """ActiveState: active, inactive, failed, activating, deactivating."""
    result: str
    """Result: success, exit-code, signal, …"""
    inactive_for: float | None = None
    """Seconds since it became inactive, by the VM's clock; None while active, and for a unit that
    has not run since the VM's boot."""
    starting: tuple[float, float] | None = None
    """Seconds since its process began and since systemd called it started; None = not known."""
    socket: str = ""
    """ActiveState of its socket unit, which starts it at the first connect; '' = there is none."""

    @property
    def changing(self) -> bool:
        """Whether systemd itself is about to change it."""
        return self.active in {"activating", "deactivating"}

    @property
    def sleeps(self) -> bool:
        """Whether a connect to its socket would start what is down, perhaps on purpose.

        One that is on its way down counts: systemd keeps the connection, and starts it afterwards.
        """
        return self.socket == "active" and self.active in {"inactive", "deactivating", "failed"}

    @property
    def stopped(self) -> bool:
        """Whether it was ended in order, or never started; a crash is `failed`."""
        return (self.active, self.result) == ("inactive", "success")

    def ended_by_itself(self, ago: float) -> bool:
        """Whether something that ended so many seconds ago ended within its own start or end.

        A container that outlived a crash of dockerd is ended by the next dockerd before systemd
        calls that one started, and nobody else can reach it until then.
        """
        if self.changing:
            return True
        if self.starting is None:
            return False
        began, ready = self.starting
        return ready - _READ_APART <= ago <= began + _READ_APART


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One file system of the VM that holds something of the tower."""

    device: str
    used: float
    """Used share, 0 to 1, as `df` tells it."""
    paths: tuple[str, ...]
    """The folders that lie on it, of those asked about."""

    @property
    def is_full(self) -> bool:
        """Whether it is so full that kubelet soon evicts pods (its own bound is 85 %)."""
        return self.used > _FULL

    def __str__(self) -> str:
        """Named by what lies on it."""
        return f"{', '.join(self.paths)} ({self.device}) {self.used:.0%} full"


@dataclass(frozen=True, slots=True)
class GuestFacts:
    """Everything asked of the VM in one ssh round trip."""

    uptime: float
    clock: float
    """The VM's wall clock, epoch seconds."""
    asked_at: float
    """The Mac's wall clock at the middle of the round trip, epoch seconds."""
    bridge_netfilter: bool
    """/proc/sys/net/bridge/bridge-nf-call-iptables exists."""
    vxlan: bool
    """vxlan is loaded or built in."""
    persisted: bool
    """/etc/modules-load.d/healer.conf names both modules."""
    disks: tuple[FileSystem, ...]
    """Those of `/`, of Docker's data and of the state folders; each once."""
    engine_answers: bool
    """`/_ping` on the VM's own docker.sock said OK; not asked while its unit sleeps."""
    docker: Unit
    """docker.service."""
    docker_root: str = "/var/lib/docker"
    """Where dockerd keeps its data."""
    has_data_disk: bool = False
    """The VM has a disk beside its root's, as Colima 0.9 and newer make it for Docker's data."""
    container_status: str = ""
    """State.Status of the Talos container as the VM's docker sees it; '' = not asked or none."""
    api_answers: bool | None = None
    """The API server answered HTTP on the container's port, from inside; None = not asked."""
    api_port: int | None = None
    """Where the VM's docker publishes the API server; None = nowhere, or not asked."""
    open_ports: frozenset[int] = field(default_factory=frozenset)
    """TCP ports that answered in the VM, of those asked."""

    @property
    def awaits_data_disk(self) -> bool:
        """Whether Docker's folder is still the empty one under the mount of the data disk."""
        by_path = {path: one.device for one in self.disks for path in one.paths}
        return self.has_data_disk and by_path.get(self.docker_root) == by_path.get("/", "")


class MuxState(StrEnum):
    """Lima's ssh master, by `ssh -O check` and by its process."""

    LIVE = "live"
    DEAD = "dead"
    WEDGED = "wedged"
    """The process is there and `-O check` or a connect got no answer."""


@dataclass(frozen=True, slots=True)
class Mux:
    """Lima's ssh master."""

    state: MuxState
    pid: int | None = None
    """The live master's, by `-O check` or the process list; None when there is none."""


class Forwarder(StrEnum):
    """colima.yaml's portForwarder: who listens on the Mac for published ports."""

    SSH = "ssh"
    GRPC = "grpc"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ColimaPaths:
    """Where Colima and Lima keep their files, resolved once (facts/colima.md §2, Roots)."""

    root: Path
    profile: str = "default"
    lima_root: Path | None = None
    """`$LIMA_HOME` when it is set; None = `_lima` in Colima's root."""

    @property
    def instance_name(self) -> str:
        """Lima's name for the profile."""
        return instance_of(self.profile)

    @property
    def lima_home(self) -> Path:
        """Lima's root folder."""
        return self.lima_root or _below(self.root, "_lima")

    @property
    def instance(self) -> Path:
        """The facts call it INST."""
        return _below(self.lima_home, self.instance_name)

    @property
    def profile_folder(self) -> Path:
        """The facts call it PROF."""
        return _below(self.root, self.profile)

    @property
    def docker_socket(self) -> Path:
        """The Mac's end of the forwarded engine socket."""
        return _below(self.profile_folder, "docker.sock")

    @property
    def ssh_config(self) -> Path:
        """Lima's ssh configuration of the instance."""
        return _below(self.instance, "ssh.config")


def instance_of(profile: str) -> str:
    """Lima's name for a profile: `colima` and `default` are one, and the prefix may be given."""
    name = profile.removeprefix("colima-")
    return "colima" if name in {"", "colima", "default"} else f"colima-{name}"


@lru_cache(maxsize=64)
def _below(folder: Path, name: str) -> Path:
    """Joined once: a daemon asks for the same five paths all day."""
    return folder / name
