"""From the API's JSON to the few fields that a set-up is judged by."""

import json
from dataclasses import dataclass
from typing import Any

from healer.model.cluster import CONTROL_PLANE_TAINT
from healer.model.pod_parts import items, part
from healer.model.setup import MetricsApi, Provisioner, StorageClass
from healer.model.setup_verdicts import DEFAULT_CLASS
from healer.model.stamps import epoch

Json = Any
"""Whatever JSON can hold."""


def storage_class(raw: Json) -> StorageClass:
    """A StorageClass; only the exact word makes one the default."""
    annotations = raw["metadata"].get("annotations") or {}
    return StorageClass(raw["metadata"]["name"], annotations.get(DEFAULT_CLASS) == "true")


def provisioner(raw: Json, now: float) -> Provisioner:
    """A Deployment; replicas left out mean one."""
    replicas = raw["spec"].get("replicas")
    tolerations = items(raw, "spec", "template", "spec", "tolerations")
    return Provisioner(
        desired=1 if replicas is None else int(replicas),
        available=int(part(raw, "status").get("availableReplicas") or 0),
        ill_for=_ill_for(raw, now)[0],
        tolerations=len(tolerations),
        tolerates=any(_tolerates(one) for one in tolerations),
    )


def metrics(raw: Json, now: float) -> MetricsApi:
    """An APIService."""
    ill_for, why = _ill_for(raw, now)
    return MetricsApi(available=not why, why=why, ill_for=ill_for)


@dataclass(frozen=True, slots=True)
class FlannelParts:
    """What the DaemonSet's template names."""

    image: str
    container: str
    config_map: str


def flannel_parts(raw: Json) -> FlannelParts:
    """flanneld's container, and the ConfigMap with its net-conf.json."""
    containers = items(raw, "spec", "template", "spec", "containers")
    flanneld = next(one for one in containers if "flannel" in one["name"])
    volumes = items(raw, "spec", "template", "spec", "volumes")
    maps = [one["configMap"]["name"] for one in volumes if one.get("configMap")]
    return FlannelParts(flanneld["image"], flanneld["name"], maps[0])


def flannel_nftables(raw: Json) -> bool:
    """`EnableNFTables` of its net-conf.json; false when it says nothing."""
    return json.loads(raw["data"]["net-conf.json"]).get("EnableNFTables") is True


def _ill_for(raw: Json, now: float) -> tuple[float, str]:
    """For how long it has not been Available, and the condition's own words."""
    for one in items(raw, "status", "conditions"):
        if one.get("type") == "Available":
            if one.get("status") == "True":
                return 0.0, ""
            since = epoch(one.get("lastTransitionTime"))
            words = ": ".join(str(one[key]) for key in ("reason", "message") if one.get(key))
            return (0.0 if since is None else now - since), words[:240] or "no reason given"
    return 0.0, "nothing is said of it yet"


def _tolerates(one: Json) -> bool:
    """As the scheduler matches them: no key means any, no effect means each."""
    effect = one.get("effect") or "NoSchedule"
    if effect != "NoSchedule":
        return False
    if not one.get("key"):
        return bool(one.get("operator") == "Exists")
    if one["key"] != CONTROL_PLANE_TAINT:
        return False
    return one.get("operator") == "Exists" or not one.get("value")
