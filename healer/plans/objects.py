"""Kubernetes objects as another cluster can take them: without what this one wrote into them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from healer.plans.container import NotUnderstood

Json = Any
"""Whatever JSON can hold."""
Object = dict[str, Json]

_OWN_METADATA: Final = frozenset(
    {
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_OWN_ANNOTATIONS: Final = (
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied",
)
_PROVISIONED: Final = "pv.kubernetes.io/provisioned-by"
_MADE_BY_KUBERNETES: Final = frozenset(
    {
        ("ConfigMap", "kube-root-ca.crt"),
        ("Namespace", "default"),
        ("Namespace", "kube-node-lease"),
        ("Namespace", "kube-public"),
        ("Namespace", "kube-system"),
        ("Service", "kubernetes"),
        ("ServiceAccount", "default"),
    }
)
_TOKENS: Final = frozenset({"helm.sh/release.v1", "kubernetes.io/service-account-token"})
"""Secrets that Helm and Kubernetes write themselves."""
_SYSTEM: Final = ("system:", "kubeadm:", "talos:", "flannel")
_ROLES: Final = frozenset({"admin", "cluster-admin", "edit", "view"})


def items_of(text: str) -> list[Object]:
    """The objects of `kubectl get --output json`. Raises NotUnderstood, which quotes nothing."""
    items: list[Object] = []
    try:
        items = list(json.loads(text)["items"])
        named = all(
            isinstance(one["metadata"]["name"], str) and isinstance(one["kind"], str)
            for one in items
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        named = False
    if not named:
        # Raised out here, since the error of the decoder holds the whole text, with its secrets.
        raise NotUnderstood("kubectl's answer is no list of objects")
    return items


def restorable(items: Iterable[Object]) -> list[Object]:
    """Those that a new cluster does not make by itself, each without traces of the old one."""
    several = list(items)
    static = {
        one["metadata"]["name"]
        for one in several
        if one["kind"] == "PersistentVolume" and not _provisioned(one)
    }
    return [_clean(one, static) for one in several if _wanted(one)]


def document(items: Iterable[Object]) -> bytes:
    """A list that `kubectl apply` takes; the same objects are the same bytes."""
    ordered = sorted(items, key=lambda one: (one["kind"], one["metadata"]["name"]))
    whole = {"apiVersion": "v1", "kind": "List", "items": ordered}
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()


def _wanted(one: Object) -> bool:
    kind, meta = one["kind"], one["metadata"]
    labels = meta.get("labels") or {}
    if (kind, meta["name"]) in _MADE_BY_KUBERNETES or meta.get("ownerReferences"):
        return False
    if labels.get("app.kubernetes.io/managed-by") == "Helm":
        return False
    if kind == "Secret":
        return one.get("type") not in _TOKENS
    if kind == "PersistentVolume":
        return not _provisioned(one)
    if kind in {"ClusterRole", "ClusterRoleBinding"}:
        return meta["name"] not in _ROLES and not meta["name"].startswith(_SYSTEM)
    return True


def _provisioned(one: Object) -> bool:
    return _PROVISIONED in (one["metadata"].get("annotations") or {})


def _clean(one: Object, static: set[str]) -> Object:
    kept = {key: value for key, value in one.items() if key != "status"}
    meta = {key: value for key, value in one["metadata"].items() if key not in _OWN_METADATA}
    if meta.get("annotations"):
        meta["annotations"] = _annotations(meta["annotations"])
    kept["metadata"] = meta
    spec = dict(one.get("spec") or {})
    match one["kind"]:
        case "Service":
            if spec.get("clusterIP") != "None":
                spec.pop("clusterIP", None)
                spec.pop("clusterIPs", None)
        case "PersistentVolumeClaim":
            # A claim that names a volume waits for that one for ever.
            if spec.get("volumeName") not in static:
                spec.pop("volumeName", None)
        case "PersistentVolume":
            claim = spec.get("claimRef") or {}
            spec["claimRef"] = {key: claim[key] for key in ("name", "namespace") if key in claim}
            if not spec["claimRef"]:
                del spec["claimRef"]
        case _:
            pass
    if "spec" in one:
        kept["spec"] = spec
    return kept


def _annotations(annotations: Mapping[str, Json]) -> dict[str, Json]:
    return {key: one for key, one in annotations.items() if not key.startswith(_OWN_ANNOTATIONS)}
