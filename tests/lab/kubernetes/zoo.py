"""Pods in every STATUS: those a real kubelet makes, and statuses written to the API by hand.

The second kind stands on a node that does not exist, so that no kubelet corrects it; the API
server prints its column all the same, and that column is what a port of the algorithm is tested
against (facts/talos-kubernetes.md §3).
"""

from __future__ import annotations

from typing import Any, Final

from tests.lab.kubernetes.faults import ASLEEP, pod
from tests.lab.kubernetes.image import BUSYBOX_IMAGE

NOWHERE: Final = "no-such-node"
FAILS: Final = ["/bin/sh", "-c", "exit 3"]
ENDS: Final = ["/bin/true"]


def container(name: str, command: list[str], **more: object) -> dict[str, Any]:
    """One container of the lab's busybox."""
    return {
        "name": name,
        "image": BUSYBOX_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        **more,
    }


def real() -> list[dict[str, Any]]:
    """Pods for a real kubelet, each named for the column it should come to."""
    asleep = container("main", ASLEEP)
    crash = container("main", FAILS)
    missing_key = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "none", "key": "none"}}}
    hungry = ["/bin/sh", "-c", "tail /dev/zero"]
    memory = {"limits": {"memory": "8Mi"}}
    return [
        pod("running"),
        pod("completed", restartPolicy="Never", containers=[container("main", ENDS)]),
        pod("error", restartPolicy="Never", containers=[crash]),
        pod("crash-loop", containers=[crash]),
        pod("image-pull", containers=[container("main", ASLEEP) | {"image": "lab.invalid/no:1"}]),
        pod("bad-name", containers=[asleep | {"image": "Lab.Invalid//"}]),
        pod(
            "never-pull",
            containers=[asleep | {"image": "lab.invalid/no:1", "imagePullPolicy": "Never"}],
        ),
        pod("config-error", containers=[asleep | {"env": [missing_key]}]),
        pod("start-error", restartPolicy="Never", containers=[container("main", ["/no/such"])]),
        pod("oom", restartPolicy="Never", containers=[container("main", hungry, resources=memory)]),
        pod("deadline", activeDeadlineSeconds=1),
        pod("not-ready", restartPolicy="Never", containers=[asleep, container("done", ENDS)]),
        pod("unready", containers=[asleep | {"readinessProbe": {"exec": {"command": FAILS}}}]),
        pod("gated", schedulingGates=[{"name": "lab.invalid/gate"}]),
        pod("unschedulable", nodeSelector={"lab.invalid/none": "x"}),
        pod("init-waits", initContainers=[container("first", ASLEEP)]),
        pod("init-error", restartPolicy="Never", initContainers=[container("first", FAILS)]),
        pod("init-crash-loop", initContainers=[container("first", FAILS)]),
        pod("init-image", initContainers=[asleep | {"name": "first", "image": "lab.invalid/no:1"}]),
        pod("sidecar", initContainers=[container("side", ASLEEP, restartPolicy="Always")]),
        pod(
            "terminating",
            terminationGracePeriodSeconds=3600,
            containers=[
                container("main", ["/bin/sh", "-c", "trap : TERM; while :; do sleep 1; done"])
            ],
        ),
    ]


