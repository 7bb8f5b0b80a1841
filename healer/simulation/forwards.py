"""The ways from the Mac into the VM: Lima's ssh master, and the published ports."""

from dataclasses import dataclass, field
from enum import Enum, auto

from healer.model.machine import Forwarder, MuxState

PUBLISHED = (6379, 8108, 8288, 8289, 3838, 7880, 7881, 9627, 6443, 50000)
"""The owner's published ports (facts/incidents.md §6)."""


class Way(Enum):
    """How a listener on the Mac takes a connection."""

    OPEN = auto()
    REFUSED = auto()
    SILENT = auto()
    """It accepts, and nothing comes back."""


@dataclass(slots=True)
class Forwards:
    """docker.sock always rides the mux, made once at a start and never by Lima again.

    Published ports ride it too when portForwarder is ssh; with grpc, the owner's choice, the
    hostagent carries them, so they outlive it (facts/colima.md §4).
    """

    kind: Forwarder = Forwarder.GRPC
    mux_pid: int | None = None
    wedged: bool = False
    """The master lives and passes nothing on (§3, SIGSTOPped)."""
    socket: bool = False
    """The mux has docker.sock's forward."""
    up: bool = False
    """The VM runs and the hostagent forwards."""
    lost: set[int] = field(default_factory=set)
    """Published ports whose forward is gone."""
    file: int = 0
    """Counts what happened to docker.sock and ssh.sock as files."""
    _pids: int = 13_000

    def made(self) -> None:
        """Lima makes all of them at a start of the VM."""
        self._have_master()
        self.up = self.socket = True
        self.lost.clear()

    def _have_master(self) -> None:
        self._pids += 3
        self.mux_pid, self.wedged = self._pids, False
        self.file += 1

    def gone(self) -> None:
        """The VM is gone, and with it all of them."""
        self.up = self.socket = self.wedged = False
        self.mux_pid = None
        self.lost.clear()
        self.file += 1

    def mux_ends(self) -> None:
        """The master is gone; socket files stay and refuse (§3)."""
        self.mux_pid, self.wedged, self.socket = None, False, False
        self.file += 1
        if self.kind is Forwarder.SSH:
            self.lost.update(PUBLISHED)

    def restore_socket(self) -> None:
        """The recipe of §4, steps 1 to 4."""
        if self.mux_pid is None:
            self._have_master()
        self.socket = True
        self.file += 1

    def mux(self) -> MuxState:
        """By `-O check` and by its process."""
        if self.mux_pid is None:
            return MuxState.DEAD
        return MuxState.WEDGED if self.wedged else MuxState.LIVE

    def to_socket(self) -> Way:
        """What a connect to docker.sock meets."""
        if not (self.up and self.socket and self.mux_pid is not None):
            return Way.REFUSED
        return Way.SILENT if self.wedged else Way.OPEN

    def to_port(self, port: int) -> Way:
        """What a connect to a published port meets on its way into the VM."""
        if not self.up or self.kind is Forwarder.NONE or port in self.lost:
            return Way.REFUSED
        if self.kind is Forwarder.SSH and self.wedged:
            return Way.SILENT
        return Way.OPEN
