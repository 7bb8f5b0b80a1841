"""From recorded JSON to what probes judge; and what counts as an object that makes no sense."""

import copy
from typing import Any

import pytest

from healer.adapters import kubernetes_decode as decode
from healer.model.cluster import CONTROL_PLANE_TAINT, ServicePort, Taint
from healer.ports import TargetIll
from tests.cluster_objects import NODE, pod_json, recorded, running, waiting

Json = dict[str, Any]


def test_a_recorded_node_is_read() -> None:
    """Name, taint, Talos' mark and the times of the Ready condition, in epoch seconds."""
    tainted = decode.node(recorded("node-tainted"))
    assert (NODE, False) == (tainted.name, tainted.unschedulable)
    assert (Taint(CONTROL_PLANE_TAINT, "NoSchedule"),) == tainted.taints
    cordoned = decode.node(recorded("node-cordoned-by-talos"))
    assert cordoned.unschedulable
    assert "true" == cordoned.annotations["talos.dev/cordoned"]
    ready = tainted.condition("Ready")
    assert ready is not None
    assert ("True", "KubeletReady") == (ready.status, ready.reason)
    assert ready.heartbeat is not None
    assert ready.transition is not None
    assert ready.transition <= ready.heartbeat


def test_a_bare_node_has_nothing() -> None:
    """What the server leaves out is none, false or empty."""
    bare = decode.node(
        {"metadata": {"name": "n", "uid": "u", "resourceVersion": "1"}, "status": {}}
    )
    assert ((), False, {}, ()) == (
        bare.taints,
        bare.unschedulable,
        bare.annotations,
        bare.conditions,
    )


def test_every_recorded_pod_is_read_with_its_controller() -> None:
    """Uid, version and owner are those of the JSON."""
    for raw in recorded("pods-zoo")["list"]["items"]:
        found, metadata = decode.pod(raw), raw["metadata"]
        assert (metadata["uid"], metadata["resourceVersion"]) == (
            found.uid,
            found.resource_version,
        )
        owners = [one["uid"] for one in metadata.get("ownerReferences", []) if one["controller"]]
        assert owners == ([] if found.owner is None else [found.owner.uid])


def test_an_owner_that_is_no_controller_does_not_count() -> None:
    """Only the controlling reference says who makes the pod anew."""
    raw = pod_json(running())
    raw["metadata"]["ownerReferences"][0]["controller"] = False
    assert decode.pod(raw).owner is None


def test_recorded_warnings_are_read() -> None:
    """Each names its object, and was last seen at a time."""
    for raw in recorded("events-no-module")["items"]:
        found = decode.event(raw)
        assert raw["involvedObject"].get("uid", "") == found.object_uid
        assert found.last_seen > 1_700_000_000.0


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"lastTimestamp": "2026-01-01T00:00:10Z", "firstTimestamp": "2026-01-01T00:00:00Z"}, 10),
        ({"eventTime": "2026-01-01T00:00:20.500000Z", "lastTimestamp": None}, 20.5),
        (
            {
                "series": {"count": 9, "lastObservedTime": "2026-01-01T00:00:40.000000Z"},
                "eventTime": "2026-01-01T00:00:20.000000Z",
            },
            40,
        ),
        ({}, 5),
    ],
)
def test_the_latest_of_an_events_times_counts(times: Json, expected: float) -> None:
    """The first time of a repeated event is not when it happened last (incidents S20)."""
    raw = {
        "metadata": {"uid": "e", "creationTimestamp": "2026-01-01T00:00:05Z"},
        "involvedObject": {"kind": "Pod", "name": "web", "uid": "u", "namespace": "joelclaw"},
        "reason": "FailedCreatePodSandBox",
        "message": "no",
        **times,
    }
    start = 1_767_225_600.0
    assert expected == decode.event(raw).last_seen - start