def written() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pods and the status to write for each."""
    return [(_nowhere(name, init=[*inits]), status) for name, inits, status in _statuses()]


def _nowhere(name: str, init: list[str]) -> dict[str, Any]:
    made = pod(
        name,
        nodeName=NOWHERE,
        initContainers=[
            container(one, ASLEEP, **({"restartPolicy": "Always"} if one == "side" else {}))
            for one in init
        ],
    )
    made["spec"]["containers"] = [container(one, ASLEEP) for one in ("a", "b", "c")]
    # Without it the API server drops a pod that is ended or on no node as soon as it is deleted.
    made["metadata"]["finalizers"] = ["lab.invalid/kept"]
    return made


WAITING: Final = {"waiting": {"reason": "PodInitializing"}}
CREATING: Final = {"waiting": {"reason": "ContainerCreating"}}
SILENT: Final[dict[str, Any]] = {"waiting": {}}
RUNNING: Final = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
LOST: Final = {"terminated": {"reason": "Unknown", "exitCode": 255}}
COMPLETED: Final = {"terminated": {"reason": "Completed", "exitCode": 0}}
ERROR: Final = {"terminated": {"reason": "Error", "exitCode": 1}}
SIGNALLED: Final = {"terminated": {"exitCode": 137, "signal": 9}}
CODED: Final = {"terminated": {"exitCode": 4}}
DONE: Final = {"terminated": {"exitCode": 0}}
UNKNOWN_STATUS: Final = {"terminated": {"reason": "ContainerStatusUnknown", "exitCode": 137}}
BACK_OFF: Final = {"waiting": {"reason": "CrashLoopBackOff"}}
INITIALISED: Final = [{"type": "Initialized", "status": "True"}]
READY: Final = [*INITIALISED, {"type": "Ready", "status": "True"}]


def _status(phase: str, *app: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"phase": phase, "containerStatuses": _containers("abc", app), **more}


def _containers(names: str | list[str], states: Any) -> list[dict[str, Any]]:  # noqa: ANN401  states of containers
    return [
        {
            "name": name,
            "image": BUSYBOX_IMAGE,
            "imageID": "",
            "restartCount": 0,
            "ready": "running" in state,
            "started": "running" in state,
            "state": state,
        }
        for name, state in zip(names, states, strict=False)
    ]


def _initial(
    *states: dict[str, Any], started: bool | None = None, **more: object
) -> dict[str, Any]:
    names = ["first", "second"][: len(states)]
    statuses = _containers(["side"] if started is not None else names, states)
    for status in statuses:
        status["started"] = started if started is not None else status["started"]
    return {"phase": "Pending", "initContainerStatuses": statuses, **more}


def _statuses() -> list[tuple[str, list[str], dict[str, Any]]]:
    one, two, side = ["first"], ["first", "second"], ["side"]
    return [
        ("w-unknown", [], _status("Running", LOST, LOST, LOST, conditions=INITIALISED)),
        ("w-unknown-first", [], _status("Running", LOST, RUNNING, RUNNING)),
        ("w-unknown-last", [], _status("Running", RUNNING, RUNNING, LOST)),
        ("w-unknown-failed", [], _status("Failed", LOST, COMPLETED, COMPLETED)),
        ("w-unknown-then-waiting", [], _status("Running", BACK_OFF, LOST, LOST)),
        ("w-waiting-then-unknown", [], _status("Running", LOST, BACK_OFF, CREATING)),
        ("w-phase-unknown", [], {"phase": "Unknown"}),
        ("w-status-unknown", [], _status("Failed", UNKNOWN_STATUS, RUNNING, RUNNING)),
        ("w-node-lost", [], _status("Running", RUNNING, reason="NodeLost")),
        ("w-evicted", [], {"phase": "Failed", "reason": "Evicted", "message": "low on memory"}),
        ("w-terminated", [], _status("Failed", ERROR, reason="Terminated")),
        ("w-shutdown", [], {"phase": "Failed", "reason": "NodeShutdown"}),
        ("w-affinity", [], {"phase": "Failed", "reason": "NodeAffinity"}),
        ("w-signal", [], _status("Failed", SIGNALLED)),
        ("w-exit-code", [], _status("Failed", CODED)),
        ("w-exit-zero", [], _status("Succeeded", DONE)),
        ("w-completed-running-ready", [], _status("Running", COMPLETED, RUNNING, conditions=READY)),
        ("w-completed-running-unready", [], _status("Running", COMPLETED, RUNNING)),
        ("w-completed-error", [], _status("Failed", COMPLETED, ERROR, COMPLETED)),
        ("w-completed-error-running", [], _status("Running", COMPLETED, ERROR, RUNNING)),
        ("w-error-completed", [], _status("Failed", ERROR, COMPLETED)),
        ("w-completed-signal", [], _status("Failed", COMPLETED, SIGNALLED)),
        ("w-waiting-silent", [], _status("Pending", SILENT)),
        ("w-creating", [], _status("Pending", CREATING, CREATING, CREATING)),
        ("w-running", [], _status("Running", RUNNING, RUNNING, RUNNING, conditions=READY)),
        ("w-init-waiting", two, _initial(WAITING, WAITING)),
        ("w-init-unknown", two, _initial(LOST, WAITING)),
        ("w-init-second-unknown", two, _initial(COMPLETED, LOST)),
        ("w-init-running", two, _initial(COMPLETED, RUNNING)),
        ("w-init-signal", one, _initial(SIGNALLED)),
        ("w-init-exit-code", one, _initial(CODED)),
        ("w-init-back-off", two, _initial(BACK_OFF, WAITING)),
        ("w-init-silent", two, _initial(SILENT, SILENT)),
        ("w-init-done", two, _initial(COMPLETED, COMPLETED) | _status("Pending", WAITING, WAITING)),
        (
            "w-init-unknown-initialised",
            one,
            _initial(LOST) | _status("Running", LOST, RUNNING, conditions=INITIALISED),
        ),
        ("w-sidecar-started", side, _initial(RUNNING, started=True) | _status("Running", RUNNING)),
        ("w-sidecar-not-started", side, _initial(RUNNING, started=False)),
        ("w-sidecar-unknown", side, _initial(LOST, started=False)),
        (
            "w-sidecar-lost-initialised",
            side,
            _initial(LOST, started=False)
            | _status("Running", RUNNING, RUNNING, RUNNING, conditions=READY),
        ),
        (
            "w-gated",
            [],
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}
                ],
            },
        ),
        ("w-gone-running", [], _status("Running", RUNNING, RUNNING, RUNNING)),
        ("w-gone-unknown", [], _status("Running", LOST, LOST, LOST)),
        ("w-gone-lost", [], _status("Running", LOST, reason="NodeLost")),
        ("w-gone-failed", [], _status("Failed", ERROR)),
        ("w-gone-succeeded", [], _status("Succeeded", COMPLETED)),
        ("w-gone-creating", [], {"phase": "Pending"}),
    ]
