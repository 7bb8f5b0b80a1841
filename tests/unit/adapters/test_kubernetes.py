"""The Kubernetes adapter over the tests' own API server: what it asks, and how it reads it."""

import pytest

from healer import __version__
from healer.adapters.kubernetes import KubernetesCluster
from healer.model.cluster import CONTROL_PLANE_TAINT, Owner, ServicePort
from healer.ports import NotThere
from tests.apiserver.server import ApiServer
from tests.cluster_objects import NODE, as_deployment, as_pod, pod_json, recorded, running


async def test_it_reads_the_node(api: ApiServer, cluster: KubernetesCluster) -> None:
    """The node has the container's name, and its age is told by the server's own clock."""
    api.time = 1_700_000_000.0
    found = await cluster.node()
    assert 1_700_000_000.0 == found.server_time
    assert [NODE] == [one.name for one in found.items]
    assert [CONTROL_PLANE_TAINT] == [one.key for one in found.items[0].taints]


async def test_an_object_that_is_not_there_is_an_empty_listing(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """No LiveKit and no flannel are answers, with the server's time, and not errors."""
    api.time = 1_700_000_000.0
    for found in (await cluster.livekit(), await cluster.flannel()):
        assert () == found.items
        assert 1_700_000_000.0 == found.server_time
    assert "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-flannel" in api.asked()


async def test_it_reads_flannel_and_livekit(api: ApiServer, cluster: KubernetesCluster) -> None:
    """Both are found by the namespace and name that they were given."""
    api.put("DaemonSet", recorded("daemonset-flannel-available"))
    api.put("Deployment", recorded("deployment-livekit-chart"))
    (flannel,) = (await cluster.flannel()).items
    (livekit,) = (await cluster.livekit()).items
    assert (1, 1) == (flannel.desired, flannel.available)
    assert ("livekit-server", 1) == (livekit.name, livekit.generation)


async def test_who_asks_is_named(api: ApiServer, cluster: KubernetesCluster) -> None:
    """The server's audit log can tell healer from others."""
    await cluster.node()
    assert {f"healer/{__version__}"} == {one.headers["User-Agent"] for one in api.requests}


async def test_lists_come_in_pages(api: ApiServer, cluster: KubernetesCluster) -> None:
    """250 pods are asked for in three pages, and none is lost or doubled."""
    names = {f"pod-{number:04}" for number in range(250)}
    for name in names:
        api.put("Pod", pod_json(running(), name=name))
    found = await cluster.pods()
    assert sorted(names) == sorted(one.name for one in found.items)
    assert ["100"] * 3 == [one.query["limit"] for one in api.requests if "pods" in one.path]


async def test_warnings_are_chosen_by_the_server(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """Of all the events only the failed sandboxes travel."""
    for one in recorded("events-no-module")["items"]:
        api.put("Event", one)
    reasons = {one["reason"] for one in recorded("events-no-module")["items"]}
    found = await cluster.warnings()
    assert {"FailedCreatePodSandBox"} < reasons
    assert {"FailedCreatePodSandBox"} == {one.reason for one in found.items}
    assert any("/run/flannel/subnet.env" in one.message for one in found.items)


async def test_services_are_joined_with_what_stands_behind_them(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """Each port comes with its NodePort if any, its ready endpoints and the replicas wanted."""
    for kind, name in (
        ("Service", "services"),
        ("EndpointSlice", "endpointslices"),
        ("Deployment", "deployments"),
        ("StatefulSet", "statefulsets"),
    ):
        for one in recorded(name)["items"]:
            api.put(kind, one)
    found = (await cluster.services()).items
    assert ServicePort("joelclaw", "redis", 6379, 6379, "6379", 1, 1) in found
    assert {0, 6379, 7880, 7881, 8108} == {one.node_port for one in found}


async def test_an_owner_is_known_by_its_uid(api: ApiServer, cluster: KubernetesCluster) -> None:
    """A controller of the same name made anew is not the one that the pod names."""
    api.put("ReplicaSet", {"metadata": {"namespace": "joelclaw", "name": "rs", "uid": "one"}})
    of = [
        as_pod(pod_json(owner=Owner(kind, name, uid)))
        for kind, name, uid in (
            ("ReplicaSet", "rs", "one"),
            ("ReplicaSet", "rs", "another"),
            ("StatefulSet", "rs", "one"),
            ("Node", "rs", "one"),
        )
    ]
    assert [True, False, False, False] == [await cluster.owner_exists(one) for one in of]
    assert not await cluster.owner_exists(as_pod(pod_json(owner=None)))


async def test_readiness_tells_port_and_certificate(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """The administrator's certificate lasts a year, and the port is Docker's."""
    found = await cluster.readiness()
    assert (True, api.port, api.port, "ok") == (
        found.ready,
        found.port,
        found.kubeconfig_port,
        found.detail,
    )
    assert found.certificate_days == pytest.approx(365.0, abs=0.1)


async def test_an_api_that_is_not_ready_names_the_checks_that_failed(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """A 500 of /readyz is an answer, once, and the failed check is what it says."""
    await cluster.node()
    api.ready = False
    found = await cluster.readiness()
    assert (False, "[-]etcd failed: reason withheld") == (found.ready, found.detail)
    assert ["/readyz"] == api.asked()[-1:]
    assert 1 == api.asked().count("/readyz")


async def test_untaint_tests_what_it_removes(api: ApiServer, cluster: KubernetesCluster) -> None:
    """A JSON patch with tests on uid, key and effect; a taint beside it stays."""
    raw = recorded("node-tainted")
    raw["spec"]["taints"].insert(0, {"key": "dedicated", "effect": "NoSchedule"})
    api.put("Node", raw)
    (node,) = (await cluster.node()).items
    await cluster.untaint(node, 1)
    (asked,) = [one for one in api.requests if one.method == "PATCH"]
    assert "application/json-patch+json" == asked.headers["Content-Type"]
    assert {"fieldManager": "healer"} == asked.query
    assert ["test", "test", "test", "remove"] == [one["op"] for one in asked.body]
    left = api.get("Node", "", NODE)
    assert ["dedicated"] == [one["key"] for one in left["spec"]["taints"]]


async def test_uncordon_writes_no_annotation(api: ApiServer, cluster: KubernetesCluster) -> None:
    """Talos' mark stays as it is: writing an annotation alone brings the taint back (§2)."""
    api.put("Node", recorded("node-cordoned-by-talos"))
    (node,) = (await cluster.node()).items
    await cluster.uncordon(node)
    found = api.get("Node", "", NODE)
    assert found["spec"]["unschedulable"] is False
    assert node.annotations == found["metadata"]["annotations"]


async def test_a_delete_says_everything_in_its_body(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """Grace, uid and resourceVersion are in the body, and nothing is in the query."""
    stored = api.put("Pod", pod_json(running(), name="web"))
    await cluster.delete_pod(as_pod(stored), grace=30)
    (asked,) = [one for one in api.requests if one.method == "DELETE"]
    version = stored["metadata"]["resourceVersion"]
    assert {} == asked.query
    assert 30 == asked.body["gracePeriodSeconds"]
    assert {"uid": "uid-web", "resourceVersion": version} == asked.body["preconditions"]


async def test_a_delete_of_what_is_gone_says_so(cluster: KubernetesCluster) -> None:
    """NotThere, which is success for whoever wanted it gone."""
    with pytest.raises(NotThere, match="not found"):
        await cluster.delete_pod(as_pod(pod_json(running())), grace=30)


async def test_a_livekit_patch_is_for_the_version_that_was_judged(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """The strategic merge patch carries the resourceVersion of the look."""
    stored = api.put("Deployment", recorded("deployment-livekit-chart"))
    patch = {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}
    await cluster.patch_livekit(as_deployment(stored), patch)
    (asked,) = [one for one in api.requests if one.method == "PATCH"]
    assert "application/strategic-merge-patch+json" == asked.headers["Content-Type"]
    assert stored["metadata"]["resourceVersion"] == asked.body["metadata"]["resourceVersion"]
    found = api.get("Deployment", "joelclaw", "livekit-server")
    assert ({"type": "Recreate"}, 2) == (found["spec"]["strategy"], found["metadata"]["generation"])
