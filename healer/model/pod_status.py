"""kubectl's STATUS column, computed as the API server's printer does.

The four steps of facts/talos-kubernetes.md §3, in their order. Match its results exactly:
`ContainerStatusUnknown` is not `Unknown`, and `Unknown` is not the phase of that name.
"""

from dataclasses import dataclass
from typing import Final

from healer.model.pod_parts import Json, condition, items, part, phase, terminal

UNKNOWN: Final = "Unknown"
TERMINATING: Final = "Terminating"
INIT: Final = "Init:"


def status(raw: Json) -> str:
    """The word that `kubectl get pods` shows for a pod's JSON."""
    word = _base(raw)
    init = _init(raw)
    if init:
        word = init
    if not init or condition(raw, "Initialized").get("status") == "True":
        word = _app(raw, word)
    return _deleted(raw, word)


def _base(raw: Json) -> str:
    if condition(raw, "PodScheduled").get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return str(part(raw, "status").get("reason") or phase(raw))


def _init(raw: Json) -> str:
    """The first init container that is not through, or '' when none is in the way."""
    declared = items(raw, "spec", "initContainers")
    sidecars = {one.get("name") for one in declared if one.get("restartPolicy") == "Always"}
    for index, one in enumerate(items(raw, "status", "initContainerStatuses")):
        ended = part(one, "state").get("terminated")
        if isinstance(ended, dict) and ended.get("exitCode", 0) == 0:
            continue
        if one.get("name") in sidecars and one.get("started"):
            continue
        if isinstance(ended, dict):
            return INIT + _ending(ended)
        waiting = part(one, "state", "waiting").get("reason")
        if waiting and waiting != "PodInitializing":
            return f"{INIT}{waiting}"
        return f"{INIT}{index}/{len(declared)}"
    return ""


def _ending(ended: Json) -> str:
    """A terminated state's reason, or its signal or exit code where it has none."""
    if ended.get("reason"):
        return str(ended["reason"])
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


@dataclass(slots=True)
class _Seen:
    """What the app containers said so far."""

    word: str
    failure: str = ""
    running: bool = False

    def hear(self, one: Json) -> None:
        state = part(one, "state")
        waiting = part(state, "waiting").get("reason")
        ended = state.get("terminated")
        if waiting:
            self.word = str(waiting)
        elif isinstance(ended, dict):
            self.word = _ending(ended)
            if ended.get("exitCode", 0) != 0:
                self.failure = self.word
        elif one.get("ready") and state.get("running") is not None:
            self.running = True


def _app(raw: Json, word: str) -> str:
    """From the last container to the first, each overwriting; `Completed` is corrected."""
    seen = _Seen(word)
    for one in reversed(items(raw, "status", "containerStatuses")):
        seen.hear(one)
    if seen.word != "Completed":
        return seen.word
    if seen.running and condition(raw, "Ready").get("status") == "True":
        return "Running"
    if seen.failure:
        return seen.failure
    return "NotReady" if seen.running else seen.word


def _deleted(raw: Json, word: str) -> str:
    if not part(raw, "metadata").get("deletionTimestamp"):
        return word
    if part(raw, "status").get("reason") == "NodeLost":
        return UNKNOWN
    return word if terminal(raw) else TERMINATING
