"""A pod's JSON without what nobody judges it by, packed: 1 KB in memory instead of 30.

Thousands of pods are kept (pod_store.py). What is read of a pod is named here once, for every
way in which pods come: a rule of healer/model that reads more finds nothing in all its tests,
and not in a daemon alone.
"""

import marshal
from collections.abc import Mapping
from sys import intern
from typing import Any, Final

from healer.model.pod_parts import MIRROR
from healer.model.pod_reports import BACKING_OFF

Json = Any
"""Whatever JSON can hold."""

_METADATA: Final = (
    "namespace",
    "name",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
)
_UNIQUE: Final = frozenset({"name", "uid", "resourceVersion", "containerID"})
"""What no two pods share, so that sharing one string of it would save nothing."""
_OWNER: Final = ("kind", "name", "uid", "controller")
_INIT: Final = ("name", "restartPolicy")
_STATUS: Final = ("phase", "reason")
_CONDITION: Final = ("type", "status", "reason", "message", "lastTransitionTime")
_CONTAINER: Final = ("name", "ready", "started", "restartCount", "image")
_STATE: Final = ("reason", "exitCode", "signal", "startedAt", "finishedAt", "containerID")
_WORDS: Final = 32
"""Characters of `back-off 1m20s restarting failed container=…`."""
_CONTAINERS: Final = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


class Packed:
    """JSON as bytes; called, it is JSON again."""

    __slots__ = ("_bytes",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self._bytes = marshal.dumps(raw)

    def __call__(self) -> dict[str, Any]:
        """A copy of one's own, in some microseconds."""
        unpacked: dict[str, Any] = marshal.loads(self._bytes)  # noqa: S302  (our own bytes, made above)
        return unpacked


def slim(raw: Json) -> Json:
    """The same pod with the fields that healer/model reads, and no others.

    Raises KeyError, TypeError, ValueError or AttributeError for what is no pod.
    """
    metadata, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    kept: dict[str, Json] = {"metadata": _metadata(metadata), "status": _status(status)}
    inits = spec.get("initContainers")
    if inits:
        kept["spec"] = {"initContainers": [_some(one, _INIT) for one in inits]}
    return kept


def _metadata(metadata: Json) -> Json:
    kept = _some(metadata, _METADATA)
    labels, owners = metadata.get("labels"), metadata.get("ownerReferences")
    if labels:
        kept["labels"] = {intern(key): _shared(value) for key, value in labels.items()}
    if owners:
        kept["ownerReferences"] = [_some(one, _OWNER) for one in owners if one.get("controller")]
    if MIRROR in (metadata.get("annotations") or {}):
        kept["annotations"] = {MIRROR: metadata["annotations"][MIRROR]}
    return kept


def _status(status: Json) -> Json:
    kept = _some(status, _STATUS)
    conditions = status.get("conditions")
    if conditions:
        kept["conditions"] = [_some(one, _CONDITION) for one in conditions]
    for name in _CONTAINERS:
        if status.get(name):
            kept[name] = [_container(one) for one in status[name]]
    return kept


def _container(one: Json) -> Json:
    kept = _some(one, _CONTAINER)
    for name in ("state", "lastState"):
        if one.get(name):
            told = ((how, said) for how, said in one[name].items() if said is not None)
            kept[name] = {intern(how): _state(said) for how, said in told}
    return kept


def _state(said: Json) -> Json:
    """Of a message only the beginning, where a back-off says how long it is: the rest is long."""
    kept = _some(said, _STATE)
    message = said.get("message")
    if said.get("reason") == BACKING_OFF and isinstance(message, str):
        kept["message"] = _shared(message[:_WORDS])
    return kept


def _some(raw: Mapping[str, Json], names: tuple[str, ...]) -> dict[str, Json]:
    """What is there of those fields; null is as good as nothing."""
    return {
        name: value if name in _UNIQUE else _shared(value)
        for name in names
        if (value := raw.get(name)) is not None
    }


def _shared(value: Json) -> Json:
    """One string for all that say the same: reasons, images, and the times within a pod."""
    return intern(value) if type(value) is str else value
