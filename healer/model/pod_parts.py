"""What a pod's JSON says of itself; every field may be absent."""

from collections.abc import Iterator
from typing import Any, Final

from healer.model.cluster import Pod
from healer.model.stamps import epoch

Json = dict[str, Any]

MIRROR: Final = "kubernetes.io/config.mirror"
"""Annotation of the API's copy of a static pod (facts/talos-kubernetes.md §4)."""

_TERMINAL: Final = frozenset({"Succeeded", "Failed"})


def part(raw: Json, *path: str) -> Json:
    """The object at that path, or an empty one."""
    for key in path:
        found = raw.get(key)
        raw = found if isinstance(found, dict) else {}
    return raw


def items(raw: Json, *path: str) -> list[Json]:
    """The list of objects at that path, or an empty one."""
    found = part(raw, *path[:-1]).get(path[-1])
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def phase(raw: Json) -> str:
    """Its status.phase."""
    return str(part(raw, "status").get("phase") or "")


def terminal(raw: Json) -> bool:
    """Whether it ended and will never run again: it is nobody's trouble (R25)."""
    return phase(raw) in _TERMINAL


def container_statuses(raw: Json) -> list[Json]:
    """Statuses of the init containers, then of the others."""
    status = part(raw, "status")
    return [*items(status, "initContainerStatuses"), *items(status, "containerStatuses")]


def running_since(raw: Json) -> float | None:
    """When the last of its running app containers started; None when none runs."""
    starts = [
        epoch(part(one, "state", "running").get("startedAt"))
        for one in items(raw, "status", "containerStatuses")
        if part(one, "state").get("running") is not None
    ]
    return max((one for one in starts if one is not None), default=None)


def restarts(raw: Json) -> int:
    """The highest restart count of its containers."""
    return max((int(one.get("restartCount") or 0) for one in container_statuses(raw)), default=0)


def condition(raw: Json, kind: str) -> Json:
    """Its condition of that type, or an empty one."""
    return next((one for one in items(raw, "status", "conditions") if one.get("type") == kind), {})


def created_at(raw: Json) -> float | None:
    """When it was created, epoch seconds of the server."""
    return epoch(part(raw, "metadata").get("creationTimestamp"))


def changed_at(raw: Json, *kinds: str) -> float | None:
    """The last time one of those conditions changed (none named: any), or its creation."""
    known = [created_at(raw), *_transitions(raw, kinds)]
    return max((one for one in known if one is not None), default=None)


def _transitions(raw: Json, kinds: tuple[str, ...]) -> Iterator[float | None]:
    for one in items(raw, "status", "conditions"):
        if not kinds or one.get("type") in kinds:
            yield epoch(one.get("lastTransitionTime"))


def deletion_due(raw: Json) -> float | None:
    """When its deletion's grace ends or ended; None while nobody deleted it.

    The API server writes the request's time plus the grace into deletionTimestamp.
    """
    return epoch(part(raw, "metadata").get("deletionTimestamp"))


def finalizers(raw: Json) -> list[str]:
    """Names of its finalizers."""
    found = part(raw, "metadata").get("finalizers")
    return [str(one) for one in found] if isinstance(found, list) else []


def mirror(raw: Json) -> bool:
    """Whether it mirrors a static pod, which the kubelet owns."""
    return MIRROR in part(raw, "metadata", "annotations")


def debugged(raw: Json, labels: dict[str, str]) -> bool:
    """Whether somebody looks into it with `kubectl debug`, or it was made for that."""
    if labels.get("app.kubernetes.io/managed-by") == "kubectl-debug":
        return True
    guests = items(raw, "status", "ephemeralContainerStatuses")
    return any(part(one, "state").get("running") is not None for one in guests)


def name_of(pod: Pod) -> str:
    """`namespace/name`, as people read it."""
    return f"{pod.namespace}/{pod.name}"


def target_of(pod: Pod) -> str:
    """`namespace/name@uid`: this pod and no other of its name."""
    return f"{pod.namespace}/{pod.name}@{pod.uid}"
