"""What a probe finds and a remedy asks again just before it acts, said once for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from healer.model.cluster import Condition, Node
from healer.model.container import Container
from healer.model.machine import GuestFacts

BRIDGE: Final = "br_netfilter"
VXLAN: Final = "vxlan"
_NO_SWAP_LIMIT: Final = frozenset({0, -1})
"""What Docker shows where nothing was set or the kernel does not account for swap."""

_REFUSALS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "range of cpus is from": "give the VM more CPUs in colima.yaml, or lower the container's: "
        "docker update --cpus N {name}; then docker start {name}",
        "port is already allocated": "free that port in the VM, then docker start {name}",
        "address already in use": "free that port in the VM, then docker start {name}",
        "marked for removal": "somebody began to remove it: docker inspect {name}",
    }
)
"""Docker's words for a start that fails until a human mends something
(facts/talos-kubernetes.md §1, incident 19)."""

_UNSTARTABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "paused": "somebody paused it: docker unpause {name}",
        "dead": "Docker could not remove it: docker inspect {name}",
        "removing": "somebody is removing it: docker inspect {name}",
    }
)
"""State.Status of a container that no start brings back."""


@dataclass(frozen=True, slots=True)
class WantedContainer:
    """How the Talos container should be; what is empty is left as it is."""

    restart_policy: str = "unless-stopped"
    """Without one it stays down after each boot of the VM (R37)."""
    memory: int = 0
    """Bytes for Memory and MemorySwap; 0 = leave the limit alone."""
    api_port: int = 6443
    """The container's port that must be published for the API."""
    reserved_ports: frozenset[int] = frozenset({3111})
    """Ports of the Mac that belong to the host's own programs (incidents, constraint 7)."""

    def policy_differs(self, container: Container) -> bool:
        """Whether another restart policy is wanted than the container has."""
        return bool(self.restart_policy) and container.restart_policy != self.restart_policy

    def memory_differs(self, container: Container) -> bool:
        """Whether another limit is wanted than the container has."""
        if not self.memory:
            return False
        swap_differs = container.memory_swap not in {self.memory, *_NO_SWAP_LIMIT}
        return container.memory != self.memory or swap_differs


def missing_modules(facts: GuestFacts) -> tuple[str, ...]:
    """Names of the two kernel modules that the VM has not loaded."""
    loaded = {BRIDGE: facts.bridge_netfilter, VXLAN: facts.vxlan}
    return tuple(name for name, there in loaded.items() if not there)


def start_refusal(container: Container) -> str:
    """What a human must do before any start can succeed; '' when a start may help."""
    advice = _UNSTARTABLE.get(container.status, "")
    error = container.error.lower()
    for words, cure in _REFUSALS.items():
        advice = advice or (cure if words in error else "")
    return advice.format(name=container.name)


def shutting_down(node: Node) -> Condition | None:
    """The Ready condition in which the kubelet says that it is shutting down, or None.

    The exact words of facts/talos-kubernetes.md §1, "Stuck states"; whether they are stale
    is another question.
    """
    ready = node.condition("Ready")
    if ready is None or (ready.status, ready.reason) != ("False", "KubeletNotReady"):
        return None
    return ready if "node is shutting down" in ready.message else None
