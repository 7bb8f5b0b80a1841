"""What the files of a backup are called, and the little of an object that a plan must know."""

import json
from typing import Any, Final

from healer.plans.container import NotUnderstood

Json = Any
"""Whatever JSON can hold."""
CONTAINER: Final = "container.json"
MACHINE_CONFIG: Final = "machineconfig.yaml"
REPOSITORIES: Final = "helm-repositories.json"
RELEASES: Final = "helm-releases.json"
CLUSTER: Final = "cluster.json"
PDS: Final = "pds"
PDS_FACTS: Final = "pds.json"
SUMMED: Final = frozenset({"PersistentVolumeClaim", "Service"})


def objects_of(namespace: str) -> str:
    """Objects as another cluster can take them; Kubernetes' names hold no `/`."""
    return f"objects-{namespace}.json"


def inventory_of(namespace: str) -> str:
    """Claims and node ports, Helm's too."""
    return f"inventory-{namespace}.json"


def values_of(namespace: str, release: str) -> str:
    """The values of a Helm release."""
    return f"values-{namespace}-{release}.yaml"


def summary(one: Json) -> Json:
    """Kind, name and what the plan asks of it; no data."""
    spec = one.get("spec") or {}
    ports = sorted({port["nodePort"] for port in spec.get("ports") or [] if port.get("nodePort")})
    told = {"kind": one["kind"], "name": one["metadata"]["name"]}
    if one["kind"] == "Service":
        return {**told, "type": spec.get("type", "ClusterIP"), "node_ports": ports}
    return {**told, "storage_class": spec.get("storageClassName")}


def match_labels(said: str) -> dict[str, str]:
    """The labels by which a Deployment knows its pods. Raises NotUnderstood."""
    try:
        labels = json.loads(said)["spec"]["selector"]["matchLabels"]
        found = {str(key): str(value) for key, value in labels.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        found = {}
    if not found:
        raise NotUnderstood("kubectl's answer is no Deployment with matchLabels")
    return found


def claim_at(pod: Json, path: str) -> str:
    """The claim whose volume a pod has at a path; '' = none is found."""
    spec = pod.get("spec") or {}
    mounts = [
        one for each in spec.get("containers") or [] for one in each.get("volumeMounts") or []
    ]
    volumes = {one.get("name"): one for one in spec.get("volumes") or []}
    for one in mounts:
        if one.get("mountPath") == path:
            claim = volumes.get(one.get("name"), {}).get("persistentVolumeClaim") or {}
            return str(claim.get("claimName", ""))
    return ""
