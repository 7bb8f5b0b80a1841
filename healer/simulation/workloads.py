"""The owner's workloads as the simulation runs them (facts/incidents.md §6)."""

from dataclasses import dataclass
from typing import NamedTuple

LIVEKIT = "livekit-server"
REDIS = "redis"


class View(NamedTuple):
    """What the API shows of a pod; it changes only when the kubelet or a controller writes."""

    serial: int
    state: str
    """running, unknown, creating, pending, image, backoff or failed."""
    ready: bool
    ready_since: float
    since: float
    """When that state began."""
    restarts: int
    created_at: float
    deletion_due: float | None


@dataclass(slots=True)
class Workload:
    """One controller with its one pod; kind `Pod` is a bare pod, `Node` mirrors a static one."""

    name: str
    kind: str
    namespace: str = "joelclaw"
    desired: int = 1
    tolerates: bool = True
    """Tolerates the control-plane taint; LiveKit and the PDS do not."""
    host_network: bool = False
    port: int | None = None
    up: bool = False
    ready: bool = False
    ready_since: float = 0.0
    """When `ready` last changed."""
    scheduled: bool = True
    lost_at: float | None = None
    """When the kubelet found its container lost; STATUS Unknown until a new one runs."""
    started_at: float = 0.0
    created_at: float = -86_400.0
    serial: int = 1
    generation: int = 1
    restarts: int = 0
    probes_drifted: bool = False
    paused: bool = False
    """A human paused its rollout: its pod stays as it is, whatever becomes of its template."""
    template_waits: bool = False
    """Its template has changed while it was paused: its probes are the chart's there."""
    stuck: bool = False
    """The kubelet never starts it again: its sandbox's name is reserved (§1)."""
    deletion_due: float | None = None
    holds_on: bool = False
    """The kubelet never ends it."""
    overdue: bool = False
    """It is being deleted, and should long have been gone."""
    image_bad: bool = False
    mount_hangs: bool = False
    """Its volume cannot be mounted: it stays ContainerCreating."""
    crashes_after: float | None = None
    """Seconds after which its container ends with an error, each time."""
    last_words: str = "panic: out of luck\n"
    """The end of its log, each time."""
    crashed_at: float | None = None
    failed: bool = False
    """It was ended by a shutdown of the node: final (§1)."""
    silent: bool = False
    """Its port accepts and says nothing."""
    attempt: int = 0
    """Counts the kubelet's plans for it: an older plan is void."""
    shown: View | None = None
    """What the API goes on showing while no kubelet lives."""

    @property
    def pod_name(self) -> str:
        """As its controller names it."""
        match self.kind:
            case "StatefulSet":
                return f"{self.name}-0"
            case "Pod" | "Node":
                return self.name
            case _:
                return f"{self.name}-5d9f-{self.serial}"

    @property
    def pod_uid(self) -> str:
        """Changes with each new pod."""
        return f"uid-{self.name}-{self.serial}"

    @property
    def owner(self) -> tuple[str, str] | None:
        """The controlling owner reference: kind and name."""
        match self.kind:
            case "Deployment":
                return "ReplicaSet", f"{self.name}-5d9f"
            case "Pod":
                return None
            case _:
                return self.kind, self.name

    @property
    def recreated(self) -> bool:
        """Whether something makes a new pod for one that goes (§4)."""
        return self.kind != "Pod"

    @property
    def excused(self) -> bool:
        """Ill in a way that only a human can mend and that healer only reports."""
        hopeless = self.image_bad or self.mount_hangs or self.crashes_after is not None
        return hopeless or self.kind in {"Pod", "Node"}

    def shut_out(self, *, tainted: bool, cordoned: bool) -> bool:
        """Whether the scheduler finds no node for a new pod of it."""
        if self.scheduled:
            return False
        return (tainted and not self.tolerates) or (cordoned and self.kind != "DaemonSet")

    def become(self, *, ready: bool, at: float) -> None:
        """The kubelet's verdict."""
        if ready != self.ready:
            self.ready, self.ready_since = ready, at

    def lose_container(self) -> None:
        """Its container is gone; nobody has written it down yet."""
        self.up = self.ready = False

    def found_lost(self, at: float) -> None:
        """containerd finds no task for a container it had as running (§3, Unknown A)."""
        self.lost_at, self.ready_since = at, at

    def new_pod(self, at: float) -> None:
        """Another pod in place of this one."""
        self.serial += 1
        self.attempt += 1
        self.created_at = self.ready_since = at
        self.lost_at = self.deletion_due = self.crashed_at = self.shown = None
        self.up = self.ready = self.scheduled = False
        self.stuck = self.holds_on = self.overdue = self.failed = self.silent = False
        self.restarts = 0

    def view(self, *, shut_out: bool) -> View:
        """What the API shows of its pod now."""
        if self.shown is not None:
            if self.shown.deletion_due == self.deletion_due:
                return self.shown
            return self.shown._replace(deletion_due=self.deletion_due)
        state, since = self._state(shut_out=shut_out)
        return View(
            self.serial,
            state,
            self.ready,
            self.ready_since,
            since,
            self.restarts,
            self.created_at,
            self.deletion_due,
        )

    def _state(self, *, shut_out: bool) -> tuple[str, float]:
        if self.failed:
            return "failed", self.ready_since
        if self.up:
            return "running", self.started_at
        if self.lost_at is not None:
            return "unknown", self.lost_at
        if shut_out:
            return "pending", self.created_at
        if self.crashed_at is not None:
            return "backoff", self.crashed_at
        return ("image" if self.image_bad else "creating"), self.created_at


def owners_workloads() -> list[Workload]:
    """The owner's cluster, with what is scaled to zero on purpose."""
    return [
        Workload(REDIS, "StatefulSet", port=6379),
        Workload("typesense", "StatefulSet", port=8108),
        Workload("inngest", "StatefulSet", port=8288),
        Workload("system-bus-worker", "Deployment"),
        Workload("bluesky-pds", "Deployment", tolerates=False, port=9627),
        Workload(LIVEKIT, "Deployment", tolerates=False, host_network=True, port=7880),
        Workload("docs-api", "Deployment", desired=0, port=3838),
        Workload("local-path-provisioner", "Deployment", "local-path-storage"),
        Workload(
            "kube-apiserver-joelclaw-controlplane-1", "Node", "kube-system", host_network=True
        ),
    ]
