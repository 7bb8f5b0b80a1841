"""What opens the cluster's doors: the kubeconfig, the talosconfig and certificates."""

from dataclasses import dataclass, field
from typing import Final

CONTEXT: Final = "admin@joelclaw"
CADDY: Final = "caddy.crt"
CERTIFICATES: Final = ("kubeconfig", "talosconfig", "apiserver", CADDY)
_FAR: Final = 300.0


@dataclass(slots=True)
class Papers:
    """They lie on the Mac and change only when somebody writes them, or with time."""

    current: str = CONTEXT
    """The kubeconfig's current context."""
    in_cluster: bool = False
    """Whether the kubeconfig was fetched again, and leads into the VM."""
    talos_port: int = 50_000
    """The port that the talosconfig names."""
    days: dict[str, float] = field(default_factory=lambda: dict.fromkeys(CERTIFICATES, _FAR))
    """Days that each certificate lasted when the run began."""
