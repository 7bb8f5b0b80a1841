"""The owner's workloads as the simulation runs them (facts/incidents.md §6)."""

from dataclasses import dataclass


@dataclass(slots=True)
class Workload:
    """One controller with its one pod."""

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
    scheduled: bool = True
    lost_at: float | None = None
    """When its container was lost; its STATUS is Unknown until a new one runs."""
    started_at: float = 0.0
    created_at: float = -86_400.0
    serial: int = 1
    generation: int = 1
    restarts: int = 0
    probes_drifted: bool = False

    @property
    def pod_name(self) -> str:
        """As its controller names it."""
        return f"{self.name}-0" if self.kind == "StatefulSet" else f"{self.name}-5d9f-{self.serial}"

    @property
    def pod_uid(self) -> str:
        """Changes with each new pod."""
        return f"uid-{self.name}-{self.serial}"

    @property
    def owner(self) -> tuple[str, str]:
        """The controlling owner reference: kind and name."""
        if self.kind == "Deployment":
            return "ReplicaSet", f"{self.name}-5d9f"
        return self.kind, self.name

    def pending(self, *, tainted: bool) -> bool:
        """Whether the scheduler finds no node for it."""
        return not self.scheduled and tainted and not self.tolerates

    def lose_container(self, at: float) -> None:
        """containerd found no task for a container it had as running (§3, Unknown A)."""
        self.up = self.ready = False
        self.lost_at = at

    def new_pod(self, at: float) -> None:
        """Another pod in place of this one."""
        self.serial += 1
        self.created_at, self.lost_at = at, None
        self.up = self.ready = self.scheduled = False
        self.restarts = 0


def owners_workloads() -> list[Workload]:
    """The owner's cluster, with what is scaled to zero on purpose."""
    return [
        Workload("redis", "StatefulSet", port=6379),
        Workload("typesense", "StatefulSet", port=8108),
        Workload("inngest", "StatefulSet", port=8288),
        Workload("system-bus-worker", "Deployment"),
        Workload("bluesky-pds", "Deployment", tolerates=False, port=9627),
        Workload("livekit-server", "Deployment", tolerates=False, host_network=True, port=7880),
        Workload("docs-api", "Deployment", desired=0, port=3838),
        Workload("local-path-provisioner", "Deployment", "local-path-storage", tolerates=False),
    ]