def test_recorded_workloads_are_read() -> None:
    """Counts that the server leaves out are zero, and replicas left out mean one."""
    assert 1 == decode.daemonset(recorded("daemonset-flannel-available")).available
    assert 0 == decode.daemonset(recorded("daemonset-flannel-crashing")).available
    livekit = decode.deployment(recorded("deployment-livekit-chart"))
    assert (1, 1, 0) == (livekit.generation, livekit.desired, livekit.ready)
    raw = recorded("deployment-livekit-chart")
    del raw["spec"]["replicas"]
    assert 1 == decode.deployment(raw).desired
    raw["spec"]["replicas"] = 0
    assert 0 == decode.deployment(raw).desired


def joined(*, slices: bool = True, workloads: bool = True) -> dict[int, ServicePort]:
    """The recorded services by NodePort."""
    found = decode.service_ports(
        recorded("services")["items"],
        recorded("endpointslices")["items"] if slices else (),
        [*recorded("deployments")["items"], *recorded("statefulsets")["items"]]
        if workloads
        else (),
    )
    return {one.node_port: one for one in found}


def test_recorded_services_are_joined() -> None:
    """0 without a NodePort; ready endpoints by the slice's label, replicas by the selector."""
    assert {0, 6379, 7880, 7881, 8108} == set(joined())
    assert (1, 1) == (joined()[6379].ready_endpoints, joined()[6379].desired)
    assert 0 == joined(slices=False)[6379].ready_endpoints
    assert joined(workloads=False)[6379].desired is None


def slice_of(*conditions: Json) -> Json:
    """Endpoints of the service `web` with those conditions."""
    labels = {"kubernetes.io/service-name": "web"}
    return {
        "metadata": {"namespace": "joelclaw", "name": "web-x", "labels": labels},
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": one} for one in conditions],
    }


def service(**spec: object) -> Json:
    """A service `web` with one NodePort."""
    ports = [{"port": 80, "nodePort": 8080, "targetPort": "http"}]
    return {"metadata": {"namespace": "joelclaw", "name": "web"}, "spec": {"ports": ports, **spec}}


def workload(replicas: int | None, **labels: str) -> Json:
    """A Deployment whose pods have those labels."""
    spec: Json = {"template": {"metadata": {"labels": labels}}}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"metadata": {"namespace": "joelclaw", "name": "web"}, "spec": spec}


def test_only_ready_endpoints_of_the_service_count() -> None:
    """Readiness that is not said means ready, as the API defines it; others' slices do not."""
    mixed = slice_of({"ready": True}, {"ready": False}, {})
    other = copy.deepcopy(mixed)
    other["metadata"]["namespace"] = "default"
    (found,) = decode.service_ports([service()], [mixed, other], [])
    assert (2, None, "http") == (found.ready_endpoints, found.desired, found.target_port)


@pytest.mark.parametrize(
    ("selector", "workloads", "expected"),
    [
        ({"app": "web"}, [workload(2, app="web", tier="x")], 2),
        ({"app": "web"}, [workload(None, app="web")], 1),
        ({"app": "web"}, [workload(0, app="web")], 0),
        ({"app": "web"}, [workload(1, app="web"), workload(2, app="web")], 3),
        ({"app": "web"}, [workload(1, app="other")], None),
        ({}, [workload(1, app="web")], None),
    ],
)
def test_wanted_replicas_are_those_of_the_selected_workloads(
    selector: Json, workloads: list[Json], expected: int | None
) -> None:
    """Scaled to zero is zero and not unknown; no selector selects nothing."""
    (found,) = decode.service_ports([service(selector=selector)], [], workloads)
    assert expected == found.desired


@pytest.mark.parametrize("raw", [{}, [], "pod", None, {"metadata": None}, {"metadata": {}}])
def test_what_makes_no_sense_is_an_illness(raw: object) -> None:
    """An object without what every server writes names what it lacks, and where it came from."""
    with pytest.raises(TargetIll, match="GET /api/v1/pods: an object that makes no sense"):
        decode.decoded(decode.pod, [pod_json(waiting("x")), raw], "GET /api/v1/pods")
