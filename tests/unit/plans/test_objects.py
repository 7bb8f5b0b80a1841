"""Objects that another cluster can take."""

import json
from typing import Any

import pytest

from healer.plans.container import NotUnderstood
from healer.plans.objects import items_of, restorable


def thing(kind: str, name: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401  (any object's fields)
    """An object with traces of its cluster."""
    meta = {"name": name, "uid": "u", "resourceVersion": "1", **rest.pop("meta", {})}
    return {"kind": kind, "metadata": meta, "status": {}, **rest}


def test_traces_of_the_old_cluster_go() -> None:
    """An object with a uid or a version of another cluster is refused by the new one."""
    (clean,) = restorable([thing("Deployment", "x", spec={"replicas": 1})])

    assert {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"replicas": 1}} == clean


@pytest.mark.parametrize(
    "item",
    [
        thing("ConfigMap", "kube-root-ca.crt"),
        thing("Secret", "x", type="kubernetes.io/service-account-token"),
        thing("Deployment", "x", meta={"labels": {"app.kubernetes.io/managed-by": "Helm"}}),
        thing("Deployment", "x", meta={"ownerReferences": [{"kind": "App"}]}),
        thing("ClusterRole", "system:node"),
        thing("Namespace", "kube-system"),
    ],
)
def test_what_comes_by_itself_is_left_out(item: dict[str, Any]) -> None:
    """Kubernetes, Talos, Helm or an owner makes it anew."""
    assert [] == restorable([item])


def test_a_claim_keeps_only_a_volume_that_is_restored_too() -> None:
    """A claim bound to a volume that is gone would wait for ever; NFS ones are made by hand."""
    local = {"annotations": {"pv.kubernetes.io/provisioned-by": "rancher.io/local-path"}}
    several = restorable(
        [
            thing("PersistentVolume", "nas", spec={"claimRef": {"name": "n", "uid": "u"}}),
            thing("PersistentVolume", "pvc-1", meta=local, spec={}),
            thing("PersistentVolumeClaim", "a", spec={"volumeName": "nas"}),
            thing("PersistentVolumeClaim", "b", spec={"volumeName": "pvc-1"}),
        ]
    )

    assert {"nas": {"claimRef": {"name": "n"}}, "a": {"volumeName": "nas"}, "b": {}} == {
        one["metadata"]["name"]: one["spec"] for one in several
    }


def test_a_headless_service_stays_headless() -> None:
    """Other addresses are given anew; `None` is meant."""
    services = [
        thing("Service", "a", spec={"clusterIP": "None"}),
        thing("Service", "b", spec={"clusterIP": "10.1.1.1"}),
    ]

    assert [{"clusterIP": "None"}, {}] == [one["spec"] for one in restorable(services)]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"items":[{}]}', '{"items":5}', json.dumps({"items": [None]})]
)
def test_garbage_is_refused_without_being_quoted(text: str) -> None:
    """The answer may hold secrets, so neither the message nor its cause shows it."""
    with pytest.raises(NotUnderstood) as caught:
        items_of(text)
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
