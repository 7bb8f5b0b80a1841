"""Flannel's troubles as the API shows them (facts/talos-kubernetes.md §5)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from healer.model.cluster import DaemonSet, Event, Pod
from healer.model.pod_parts import changed_at, deletion_due, running_since, terminal
from healer.model.pod_safety import lost_since, shows_unknown
from healer.model.pod_status import INIT, status
from healer.model.workload import is_of_daemonset

SUBNET_ENV: Final = "/run/flannel/subnet.env"
SETTLE: Final = 60.0
"""Seconds after its start that flannel is given to write the file, and in which a pod that was
lost in a crash is restarted by the kubelet without help: it needs no network of its own."""
WRITES_WITHIN: Final = 20.0
"""Seconds after its start within which flannel writes the file on a node that is well: what a
sandbox lacks later is a new loss, which is waited out until `SETTLE` and not overlooked."""
FRESH: Final = 420.0
"""An event older than this is over: kubelet tries every few seconds, and what it may tell is
thinned to one in 300 s."""

_CRASHED: Final = frozenset(
    {"Error", "CrashLoopBackOff", "Unknown", "ContainerStatusUnknown", "OOMKilled", "StartError"}
)


BRIDGE_WORD: Final = "br_netfilter"
"""In the line with which flannel ends when the module is missing."""
_WITHOUT_BRIDGE: Final = (0, 28, 9)
"""The first version that does not look for br_netfilter when it uses nftables."""
_VERSION: Final = re.compile(r":v?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class FlannelNetwork:
    """How flannel is set up."""

    image: str
    container: str
    """The name of flanneld's container."""
    nftables: bool
    """`EnableNFTables` of its net-conf.json."""

    @property
    def needs_br_netfilter(self) -> bool:
        """Whether it ends at its start when the module is missing; so does any unknown version."""
        found = _VERSION.search(self.image)
        if found is None or not self.nftables:
            return True
        return tuple(int(one) for one in found.groups()) < _WITHOUT_BRIDGE


def pods_of(daemonset: DaemonSet, pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """Its pods that are neither over nor on their way out."""
    return tuple(
        one
        for one in pods
        if is_of_daemonset(one, daemonset)
        and not terminal(one.raw)
        and deletion_due(one.raw) is None
    )


def crashed(pod: Pod) -> bool:
    """Whether its STATUS is one that a new pod may cure; a bad image is not."""
    word = status(pod.raw).removeprefix(INIT)
    return word in _CRASHED or word.startswith(("ExitCode:", "Signal:"))


def delete_in(pod: Pod, now: float) -> float:
    """Seconds for which the kubelet may yet restart it; a crash loop is not waited for."""
    if not shows_unknown(pod.raw):
        return 0.0
    since = lost_since(pod.raw) or changed_at(pod.raw)
    return SETTLE if since is None else max(0.0, since + SETTLE - now)


def subnet_env_failure(
    events: Iterable[Event], flannel: Pod, pods: Iterable[Pod], now: float
) -> Event | None:
    """The newest event that proves that the running flannel has no subnet.env; else None.

    Events linger for an hour and old ones made the old script restart flannel at each tick
    (incident 21): one counts only if it is newer than this flannel's start, not old, and of
    a pod that still has no container running.
    """
    started = running_since(flannel.raw)
    if started is None:
        return None
    told = [
        one
        for one in events
        if names_subnet_env(one) and one.last_seen > max(started + WRITES_WITHIN, now - FRESH)
    ]
    waiting = {one.uid for one in pods if _waits(one)} if told else set()
    proofs = (one for one in told if one.object_uid in waiting)
    return max(proofs, key=lambda one: one.last_seen, default=None)


def settles_in(flannel: Pod, now: float) -> float:
    """Seconds for which a flannel that lacks the file may yet be at its start."""
    started = running_since(flannel.raw)
    return 0.0 if started is None else max(0.0, started + SETTLE - now)


def _waits(pod: Pod) -> bool:
    raw = pod.raw
    return not terminal(raw) and running_since(raw) is None


def names_subnet_env(event: Event) -> bool:
    """Reason and path, nothing else: the words between them differ from version to version."""
    return event.reason == "FailedCreatePodSandBox" and SUBNET_ENV in event.message
