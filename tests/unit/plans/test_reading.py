"""What a backup may run at all."""

import pytest

from healer.plans.reading import only_reads


@pytest.mark.parametrize(
    "line",
    [
        "kubectl --context c get pods",
        "kubectl --kubeconfig k --context c --server s cp --retries 2 ns/pod:/pds /tmp/pds",
        "helm --kube-context c get values x",
        "helm list",
        "talosctl --nodes n get machineconfig",
        "docker --host unix:///x container inspect --format {} name",
    ],
)
def test_reading_is_let_through(line: str) -> None:
    """Each verb that a backup needs."""
    assert only_reads(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "kubectl",
        "kubectl delete pod get",
        "kubectl --context get delete pod x",
        "kubectl --force get pods",
        "kubectl cp --retries 2 /tmp/pds ns/pod:/pds",
        "kubectl cp ns/a:/x ns/b:/y",
        "kubectl exec pod -- cat /pds",
        "helm get manifest x",
        "helm upgrade --install get values",
        "helm repo add x y",
        "talosctl patch mc",
        "talosctl reset",
        "docker container rm x",
        "docker inspect x",
        "sh -c kubectl get",
    ],
)
def test_anything_else_is_taken_for_a_change(line: str) -> None:
    """Also a read that is not needed, and a copy into a pod."""
    assert not only_reads(line.split())
