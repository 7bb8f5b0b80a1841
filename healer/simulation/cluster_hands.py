"""The Kubernetes API as hands."""

from collections.abc import Mapping
from typing import Any

import anyio

from healer.model.cluster import CONTROL_PLANE_TAINT, Deployment, Node, Pod
from healer.ports import ActFailed, Conflict, NotThere, TargetIll
from healer.simulation.cluster_eyes import SimulatedCluster
from healer.simulation.physics import Tower
from healer.simulation.workloads import LIVEKIT, Workload


class SimulatedClusterHands:
    """Changes through the API; they are made at once, and told of a moment later."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._eyes = SimulatedCluster(tower)

    async def _reach(self, place: str) -> None:
        try:
            await self._eyes.reach(place)
        except TargetIll as ill:
            raise ActFailed(ill.place, ill.detail) from ill
        if self._tower.troubles.api_errors:
            raise ActFailed(place, "500: etcdserver: request timed out")

    async def _told(self, done: str) -> str:
        self._tower.changed()
        await anyio.sleep(0.01)
        self._tower.now()
        return done

    async def untaint(self, node: Node, index: int) -> str:
        """The tests of the JSON patch hold at write time (talos-kubernetes.md §2)."""
        await self._reach("PATCH node")
        cluster = self._tower.cluster
        if not cluster.node.tainted or node.taints[index].key != CONTROL_PLANE_TAINT:
            raise Conflict("PATCH node", "the test operation failed")
        cluster.untaint()
        return await self._told("removed the taint")

    async def uncordon(self, node: Node) -> str:
        """Schedulable again, while Talos' own mark is there."""
        await self._reach("PATCH node")
        cluster = self._tower.cluster
        if not (cluster.node.cordoned and cluster.node.cordoned_by_talos):
            raise Conflict(f"PATCH {node.name}", "the test operation failed")
        cluster.uncordon()
        self._tower.tell("the node is uncordoned")
        return await self._told("uncordoned")

    async def delete_pod(self, pod: Pod, *, grace: int) -> str:
        """The uid in the body protects the successor, the version a changed status (§4)."""
        await self._reach("DELETE pod")
        now = next((one for one in self._tower.objects.pods() if _same_name(one, pod)), None)
        if now is None:
            raise NotThere("DELETE pod", "not found")
        if (now.uid, now.resource_version) != (pod.uid, pod.resource_version):
            raise Conflict("DELETE pod", "the precondition does not match")
        self._delete(pod, grace)
        return await self._told(f"deleted {pod.namespace}/{pod.name} with {grace} s of grace")

    def _delete(self, pod: Pod, grace: int) -> None:
        tower = self._tower
        tower.tell(f"{pod.namespace}/{pod.name} is deleted")
        if pod.owner is not None and pod.owner.name == "kube-flannel":
            if tower.cluster.flannel.running and tower.cluster.flannel.subnet_env:
                tower.wrong("flannel's pod was deleted while it worked")
            tower.cluster.flannel.replace()
            return
        workload = next(one for one in tower.workloads if one.pod_name == pod.name)
        harm = tower.cluster.kubelet.delete(workload, grace)
        if harm:
            tower.wrong(harm)

    async def patch_livekit(self, deployment: Deployment, patch: Mapping[str, Any]) -> str:
        """A new template is a rollout: with Recreate, a new pod (§6)."""
        await self._reach("PATCH deployment")
        workload = self._tower.cluster.kubelet.named(LIVEKIT)
        if deployment.resource_version != str(workload.generation):
            raise Conflict("PATCH deployment", "the object has been modified")
        if patch["spec"].get("strategy", {}).get("rollingUpdate", "absent") is not None:
            raise ActFailed("PATCH deployment", "spec.strategy.rollingUpdate: Forbidden")
        self._roll_out(workload)
        return await self._told(f"patched generation {deployment.generation}")

    def _roll_out(self, workload: Workload) -> None:
        workload.generation += 1
        if workload.paused:
            self._tower.wrong("a human had paused LiveKit's rollout, and it was patched")
            return
        if workload.ready:
            self._tower.wrong("LiveKit was Ready, and was rolled out")
        workload.probes_drifted = False
        self._tower.cluster.kubelet.replace(workload)
        self._tower.tell("LiveKit's probes are patched; its pod is replaced")


def _same_name(one: Pod, other: Pod) -> bool:
    return (one.namespace, one.name) == (other.namespace, other.name)
