"""The three kinds of patches, as far as healer sends them."""

import copy
from typing import Any, Final

from tests.apiserver.statuses import forbidden, unprocessable
from tests.apiserver.store import Key

Json = dict[str, Any]

MERGE_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "ports": "port",
}
"""Lists whose items a strategic merge joins; every other list is replaced as a whole. `ports` are
those of a Service: no container's are ever patched."""
_PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
_PROBE_DEFAULTS: Final = {
    "failureThreshold": 3,
    "periodSeconds": 10,
    "successThreshold": 1,
    "timeoutSeconds": 1,
}


def json_patch(found: Json, operations: list[Json]) -> Json:
    """RFC 6902 with `test`, `add`, `replace` and `remove`; all or nothing."""
    patched = copy.deepcopy(found)
    for one in operations:
        try:
            _operate(patched, one)
        except (LookupError, TypeError, ValueError, AssertionError) as error:
            raise unprocessable() from error
    return patched


def _operate(root: Any, operation: Json) -> None:  # noqa: ANN401  (any JSON)
    *way, last = (
        part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
    )
    holder = root
    for part in way:
        holder = holder[_index(holder, part)]
    index = _index(holder, last)
    if operation["op"] == "test":
        assert holder[index] == operation["value"]
    elif operation["op"] == "remove":
        del holder[index]
    elif operation["op"] == "add" and isinstance(holder, list):
        holder.insert(len(holder) if last == "-" else int(last), operation["value"])
    else:
        if operation["op"] == "replace":
            holder[index]
        holder[index] = operation["value"]


def _index(holder: Any, part: str) -> int | str:  # noqa: ANN401  (any JSON)
    return int(part) if isinstance(holder, list) and part != "-" else part


def merge(found: Json, patch: Json) -> Json:
    """RFC 7396: maps join, null takes away, lists are replaced."""
    return _merged(found, patch, strategic=False)


def strategic_merge(found: Json, patch: Json) -> Json:
    """As `merge`, and lists with a merge key join by it."""
    return _merged(found, patch, strategic=True)


def _merged(found: Json, patch: Json, *, strategic: bool) -> Json:
    merged = copy.deepcopy(found)
    for key, value in patch.items():
        old = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            base = old if isinstance(old, dict) else {}
            merged[key] = _merged(base, value, strategic=strategic)
        elif strategic and key in MERGE_KEYS and isinstance(old, list):
            merged[key] = _joined(old, value, MERGE_KEYS[key])
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _joined(old: list[Json], patch: list[Json], key: str) -> list[Json]:
    joined = {one[key]: one for one in copy.deepcopy(old)}
    for one in patch:
        joined[one[key]] = _merged(joined.get(one[key], {}), one, strategic=True)
    return list(joined.values())


def admitted(key: Key, found: Json) -> Json:
    """What a server makes of a changed object: refused, or with its defaults filled in."""
    if key.kind != "Deployment":
        return found
    strategy = found["spec"].get("strategy", {})
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate") is not None:
        field, why = "spec.strategy.rollingUpdate", "strategy `type` is 'Recreate'"
        raise forbidden(key.kind, key.name, "apps", field, f"may not be specified when {why}")
    admitted_ = copy.deepcopy(found)
    for container in admitted_["spec"]["template"]["spec"]["containers"]:
        for name in _PROBES:
            if name in container:
                container[name] = {**_PROBE_DEFAULTS, **container[name]}
                if "httpGet" in container[name]:
                    container[name]["httpGet"].setdefault("scheme", "HTTP")
    return admitted_
