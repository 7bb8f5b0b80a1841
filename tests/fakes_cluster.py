"""A cluster behind the ports that answers as a real API server does, preconditions and all."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from healer.model.cluster import (
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.ports import Conflict, NotThere, PortError, TargetIll
from tests.cluster_objects import NOW, as_deployment, as_pod, daemonset, node, stamp
from tests.fakes.faulty import Faulty


class FakeCluster(Faulty):
    """Implements ClusterEyes and ClusterHands.

    `meanwhile` runs something just before a hand takes hold, as another writer would;
    `half_way` makes a hand do its work and then never answer.
    """

    def __init__(self, *pods: Pod) -> None:
        super().__init__()
        self.now = NOW
        self.ready = Readiness(ready=True, port=6443, detail="ok")
        self.nodes: list[Node] = [node()]
        self.pod_list: list[Pod] = list(pods)
        self.events: list[Event] = []
        self.daemonsets: list[DaemonSet] = [daemonset()]
        self.deployments: list[Deployment] = []
        self.service_ports: list[ServicePort] = []
        self.orphans: set[str] = set()
        self.meanwhile: Callable[[], None] = _nothing
        self.after: Exception | None = None
        self.deleted: list[tuple[str, int]] = []

    async def readiness(self) -> Readiness:
        """`/readyz`."""
        await self.meet("readiness")
        return self.ready

    async def node(self) -> Listing[Node]:
        """The node."""
        await self.meet("node")
        return Listing(tuple(self.nodes), self.now)

    async def pods(self) -> Listing[Pod]:
        """All pods."""
        await self.meet("pods")
        return Listing(tuple(self.pod_list), self.now)

    async def warnings(self) -> Listing[Event]:
        """Failed sandboxes."""
        await self.meet("warnings")
        return Listing(tuple(self.events), self.now)

    async def flannel(self) -> Listing[DaemonSet]:
        """Flannel's DaemonSet."""
        await self.meet("flannel")
        return Listing(tuple(self.daemonsets), self.now)

    async def livekit(self) -> Listing[Deployment]:
        """LiveKit's Deployment."""
        await self.meet("livekit")
        return Listing(tuple(self.deployments), self.now)

    async def services(self) -> Listing[ServicePort]:
        """NodePorts."""
        await self.meet("services")
        return Listing(tuple(self.service_ports), self.now)

    async def owner_exists(self, pod: Pod) -> bool:
        """Unless it is among the orphans."""
        await self.meet("owner_exists")
        return pod.owner is not None and pod.owner.uid not in self.orphans

    async def untaint(self, node: Node, index: int) -> str:
        """JSON patch: the tests hold against the newest list, a failed one is 422."""
        await self._hand("untaint", f"untaint {index}")
        now = self._the_node(node)
        wanted = node.taints[index]
        there = now.taints[index] if index < len(now.taints) else None
        if there is None or (there.key, there.effect) != (wanted.key, wanted.effect):
            raise Conflict("PATCH node", "422 the server rejected our request")
        taints = (*now.taints[:index], *now.taints[index + 1 :])
        self.nodes = [replace(now, taints=taints)]
        self._end()
        return f"removed {wanted.key}"

    async def uncordon(self, node: Node) -> str:
        """Only as it was read."""
        await self._hand("uncordon", "uncordon")
        now = self._the_node(node)
        if (now.unschedulable, now.annotations) != (node.unschedulable, node.annotations):
            raise Conflict("PATCH node", "422 the server rejected our request")
        self.nodes = [replace(now, unschedulable=False)]
        self._end()
        return "uncordoned"

    async def delete_pod(self, pod: Pod, *, grace: int) -> str:
        """Preconditions on uid and resourceVersion; a finalizer keeps the object."""
        await self._hand("delete_pod", f"delete {pod.name} grace {grace}")
        now = next((one for one in self.pod_list if _name(one) == _name(pod)), None)
        if now is None:
            raise NotThere("DELETE pod", f'pods "{pod.name}" not found')
        if (now.uid, now.resource_version) != (pod.uid, pod.resource_version):
            raise Conflict("DELETE pod", "409 the UID in the precondition does not match")
        self.deleted.append((now.uid, grace))
        self.pod_list.remove(now)
        if now.raw["metadata"].get("finalizers"):
            raw = copy.deepcopy(now.raw)
            raw["metadata"]["deletionTimestamp"] = stamp(-grace, self.now)
            self.pod_list.append(as_pod(raw))
        self._end()
        return f"deleted {pod.name}"

    async def patch_livekit(self, deployment: Deployment, patch: Mapping[str, Any]) -> str:
        """Strategic merge of the generation that was read; 422 as the API gives it."""
        await self._hand("patch_livekit", "patch")
        now = next((one for one in self.deployments if one.uid == deployment.uid), None)
        if now is None:
            raise NotThere("PATCH deployment", "not found")
        if now.generation != deployment.generation:
            raise Conflict("PATCH deployment", "409 the object has been modified")
        raw = merged(now.raw, patch)
        strategy = raw["spec"]["strategy"]
        if strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
            raise Conflict("PATCH deployment", "422 spec.strategy.rollingUpdate: Forbidden")
        raw["metadata"]["generation"] += 1
        raw["status"]["observedGeneration"] = raw["metadata"]["generation"]
        self.deployments = [as_deployment(raw)]
        self._end()
        return f"patched generation {now.generation}"

    async def _hand(self, method: str, act: str) -> None:
        meanwhile, self.meanwhile = self.meanwhile, _nothing
        meanwhile()
        await self.meet(method, act=act)

    def _end(self) -> None:
        """A hand whose work is done and whose answer is lost."""
        if self.after is not None:
            failure, self.after = self.after, None
            raise failure

    def _the_node(self, node: Node) -> Node:
        for one in self.nodes:
            if one.uid == node.uid:
                return one
        raise NotThere("PATCH node", f'nodes "{node.name}" not found')


class FakePorts(Faulty):
    """Implements PortEyes: each port says what the test gave it, others refuse."""

    def __init__(self, **answers: str | PortError) -> None:
        super().__init__()
        self.answers: dict[int, str | PortError] = {
            int(port.removeprefix("p")): answer for port, answer in answers.items()
        }
        self.foreign: set[int] = set()
        self.asked: list[int] = []

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """As given."""
        del path, expect
        self.asked.append(port)
        await self.meet("speak")
        answer = self.answers.get(port, TargetIll(f"{protocol} :{port}", "Connection refused"))
        if isinstance(answer, PortError):
            raise answer
        return answer

    async def listener_is_ours(self, port: int) -> bool:
        """Unless it is foreign or nobody listens."""
        await self.meet("listener_is_ours")
        return port in self.answers and port not in self.foreign


def merged(raw: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A strategic merge: null removes, containers merge by name."""
    result: dict[str, Any] = copy.deepcopy(dict(raw))
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(result.get(key) or {}, value)
        elif key == "containers":
            changes = {one["name"]: one for one in value}
            result[key] = [merged(one, changes.get(one["name"], {})) for one in result[key]]
        else:
            result[key] = value
    return result


def _name(pod: Pod) -> tuple[str, str]:
    return pod.namespace, pod.name


def _nothing() -> None:
    """Nobody else writes."""
