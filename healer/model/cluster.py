"""Kubernetes objects as far as healer may judge them, decoded from raw JSON.

Times are epoch seconds as the API server wrote them; `ClusterTime` carries the server's own
Date so that ages never depend on the Mac's clock.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
"""The one taint that healer may remove, with effect NoSchedule (facts/talos-kubernetes.md §2)."""


@dataclass(frozen=True, slots=True)
class Taint:
    """One entry of spec.taints."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of status.conditions of a node."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    heartbeat: float | None = None
    transition: float | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node."""

    name: str
    uid: str
    resource_version: str
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    annotations: dict[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((one for one in self.conditions if one.type == kind), None)


@dataclass(frozen=True, slots=True)
class Owner:
    """The controlling ownerReference of an object."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod; its JSON is read anew each time, so that thousands can be kept packed."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    read: Callable[[], dict[str, Any]] = field(repr=False, compare=False)
    labels: dict[str, str] = field(default_factory=dict)
    owner: Owner | None = None

    @property
    def raw(self) -> dict[str, Any]:
        """The JSON that STATUS, times and safety are told by; a copy of one's own."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Event:
    """A Warning event."""

    uid: str
    reason: str
    message: str
    object_uid: str
    object_name: str
    namespace: str
    last_seen: float
    """The latest of series.lastObservedTime, lastTimestamp, eventTime."""

    @property
    def identity(self) -> str:
        """One event, one act (I11): object uid, reason and time of the last occurrence."""
        return f"{self.object_uid}/{self.reason}/{self.last_seen:.0f}"


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """A DaemonSet's counts."""

    namespace: str
    name: str
    uid: str
    desired: int
    available: int
    generation: int
    observed_generation: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment; `raw` for drift after defaulting."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int
    observed_generation: int
    desired: int
    ready: int
    raw: dict[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service, and how many ready endpoints stand behind it."""

    namespace: str
    name: str
    node_port: int
    """0 = none: the Service is a ClusterIP, and no published port leads to it."""
    port: int
    target_port: str
    ready_endpoints: int
    desired: int | None
    """Replicas wanted of the workload it selects; None when no workload was found."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What `/readyz` said."""

    ready: bool
    port: int
    detail: str
    certificate_days: float | None = None
    """Days until the admin client certificate ends; None when it could not be read."""
    kubeconfig_port: int | None = None
    """The port in the kubeconfig, for the drift report."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list of objects and the server's own time."""

    items: tuple[T, ...]
    server_time: float
