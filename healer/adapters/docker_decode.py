"""From `docker inspect` to what healer may know of a container: never its Env.

Config.Env carries the cluster's CA keys (facts/talos-kubernetes.md §0.7), so the raw answer is
never kept, shown or put into an error; only the named fields leave this file.
"""

import re
from datetime import UTC, datetime
from typing import Any, Final

from healer.model.container import Container, PortBinding
from healer.ports import TargetIll

_NEVER: Final = "0001-01-01"
"""Docker's zero time: it never happened."""
_STAMP: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")


def container_of(raw: Any, now: float, place: str) -> Container:  # noqa: ANN401  (Docker's JSON)
    """Decode one inspect; `now` is the engine's own clock, so ages never depend on the Mac's.

    Raises TargetIll when a field that every engine sends is missing, naming the field only.
    """
    try:
        return _decoded(raw, now)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        # Only a KeyError names a field; what the others quote may be any value.
        named = str(error.args[0]) if isinstance(error, KeyError) else type(error).__name__
    # Raised out here, so that not even the context of the error holds such a quotation.
    raise TargetIll(place, f"an inspect that makes no sense at {named}")


def _decoded(raw: Any, now: float) -> Container:  # noqa: ANN401  (as above)
    state, config = raw["State"], raw["HostConfig"]
    return Container(
        id=str(raw["Id"]),
        name=str(raw["Name"]).lstrip("/"),
        status=str(state["Status"]),
        exit_code=int(state["ExitCode"]),
        error=str(state.get("Error") or ""),
        started_ago=_ago(state.get("StartedAt"), now),
        finished_ago=_ago(state.get("FinishedAt"), now),
        started_at=str(state.get("StartedAt") or ""),
        restart_policy=str((config.get("RestartPolicy") or {}).get("Name") or "no"),
        memory=int(config.get("Memory") or 0),
        memory_swap=int(config.get("MemorySwap") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        ports=_ports(config.get("PortBindings") or {}),
        labels={str(key): str(value) for key, value in _labels(raw).items()},
        addresses=_addresses(raw),
    )


def epoch(stamp: object) -> float | None:
    """Epoch seconds of Docker's RFC 3339 with nanoseconds; None for never or nonsense."""
    match = _STAMP.fullmatch(stamp) if isinstance(stamp, str) else None
    if match is None or match[1].startswith(_NEVER):
        return None
    try:
        whole = datetime.fromisoformat(match[1] + match[3].replace("Z", "+00:00"))
        return whole.astimezone(UTC).timestamp() + float(match[2] or 0.0)
    except (ValueError, OverflowError):  # a month 13, a day before the first
        return None


def _ago(stamp: object, now: float) -> float | None:
    at = epoch(stamp)
    return None if at is None else max(0.0, now - at)


def _ports(bindings: dict[str, Any]) -> tuple[PortBinding, ...]:
    """A list of two for one port is possible since talosctl 1.13 (§1); "" = ephemeral."""
    found = []
    for key, published in bindings.items():
        number, _, protocol = key.partition("/")
        for one in published or ():
            host_port = str(one.get("HostPort") or "")
            if host_port.isdigit():
                host_ip = str(one.get("HostIp") or "")
                found.append(PortBinding(int(number), host_ip, int(host_port), protocol or "tcp"))
    return tuple(found)


def _labels(raw: dict[str, Any]) -> dict[str, Any]:
    return (raw.get("Config") or {}).get("Labels") or {}


def _addresses(raw: dict[str, Any]) -> tuple[str, ...]:
    """Per network: the top-level field is gone since API 1.52 (§8)."""
    networks = (raw.get("NetworkSettings") or {}).get("Networks") or {}
    return tuple(str(one["IPAddress"]) for one in networks.values() if one.get("IPAddress"))
