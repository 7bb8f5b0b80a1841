"""Objects with versions, and the history that watches are told from."""

import copy
import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from tests.apiserver.statuses import not_found

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of objects and where it is served."""

    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As objects name it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Where its paths begin."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


RESOURCES: Final = {
    one.kind: one
    for one in (
        Resource("Node", "nodes", namespaced=False),
        Resource("Pod", "pods"),
        Resource("ConfigMap", "configmaps"),
        Resource("Event", "events"),
        Resource("Service", "services"),
        Resource("EndpointSlice", "endpointslices", "discovery.k8s.io"),
        Resource("DaemonSet", "daemonsets", "apps"),
        Resource("Deployment", "deployments", "apps"),
        Resource("ReplicaSet", "replicasets", "apps"),
        Resource("StatefulSet", "statefulsets", "apps"),
        Resource("Job", "jobs", "batch"),
        Resource("Namespace", "namespaces", namespaced=False),
        Resource("StorageClass", "storageclasses", "storage.k8s.io", namespaced=False),
        Resource("APIService", "apiservices", "apiregistration.k8s.io", namespaced=False),
    )
}


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Names one object; objects are listed in this order."""

    kind: str
    namespace: str
    name: str


def _place(key: Key) -> tuple[str, str]:
    """Where it stands among those of its kind; quicker than comparing whole keys."""
    return key.namespace, key.name


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the history."""

    revision: int
    type: str
    key: Key
    object: Json


def now_stamp(seconds: int = 0) -> str:
    """The time, or so many seconds later, as the server writes it."""
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Store:
    """Every object, each with the version of its last change."""

    revision: int = 100
    compacted: int = 0
    """Revisions up to here are forgotten."""
    history: list[Change] = field(default_factory=list)
    _objects: dict[Key, Json] = field(default_factory=dict)

    def put(self, kind: str, raw: Json) -> Json:
        """Create or replace an object; what a server fills in is filled in."""
        found = copy.deepcopy(raw)
        resource, metadata = RESOURCES[kind], found["metadata"]
        namespace = metadata.get("namespace", "") if resource.namespaced else ""
        key = Key(kind, namespace, metadata["name"])
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata.setdefault("creationTimestamp", now_stamp())
        found = {"apiVersion": resource.api_version, "kind": kind, **found}
        return self.write(key, found)

    def get(self, key: Key) -> Json:
        """A copy of the object. Raises RefusedError with 404."""
        resource = RESOURCES[key.kind]
        if key not in self._objects:
            raise not_found(resource.plural, key.name, resource.group)
        return copy.deepcopy(self._objects[key])

    def write(self, key: Key, found: Json) -> Json:
        """Write an object; one that did not change keeps its version."""
        old = self._objects.get(key)
        if old == found:
            return copy.deepcopy(found)
        self.revision += 1
        found = copy.deepcopy(found)
        found["metadata"]["resourceVersion"] = str(self.revision)
        self._objects[key] = found
        self._remember("ADDED" if old is None else "MODIFIED", key, found)
        return copy.deepcopy(found)

    def remove(self, key: Key) -> Json:
        """Take an object away; returns it as it was."""
        found = self.get(key)
        del self._objects[key]
        self.revision += 1
        self._remember("DELETED", key, found)
        return found

    def all(self, kind: str, namespace: str = "") -> list[tuple[Key, Json]]:
        """Objects of a kind, in order, as they are kept: copy them before handing them out."""
        keys = (key for key in self._objects if key.kind == kind)
        here = (key for key in keys if namespace in {"", key.namespace})
        return [(key, self._objects[key]) for key in sorted(here, key=_place)]

    def compact(self) -> None:
        """Forget the history, as etcd does every five minutes."""
        self.revision += 1
        self.compacted = self.revision
        self.history.clear()

    def _remember(self, type_: str, key: Key, found: Json) -> None:
        self.history.append(Change(self.revision, type_, key, copy.deepcopy(found)))
