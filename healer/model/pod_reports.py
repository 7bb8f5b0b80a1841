"""Pods that healer can only report: a bad image, a crash loop, one that does not get going."""

import re
from dataclasses import dataclass
from typing import Final

from healer.core.reasons import Reason
from healer.model.cluster import Pod
from healer.model.pod_parts import (
    changed_at,
    condition,
    container_statuses,
    mirror,
    part,
    phase,
    restarts,
    terminal,
)
from healer.model.pod_status import INIT, UNKNOWN, status

PENDING: Final = 300.0
"""Seconds without any change after which a Pending pod is worth a word."""

LOOPING: Final = 40.0
"""Seconds of back-off from which a container is in a crash loop: the kubelet begins with 10 and
doubles them, so this is the third failure in a row of this kubelet's life. The restart count tells
nothing of that: it goes on over reboots of the node, each of which ends every container."""

_IMAGE: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
    }
)
_CANNOT_START: Final = frozenset(
    {
        "RunContainerError",
        "CreateContainerError",
        "CreateContainerConfigError",
        "StartError",
    }
)
BACKING_OFF: Final = "CrashLoopBackOff"
_BACKOFF: Final = re.compile(r"back-off (?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
"""How the kubelet spells the wait in its message: `back-off 1m20s restarting failed container`."""


@dataclass(frozen=True, slots=True)
class Report:
    """A reason, what was seen, and the command that tells more."""

    reason: Reason
    evidence: str
    advice: str


def report(pod: Pod, now: float) -> Report | None:
    """What is to be said of a pod, by the server's clock `now`; None when nothing is."""
    if terminal(pod.raw):
        return _lost_for_good(pod)
    shown = status(pod.raw)
    word = shown.removeprefix(INIT)
    if word in _IMAGE:
        return Report(Reason.POD_IMAGE_PULL, f"{shown}: {_message(pod, word)}", _describe(pod))
    if word in _CANNOT_START or (word == BACKING_OFF and _backoff(pod) >= LOOPING):
        evidence = f"{shown} after {restarts(pod.raw)} restarts{_last_end(pod)}"
        return Report(
            Reason.POD_CRASH_LOOP, evidence, f"{_kubectl(pod)} logs {pod.name} --previous"
        )
    return _pending(pod, shown, now)


def _backoff(pod: Pod) -> float:
    """The longest wait of its containers, in seconds; one that is not told is taken for long."""
    waits = [
        _seconds(str(part(one, "state", "waiting").get("message") or ""))
        for one in container_statuses(pod.raw)
        if part(one, "state", "waiting").get("reason") == BACKING_OFF
    ]
    return max(waits, default=LOOPING)


def _seconds(message: str) -> float:
    found = _BACKOFF.search(message)
    if found is None or not any(found.groups()):
        return LOOPING
    hours, minutes, seconds = (float(one or 0.0) for one in found.groups())
    return hours * 3600.0 + minutes * 60.0 + seconds


def _pending(pod: Pod, shown: str, now: float) -> Report | None:
    """A gated pod waits because somebody wants it to."""
    if phase(pod.raw) != "Pending" or shown in {"SchedulingGated", "Terminating"}:
        return None
    if shown.removeprefix(INIT) == UNKNOWN:
        return None
    since = changed_at(pod.raw)
    if since is None or now - since <= PENDING:
        return None
    why = condition(pod.raw, "PodScheduled").get("message") or shown
    return Report(Reason.POD_PENDING, f"Pending for more than 5 min: {why}", _describe(pod))


def _lost_for_good(pod: Pod) -> Report | None:
    """A bare pod that the crash or the shutdown ended: nothing will bring it back."""
    if pod.owner is not None or mirror(pod.raw) or phase(pod.raw) != "Failed":
        return None
    cause = status(pod.raw)
    if cause not in {UNKNOWN, "Terminated", "NodeShutdown", "NodeLost"}:
        return None
    evidence = f"{cause}, phase Failed; it has no controller, so nothing recreates it"
    advice = f"make it anew, then: {_kubectl(pod)} delete pod {pod.name}"
    return Report(Reason.POD_UNMANAGED, evidence, advice)


def _message(pod: Pod, word: str) -> str:
    """Which image it is, in the words of the spec; the kubelet's own may be pages long."""
    ill = {
        one.get("name"): one.get("image", "")
        for one in container_statuses(pod.raw)
        if part(one, "state", "waiting").get("reason") == word
    }
    return ", ".join(f"container {name}, image {image}" for name, image in ill.items())


def _last_end(pod: Pod) -> str:
    """How its containers ended last: an exit code says more than a loop."""
    for one in container_statuses(pod.raw):
        for state in ("state", "lastState"):
            ended = part(one, state, "terminated")
            if ended and ended.get("exitCode") != 0:
                cause = ended.get("reason") or "ended"
                return f"; {one.get('name')}: {cause}, exit code {ended.get('exitCode')}"
    return ""


def _describe(pod: Pod) -> str:
    return f"{_kubectl(pod)} describe pod {pod.name}"


def _kubectl(pod: Pod) -> str:
    return f"kubectl -n {pod.namespace}"
