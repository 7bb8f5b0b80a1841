"""Illnesses of pods that one line of a log or an event names, told in place of their signs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from healer.core.reasons import Reason
from healer.model.cluster import Event, Pod
from healer.model.pod_parts import container_statuses, part
from healer.model.pod_reports import Report
from healer.model.pod_status import status
from healer.model.workload import workload_of

Json = dict[str, Any]

CORRUPT: Final = "Bad file format reading the append only file"
"""Redis' own last words (facts/incidents.md §6); it ends with them at each start."""
MOUNT_REASONS: Final = ("FailedMount", "FailedAttachVolume")
"""Of the events that tell of volumes."""
_REDIS: Final = re.compile(r"(?:^|/)(?:redis|valkey)[^/]*$")
_HANGS: Final = re.compile(
    r"timed out|timeout|deadline exceeded|no route to host|host is down|connection refused"
    r"|not responding|unreachable",
    re.IGNORECASE,
)
_NETWORKED: Final = re.compile(
    r"\bnfs|mount\.nfs|\bcifs|timed out waiting for the condition", re.IGNORECASE
)
_VOLUME: Final = re.compile(r'volume "([^"]+)"|unmounted volumes=\[([^\]]+)\]')
_SERVER: Final = re.compile(r"(?:^|\s)([A-Za-z0-9][A-Za-z0-9.-]*):/\S")
_OPTIONS: Final = "Mounting "
"""Begins the lines that repeat a mount's options, which may hold a password."""
_SHOWN: Final = 240


@dataclass(frozen=True, slots=True)
class Hanging:
    """A mount that does not come about."""

    volume: str
    line: str
    server: str
    """'' when the event does not name it."""


def looping_redis(pod: Pod) -> str:
    """The container of a Redis that ends again and again; '' when it is no Redis."""
    named = _REDIS.search(workload_of(pod)) is not None
    for one in container_statuses(pod.raw):
        image = str(one.get("image") or "").partition("@")[0]
        ends = not part(one, "state", "running") and _has_ended(one)
        if ends and (_REDIS.search(image) or named):
            return str(one.get("name") or "")
    return ""


def _has_ended(one: Json) -> bool:
    return bool(part(one, "state", "terminated") or part(one, "lastState", "terminated"))


def corrupt_line(log: str) -> str:
    """The line that says so; '' when none does. No other line of a log is repeated."""
    found = [line.strip() for line in log.splitlines() if CORRUPT in line]
    return found[-1][:_SHOWN] if found else ""


def corrupt_report(pod: Pod, line: str) -> Report:
    """Told at once, and nothing is restarted for it (R23)."""
    kubectl, workload = f"kubectl -n {pod.namespace}", _scalable(pod)
    return Report(
        Reason.REDIS_AOF_CORRUPT,
        f"Redis refuses to start: {line}",
        f"{kubectl} scale {workload} --replicas=0; in a pod that mounts its volume: "
        "cp -a /data /data.before && redis-check-aof --fix FILE, where FILE is the one that the "
        f"line names; read what it would cut off, then: {kubectl} scale {workload} --replicas=1",
    )


def _scalable(pod: Pod) -> str:
    _, kind, name = workload_of(pod).split("/", 2)
    return f"{kind.lower()}/{name}"


def waits_for_mount(pod: Pod) -> bool:
    """Whether its containers are not begun yet, which a volume may be the cause of."""
    return status(pod.raw).removeprefix("Init:") in {"ContainerCreating", "PodInitializing"} or (
        status(pod.raw).startswith("Init:0/")
    )


def hanging(events: Iterable[Event]) -> Hanging | None:
    """The newest event that names a mount over the network, or one that only timed out."""
    for one in sorted(events, key=lambda one: one.last_seen, reverse=True):
        if one.reason in MOUNT_REASONS:
            found = _hanging(one.message)
            if found is not None:
                return found
    return None


def _hanging(message: str) -> Hanging | None:
    if not (_HANGS.search(message) and _NETWORKED.search(message)):
        return None
    volume = _VOLUME.search(message)
    server = next((one[1] for line in _options(message) if (one := _SERVER.search(line))), "")
    shown = [line.strip() for line in message.splitlines() if not line.startswith(_OPTIONS)]
    line = next((one for one in shown if _HANGS.search(one)), shown[0])
    name = (volume[1] or volume[2]) if volume else "a volume"
    return Hanging(name, line[:_SHOWN], server)


def _options(message: str) -> list[str]:
    return [line for line in message.splitlines() if line.startswith(_OPTIONS)]


def mount_report(pod: Pod, found: Hanging) -> Report:
    """Said of the file server, which healer has no hand on."""
    asked = f"nc -z {found.server} 2049, in the VM as well; " if found.server else ""
    return Report(
        Reason.MOUNT_HANGS,
        f"its volume {found.volume} cannot be mounted: {found.line}",
        f"see whether the file server is on and reached: {asked}"
        f"then: kubectl -n {pod.namespace} describe pod {pod.name}",
    )
