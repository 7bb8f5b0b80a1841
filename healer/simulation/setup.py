"""How the simulated cluster was set up: it changes only when somebody changes it."""

from dataclasses import dataclass, field

from healer.model.setup import RedisSettings


@dataclass(slots=True)
class Setup:
    """What outlives every boot of the cluster."""

    k3d_named: bool = False
    """Whether the worker's environment still names k3d's host."""
    worker_at: tuple[str, int] = ("host.lima.internal", 3111)
    """Where Inngest looks for the worker."""
    metrics_server: bool = True
    enforced: dict[str, str] = field(
        default_factory=lambda: {"joelclaw": "privileged", "local-path-storage": "privileged"}
    )
    """Pod security by namespace."""
    default_classes: tuple[str, ...] = ("local-path",)
    node_ports: str = "1-65535"
    redis: RedisSettings = field(
        default_factory=lambda: RedisSettings("yes", "3600 1 300 100 60 10000", "noeviction", 0)
    )
    documents: bool = False
    """Talos 1.14 generated the machine config, with documents beside the v1alpha1 one."""
    talos_api: bool = True
    """Whether apid answers while the container runs."""
