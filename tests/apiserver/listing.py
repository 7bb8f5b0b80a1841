"""GET of many: selectors, pages and the token that asks for the next one."""

import base64
import copy
import json
from collections.abc import Mapping
from typing import Any

from tests.apiserver.statuses import continue_too_old
from tests.apiserver.store import RESOURCES, Key, Store

Json = dict[str, Any]


def listed(store: Store, kind: str, namespace: str, query: Mapping[str, str]) -> Json:
    """A list object, with a continue token when there is more."""
    revision, start = _begin(store, query.get("continue", ""))
    found = [
        (key, one)
        for key, one in store.all(kind, namespace)
        if selected(one, query) and (start is None or key > start)
    ]
    limit = int(query.get("limit", "0")) or len(found)
    page, rest = found[:limit], found[limit:]
    metadata: Json = {"resourceVersion": str(revision)}
    if rest:
        metadata["continue"] = _token(revision, page[-1][0])
        metadata["remainingItemCount"] = len(rest)
    resource = RESOURCES[kind]
    return {
        "apiVersion": resource.api_version,
        "kind": f"{kind}List",
        "metadata": metadata,
        "items": [_bare(one) for _, one in page],
    }


def selected(raw: Json, query: Mapping[str, str]) -> bool:
    """Whether both selectors, of `key=value` alone, choose the object."""
    labels = raw["metadata"].get("labels") or {}
    by_label = all(labels.get(key) == value for key, value in _pairs(query, "labelSelector"))
    return by_label and all(
        _at(raw, path) == value for path, value in _pairs(query, "fieldSelector")
    )


def _pairs(query: Mapping[str, str], name: str) -> list[tuple[str, str]]:
    terms = [one for one in query.get(name, "").split(",") if one]
    return [(key.rstrip("="), value) for key, _, value in (one.partition("=") for one in terms)]


def _at(raw: Any, path: str) -> Any:  # noqa: ANN401  (any JSON)
    for part in path.split("."):
        raw = raw.get(part) or {}
    return raw


def _bare(raw: Json) -> Json:
    """Items of a list do not repeat what the list's kind says."""
    bare = {key: value for key, value in raw.items() if key not in {"kind", "apiVersion"}}
    return copy.deepcopy(bare)


def _token(revision: int, last: Key) -> str:
    said = {"rv": revision, "kind": last.kind, "namespace": last.namespace, "name": last.name}
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


def _begin(store: Store, token: str) -> tuple[int, Key | None]:
    if not token:
        return store.revision, None
    said = json.loads(base64.urlsafe_b64decode(token))
    if said["rv"] < store.compacted:
        raise continue_too_old()
    return said["rv"], Key(said["kind"], said["namespace"], said["name"])
