"""The tower as it is now, as far as a recreation must know it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from healer.model.talos_config import TalosConfig, talos_config
from healer.plans import names
from healer.plans.container import NotUnderstood, Shape

Json = Any
"""Whatever JSON can hold."""
PSA: Final = "pod-security.kubernetes.io/"
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Names and places of this machine."""

    profile: str
    cluster: str
    container: str
    kubeconfig: str
    talosconfig: str
    talos_folder: str
    """Where talosctl keeps its clusters."""
    api_port: int
    talos_port: int
    livekit: tuple[str, str, str]
    """Namespace, Deployment and container."""


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release."""

    namespace: str
    name: str
    chart: str
    """`repository/name` as the settings say; '' = nobody said."""
    version: str
    """The chart's; '' = not known."""
    values: str
    """The file in the backup; '' = none."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a backup tells of the cluster."""

    folder: str
    made: str
    config: TalosConfig
    labels: Mapping[str, Mapping[str, str]]
    """Pod security labels, by namespace."""
    default_classes: tuple[str, ...]
    objects: tuple[str, ...]
    """Namespaces whose objects are there."""
    node_ports: tuple[int, ...]
    claims: tuple[str, ...]
    """`namespace/name` of each claim, whose data is not in the backup."""
    releases: tuple[Release, ...]
    repositories: tuple[tuple[str, str], ...]
    pds: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tower:
    """Everything that the document is written from."""

    where: Whereabouts
    shape: Shape
    live: bool
    """Whether the shape is the container's of now, and not the backup's."""
    kept: Kept | None
    memory: int
    """The settings' limit in bytes; 0 = none is set."""


def kept_in(
    folder: str, made: str, files: Mapping[str, str], wanted: Sequence[tuple[str, str, str]]
) -> Kept:
    """From a backup's small files, by name. Raises NotUnderstood.

    `wanted` are the settings' releases: namespace, name and chart.
    """
    try:
        return _kept_in(folder, made, files, wanted)
    except (ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError, RecursionError):
        # Not chained: errors of decoders quote what they read, keys and all.
        raise NotUnderstood(f"{folder}: a file of the backup is not understood") from None


def _kept_in(
    folder: str, made: str, files: Mapping[str, str], wanted: Sequence[tuple[str, str, str]]
) -> Kept:
    cluster = json.loads(files.get(names.CLUSTER, '{"items":[]}'))["items"]
    inventories = _inventories(files)
    versions = {
        (one["namespace"], one["name"]): one["chart"]
        for one in json.loads(files.get(names.RELEASES, "[]"))
    }
    repositories = json.loads(files.get(names.REPOSITORIES, "[]"))
    return Kept(
        folder=folder,
        made=made,
        config=_config(files.get(names.MACHINE_CONFIG, "")),
        labels=_labels(cluster),
        default_classes=_default_classes(cluster),
        objects=_namespaces_with_objects(files),
        node_ports=tuple(
            sorted({port for _, one in inventories for port in one.get("node_ports", ())})
        ),
        claims=tuple(
            sorted(
                f"{space}/{one['name']}"
                for space, one in inventories
                if one["kind"] == "PersistentVolumeClaim"
            )
        ),
        releases=tuple(_release(one, versions, files) for one in wanted),
        repositories=tuple(sorted((one["name"], without_user(one["url"])) for one in repositories)),
        pds=json.loads(files.get(names.PDS_FACTS, "{}")),
    )


def _namespaces_with_objects(files: Mapping[str, str]) -> tuple[str, ...]:
    """Those with nothing in them are left out: kubectl takes an empty list for an error."""
    found = (
        name.removeprefix("objects-").removesuffix(".json")
        for name, text in files.items()
        if name.startswith("objects-") and json.loads(text)["items"]
    )
    return tuple(sorted(found))


def _inventories(files: Mapping[str, str]) -> list[tuple[str, Json]]:
    return [
        (name.removeprefix("inventory-").removesuffix(".json"), one)
        for name, text in sorted(files.items())
        if name.startswith("inventory-")
        for one in json.loads(text)
    ]


def _config(text: str) -> TalosConfig:
    return talos_config(yaml.safe_load_all(text)) if text else TalosConfig()


def _labels(cluster: Sequence[Json]) -> dict[str, dict[str, str]]:
    found = {}
    for one in cluster:
        labels = one["metadata"].get("labels") or {}
        ours = {key: str(value) for key, value in sorted(labels.items()) if key.startswith(PSA)}
        if one["kind"] == "Namespace" and ours:
            found[str(one["metadata"]["name"])] = ours
    return dict(sorted(found.items()))


def _default_classes(cluster: Sequence[Json]) -> tuple[str, ...]:
    return tuple(
        sorted(
            one["metadata"]["name"]
            for one in cluster
            if one["kind"] == "StorageClass"
            and (one["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
        )
    )


def _release(
    one: tuple[str, str, str], charts: Mapping[tuple[str, str], str], files: Mapping[str, str]
) -> Release:
    namespace, name, chart = one
    values = names.values_of(namespace, name)
    # Helm says `livekit-server-1.9.0`: the version begins at the last `-` before a digit.
    known = charts.get((namespace, name), "")
    cut = next(
        (at for at in range(len(known) - 1) if known[at] == "-" and known[at + 1].isdigit()), 0
    )
    version = known[cut + 1 :] if cut else ""
    return Release(namespace, name, chart, version, values if values in files else "")


def without_user(url: str) -> str:
    """A URL without the name and password that may stand in it."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
