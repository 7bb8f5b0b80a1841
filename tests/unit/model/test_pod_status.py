"""kubectl's STATUS column."""

from typing import Any

import pytest

from healer.model.pod_status import status
from tests.cluster_objects import (
    RECORDINGS,
    Json,
    ended,
    lost,
    pod_json,
    recorded,
    running,
    stamp,
    waiting,
)

PODS = sorted(path.stem for path in RECORDINGS.glob("pods-*.json"))


@pytest.mark.parametrize("name", PODS)
def test_it_says_what_a_real_server_prints(name: str) -> None:
    """Every recorded pod has the STATUS that the API server itself put into its table."""
    recording = recorded(name)
    table = recording["table"]
    column = table["columnDefinitions"].index("Status")
    printed = {row["object"]["uid"]: row["cells"][column] for row in table["rows"]}
    computed = {one["metadata"]["uid"]: status(one) for one in recording["list"]["items"]}

    assert printed == computed
    assert printed


def _with(raw: Json, **changes: Any) -> Json:  # noqa: ANN401  (JSON)
    for path, value in changes.items():
        place, key = path.split("_", 1)
        raw[place][key] = value
    return raw


def _condition(kind: str, value: str, reason: str = "") -> Json:
    return {"type": kind, "status": value, "reason": reason}


_SIDECAR = {**running("proxy"), "started": True}
_READY = [_condition("Ready", "True")]
_INITIALIZED = [_condition("Initialized", "True")]


@pytest.mark.parametrize(
    ("expected", "raw"),
    [
        ("Running", pod_json(running())),
        ("Pending", pod_json(phase="Pending")),
        ("Evicted", _with(pod_json(phase="Failed"), status_reason="Evicted")),
        (
            "SchedulingGated",
            _with(
                pod_json(phase="Pending"),
                status_conditions=[_condition("PodScheduled", "False", "SchedulingGated")],
            ),
        ),
        ("Unknown", pod_json(lost())),
        ("Unknown", pod_json(lost(), phase="Failed")),
        ("Init:Unknown", pod_json(waiting("PodInitializing"), inits=(lost(name="setup"),))),
        ("ContainerStatusUnknown", pod_json(ended("ContainerStatusUnknown", 137))),
        ("Init:0/2", pod_json(inits=(waiting("PodInitializing", "a"), waiting("", "b")))),
        ("Init:1/2", pod_json(inits=(ended("Completed", 0, "a"), running("b")))),
        ("Init:ImagePullBackOff", pod_json(inits=(waiting("ImagePullBackOff", "a"),))),
        ("Init:Error", pod_json(inits=(ended("Error", 1, "a"),))),
        ("Init:ExitCode:3", pod_json(inits=(ended("", 3, "a"),))),
        ("ExitCode:3", pod_json(ended("", 3))),
        ("CrashLoopBackOff", pod_json(waiting("CrashLoopBackOff"), running("b"))),
        ("Error", pod_json(ended("Error"), waiting("CrashLoopBackOff", "b"))),
        ("Completed", pod_json(ended("Completed", 0), phase="Succeeded")),
        (
            "Running",
            _with(pod_json(ended("Completed", 0), running("b")), status_conditions=_READY),
        ),
        ("NotReady", pod_json(ended("Completed", 0), running("b"))),
        ("Completed", pod_json(ended("Completed", 0), {**running("b"), "ready": False})),
        ("Error", pod_json(ended("Completed", 0), ended("Error", 1, "b"))),
        ("Terminating", _with(pod_json(running()), metadata_deletionTimestamp=stamp(5))),
        ("Terminating", _with(pod_json(lost()), metadata_deletionTimestamp=stamp(5))),
        (
            "Completed",
            _with(
                pod_json(ended("Completed", 0), phase="Succeeded"),
                metadata_deletionTimestamp=stamp(5),
            ),
        ),
        (
            "Unknown",
            _with(
                pod_json(running()),
                metadata_deletionTimestamp=stamp(5),
                status_reason="NodeLost",
            ),
        ),
        ("NodeLost", _with(pod_json(), status_reason="NodeLost")),
        (
            "Running",
            _with(
                pod_json(running(), inits=(_SIDECAR,)),
                spec_initContainers=[{"name": "proxy", "restartPolicy": "Always"}],
            ),
        ),
        (
            "CrashLoopBackOff",
            _with(
                pod_json(waiting("CrashLoopBackOff"), inits=(lost(name="setup"),)),
                status_conditions=_INITIALIZED,
            ),
        ),
    ],
)
def test_each_step_decides(expected: str, raw: Json) -> None:
    """The four steps of facts/talos-kubernetes.md §3 hold in their order."""
    assert expected == status(raw)


def test_a_signal_without_a_reason_is_named() -> None:
    """A container that a signal ended shows the signal and not its exit code."""
    ill = ended("", 137)
    ill["state"]["terminated"]["signal"] = 9

    assert "Signal:9" == status(pod_json(ill))


def test_a_pod_that_says_nothing_is_no_error() -> None:
    """Every field may be missing or of another type."""
    assert "" == status({})
    assert "" == status({"status": None, "metadata": [], "spec": "x"})
