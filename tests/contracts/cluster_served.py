"""A cluster served by an API server, made of recordings of a real one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from healer.adapters.kubernetes import KubernetesCluster
from healer.model.cluster import CONTROL_PLANE_TAINT, Pod
from healer.ports import ClusterEyes
from tests.apiserver.store import now_stamp
from tests.cluster_objects import NODE, SUBNET_ENV, recorded

Json = dict[str, Any]

_MARK: Final = "talos.dev/cordoned"
_LIVEKIT: Final = ("Deployment", "joelclaw", "livekit-server")


class Behind(Protocol):
    """The way to a cluster's objects that healer does not take."""

    async def get(self, kind: str, namespace: str, name: str) -> Json:
        """An object as it is now."""
        ...

    async def put(self, kind: str, raw: Json) -> Json:
        """Create an object; returns it as stored, with a uid of the server's when it had none."""
        ...

    async def replace(self, kind: str, raw: Json) -> None:
        """Write an object that is there."""
        ...

    async def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away at once."""
        ...


@dataclass(slots=True)
class ServedWorld:
    """The adapter before a server that holds the recorded cluster."""

    cluster: KubernetesCluster
    behind: Behind

    @property
    def eyes(self) -> ClusterEyes:
        """The adapter."""
        return self.cluster

    @property
    def hands(self) -> KubernetesCluster:
        """The adapter."""
        return self.cluster

    async def taint(self) -> None:
        """As Talos adds it: after whatever else is there."""

        def edit(node: Json) -> None:
            taint = {"key": CONTROL_PLANE_TAINT, "effect": "NoSchedule"}
            node["spec"].setdefault("taints", []).append(taint)

        await self._edit(("Node", "", NODE), edit)

    async def cordon(self, *, by_talos: bool) -> None:
        """With the mark, or with the mark taken away."""

        def edit(node: Json) -> None:
            node["spec"]["unschedulable"] = True
            annotations = node["metadata"].setdefault("annotations", {})
            annotations.pop(_MARK, None)
            if by_talos:
                annotations[_MARK] = "true"

        await self._edit(("Node", "", NODE), edit)

    async def recreate(self, pod: Pod) -> None:
        """As its StatefulSet does."""
        raw = await self.behind.get("Pod", pod.namespace, pod.name)
        await self.behind.remove("Pod", pod.namespace, pod.name)
        await self.behind.put("Pod", fresh(raw))

    async def fail_sandbox(self, pod: Pod) -> None:
        """As the kubelet writes it."""
        about = {"kind": "Pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}
        raw = {
            "metadata": {"namespace": pod.namespace, "name": f"{pod.name}.1"},
            "involvedObject": about,
            "type": "Warning",
            "reason": "FailedCreatePodSandBox",
            "message": SUBNET_ENV,
            "firstTimestamp": now_stamp(-60),
            "lastTimestamp": now_stamp(),
            "count": 2,
        }
        await self.behind.put("Event", raw)

    async def drift_livekit(self) -> None:
        """The recorded Deployment is the chart's already."""

    async def change_livekit(self) -> None:
        """A human gives it another grace."""

        def edit(livekit: Json) -> None:
            livekit["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 60
            generation = livekit["metadata"]["generation"]
            livekit["metadata"]["generation"] = generation + 1

        await self._edit(_LIVEKIT, edit)

    async def _edit(self, of: tuple[str, str, str], edit: Callable[[Json], None]) -> None:
        raw = await self.behind.get(*of)
        edit(raw)
        await self.behind.replace(of[0], raw)


async def seed(behind: Behind) -> None:
    """Put the recorded cluster there; the uids that the server gives replace the recorded ones."""
    given: dict[str, str] = {}
    for kind, raw in objects():
        text = json.dumps(raw)
        for was, is_now in given.items():
            text = text.replace(was, is_now)
        stored = await behind.put(kind, fresh(json.loads(text)))
        given[raw["metadata"]["uid"]] = stored["metadata"]["uid"]


def fresh(raw: Json) -> Json:
    """The object as one who creates it would write it."""
    given = {"uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields"}
    metadata = {key: value for key, value in raw["metadata"].items() if key not in given}
    return {**raw, "metadata": metadata}


def objects() -> list[tuple[str, Json]]:
    """The recorded cluster, owners before what they own."""
    pods = recorded("pods-healthy")["list"]["items"]
    return [
        ("Node", recorded("node-ready")),
        ("DaemonSet", recorded("daemonset-flannel-available")),
        ("Deployment", recorded("deployment-livekit-chart")),
        *(
            ("Deployment", one)
            for one in recorded("deployments")["items"]
            if one["metadata"]["name"] != "livekit-server"
        ),
        *(("StatefulSet", one) for one in recorded("statefulsets")["items"]),
        *(("ReplicaSet", _replica_set(one)) for one in pods if _owner(one)["kind"] == "ReplicaSet"),
        *(("Pod", one) for one in pods),
        *(("Service", one) for one in recorded("services")["items"] if _ours(one)),
        *(("EndpointSlice", one) for one in recorded("endpointslices")["items"] if _ours(one)),
    ]


def _ours(raw: Json) -> bool:
    """Whether it is not the API server's own."""
    return bool(raw["metadata"]["namespace"] != "default")


def _owner(pod: Json) -> Json:
    found: Json = pod["metadata"]["ownerReferences"][0]
    return found


def _replica_set(pod: Json) -> Json:
    """The ReplicaSet that the recorded pod names; only its identity is looked at."""
    owner, labels = _owner(pod), pod["metadata"]["labels"]
    containers = [{"name": "main", "image": "lab.invalid/main:1"}]
    return {
        "metadata": {
            "namespace": pod["metadata"]["namespace"],
            "name": owner["name"],
            "uid": owner["uid"],
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }
