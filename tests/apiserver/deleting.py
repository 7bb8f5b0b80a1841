"""DELETE: preconditions, grace and finalizers (facts/talos-kubernetes.md §4)."""

from collections.abc import Mapping
from typing import Any, Final

from tests.apiserver.statuses import precondition
from tests.apiserver.store import Key, Store, now_stamp

Json = dict[str, Any]

_GRACE: Final = 30


def delete(store: Store, key: Key, options: Json, query: Mapping[str, str]) -> Json:
    """Delete an object, or mark it; the query counts only where there is no body."""
    found = store.get(key)
    _require(found, key, options.get("preconditions") or {})
    asked = options.get("gracePeriodSeconds") if options else query.get("gracePeriodSeconds")
    grace = _grace(key, found, None if asked is None else int(asked))
    metadata = found["metadata"]
    if grace == 0 and not metadata.get("finalizers"):
        return store.remove(key)
    before = metadata.get("deletionGracePeriodSeconds")
    if before is None or grace < before:
        metadata["deletionTimestamp"] = now_stamp(grace)
        metadata["deletionGracePeriodSeconds"] = grace
        metadata["generation"] = metadata.get("generation", 1) + 1
    return store.write(key, found)


def _require(found: Json, key: Key, preconditions: Json) -> None:
    for field, name in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted, is_now = preconditions.get(field), found["metadata"][field]
        if wanted is not None and wanted != is_now:
            raise precondition(key.kind, key.name, name, wanted, is_now)


def _grace(key: Key, found: Json, asked: int | None) -> int:
    """Only pods have one; a pod that no kubelet runs needs none; below zero means one."""
    if key.kind != "Pod":
        return 0
    over = found.get("status", {}).get("phase") in {"Succeeded", "Failed"}
    if over or not found.get("spec", {}).get("nodeName"):
        return 0
    if asked is None:
        return int(found["spec"].get("terminationGracePeriodSeconds", _GRACE))
    return 1 if asked < 0 else asked
