"""Flannel's one pod: why it crashes, and what it writes for everybody else's network."""

from typing import NamedTuple

from healer.simulation.clockwork import Clockwork
from healer.simulation.kernel import Kernel
from healer.simulation.life import Life

RACE = 15.0
"""flanneld reaches the API by KubePrism (talos-kubernetes.md §5), which needs a moment after the
API is up; a start within it ends with exit 1 like any other failed start (inferred)."""
SUBNET_ENV_AFTER = 2.0
"""flanneld writes subnet.env near the end of its start (§5)."""
BACKOFF = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Kubernetes' crash back-off, doubling up to five minutes."""


class FlannelView(NamedTuple):
    """What the API shows of the pod."""

    uid: int
    running: bool
    since: float
    restarts: int
    finished_at: float
    lost: bool
    created_at: float


class Flannel:
    """The DaemonSet's pod. It has no probe, so available means that it runs (§5)."""

    def __init__(self, clock: Clockwork, life: Life, kernel: Kernel) -> None:
        self.clock = clock
        self.life = life
        self.kernel = kernel
        self.uid = 1
        self.running = False
        self.started_at = 0.0
        self.created_at = -86_400.0
        self.finished_at = 0.0
        self.restarts = 0
        self.lost = False
        """Its container was lost with the node, and no new one runs yet."""
        self.subnet_env = False
        """/run/flannel/subnet.env is there; /run is a tmpfs (§1)."""
        self.api_since = 0.0
        self.version = 1
        self.shown: FlannelView | None = None
        self.nftables = False
        """It uses nftables, and is of a version that looks for no br_netfilter then."""

    def halt(self) -> None:
        """The node's end: its process and all of /run are gone, the API's words stay."""
        self.shown = self.view()
        self.lost, self.running, self.subnet_env = self.running or self.lost, False, False

    def resume(self) -> None:
        """A kubelet lives again, and says what it found."""
        self.shown = None
        self.finished_at = self.clock.at
        self.version += 1

    def start(self) -> None:
        """flanneld exits 1 without br_netfilter, and backs off (§5)."""
        self.started_at, self.lost = self.clock.at, False
        self.version += 1
        reaches_api = self.clock.at - self.api_since >= RACE
        can_start = self.kernel.loaded or self.nftables
        if can_start and reaches_api:
            self.running = True
            self._then_write_subnet_env()
            return
        self.crash("no API for it yet" if can_start else "br_netfilter is missing")

    def _then_write_subnet_env(self) -> None:
        uid = self.uid

        def written() -> None:
            if self.running and self.uid == uid:
                self.subnet_env = True
                self.clock.tell("flannel wrote subnet.env")

        self.life.after(SUBNET_ENV_AFTER, written)

    def crash(self, why: str) -> None:
        """It ends with exit 1, and is started again after a while."""
        self.running, self.finished_at = False, self.clock.at
        wait = BACKOFF[min(self.restarts, len(BACKOFF) - 1)]
        self.restarts += 1
        self.version += 1
        self.clock.tell(f"flannel crashes: {why}")
        uid = self.uid

        def again() -> None:
            if self.uid == uid and not self.running:
                self.start()

        self.life.after(wait, again)

    def replace(self) -> None:
        """Its DaemonSet makes a new pod at once, without the old one's back-off."""
        self.uid += 1
        self.running = self.lost = False
        self.restarts, self.created_at, self.shown = 0, self.clock.at, None
        self.version += 1
        self.life.after(2.0, self.start)

    def view(self) -> FlannelView:
        """What the API shows of it now."""
        return self.shown or FlannelView(
            self.uid,
            self.running,
            self.started_at,
            self.restarts,
            self.finished_at,
            self.lost,
            self.created_at,
        )
