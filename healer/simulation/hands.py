"""The hands of the ports, over the simulated tower."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio

from healer.core.facts import Act
from healer.model.cluster import CONTROL_PLANE_TAINT, Deployment, Node, Pod
from healer.ports import ActFailed, Conflict, NotThere
from healer.simulation.eyes import SimulatedEngine, SimulatedGuest
from healer.simulation.physics import (
    CLEAN_STOP_TAKES,
    FORCE_STOP_TAKES,
    START_DONE_AFTER,
    Tower,
)
from healer.simulation.workloads import Workload


class SimulatedVmHands:
    """Start and stop of the VM, as long as they take."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def start(self, act: Act) -> str:
        """`colima start`: a no-op on a running VM, an error on a broken one."""
        del act
        self._tower.now()
        machine = self._tower.machine
        if machine.listed == "Running":
            return "already running, ignoring"
        if machine.listed == "Broken" or machine.leftovers_stale:
            await anyio.sleep(1.0)
            raise ActFailed("colima start", "errors inspecting instance: [failed to get Info]")
        self._tower.power_on()
        await anyio.sleep(START_DONE_AFTER)
        self._tower.now()
        return "done"

    async def stop(self, act: Act) -> str:
        """`colima stop`."""
        del act
        await anyio.sleep(CLEAN_STOP_TAKES)
        self._tower.now()
        self._tower.clean_stop()
        return "list says Stopped"

    async def force_stop(self, act: Act) -> str:
        """`colima stop --force`."""
        del act
        await anyio.sleep(FORCE_STOP_TAKES)
        self._tower.now()
        self._tower.power_cut()
        self._tower.machine.leftovers = ("docker.sock",)
        return "list says Stopped"

    async def remove_stale_files(self) -> str:
        """What is older than the boot belongs to nobody."""
        await anyio.sleep(0.05)
        self._tower.now()
        machine = self._tower.machine
        removed = machine.leftovers
        machine.leftovers, machine.leftovers_stale = (), False
        if machine.listed == "Broken" and not machine.on:
            machine.listed = "Stopped"
        return f"removed {', '.join(removed) or 'nothing'}"


class SimulatedGuestHands:
    """Acts in the VM."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._guest = SimulatedGuest(tower)

    async def load_modules(self) -> str:
        """The module is there at once, and after each later boot."""
        await anyio.sleep(0.3)
        self._guest.require_ssh("ssh lima-colima")
        self._tower.machine.module = self._tower.machine.persisted = True
        return "loaded br_netfilter and vxlan; persisted"

    async def restart_engine(self) -> str:
        """Kills the containers, and starts those whose policy says so."""
        await anyio.sleep(2.0)
        self._guest.require_ssh("ssh lima-colima")
        machine, box = self._tower.machine, self._tower.box
        if box.status == "running":
            self._tower.box_ended(137)
        machine.engine, machine.engine_unit = True, "active"
        if box.restart_policy in {"always", "unless-stopped"}:
            self._tower.box_started()
        return "docker restarted"


class SimulatedForwardHands:
    """Lima's forwards."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def reforward(self, ports: Sequence[tuple[str, int]]) -> str:
        """Works when the VM does."""
        await anyio.sleep(0.5)
        SimulatedGuest(self._tower).require_ssh("ssh -O forward")
        self._tower.machine.mux_pid = self._tower.machine.mux_pid or 14_000
        self._tower.restore_forwards()
        return f"docker.sock forwarded anew, and {len(ports)} ports"

    async def term_mux(self) -> str:
        """The wedged master goes, and with it what it carried."""
        await anyio.sleep(0.2)
        self._tower.now()
        self._tower.machine.mux_pid = None
        self._tower.machine.forward = False
        return "the master is gone"


class SimulatedEngineHands:
    """Docker's acts on the one container."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._engine = SimulatedEngine(tower)

    async def start(self, container: str) -> str:
        """304 when it runs already."""
        await anyio.sleep(0.5)
        self._engine.require_engine(f"docker start {container}")
        box = self._tower.box
        if box.status == "running":
            return "it was running already"
        if box.error:
            raise ActFailed(f"docker start {container}", box.error)
        self._tower.box_started()
        return "started"

    async def restart(self, container: str) -> str:
        """Stop with a long patience, then start."""
        self._engine.require_engine(f"docker restart {container}")
        await anyio.sleep(31.0)
        self._engine.require_engine(f"docker restart {container}")
        if self._tower.box.status == "running":
            self._tower.box_ended(130)
        self._tower.box_started()
        return "restarted"

    async def update(self, container: str, *, restart_policy: str = "", memory: int = 0) -> str:
        """Live, without a restart."""
        await anyio.sleep(0.05)
        self._engine.require_engine(f"docker update {container}")
        box = self._tower.box
        box.restart_policy = restart_policy or box.restart_policy
        box.memory = memory or box.memory
        return "updated"


class SimulatedClusterHands:
    """Changes through the API."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def untaint(self, node: Node, index: int) -> str:
        """The tests of the JSON patch hold at write time (talos-kubernetes.md §2)."""
        await self._write()
        cluster = self._tower.cluster
        if not cluster.tainted or node.taints[index].key != CONTROL_PLANE_TAINT:
            raise Conflict("PATCH node", "the test operation failed")
        cluster.tainted = False
        cluster.version += 1
        self._tower.tell("the taint is removed")
        return "removed the taint"

    async def uncordon(self, node: Node) -> str:
        """Schedulable again; that changes the node, so Talos looks at its taints."""
        await self._write()
        cluster = self._tower.cluster
        if not (cluster.cordoned and cluster.cordoned_by_talos):
            raise Conflict(f"PATCH {node.name}", "the test operation failed")
        cluster.cordoned = cluster.cordoned_by_talos = False
        cluster.version += 1
        self._tower.in_this_box(0.5, self._tower.taint)
        return "uncordoned"

    async def delete_pod(self, pod: Pod, *, grace: int) -> str:
        """The uid in the body protects the successor (§4)."""
        del grace
        await self._write()
        if pod.namespace == "kube-system":
            if pod.uid != f"uid-flannel-{self._tower.cluster.flannel.uid}":
                raise Conflict("DELETE pod", "the UID in the precondition does not match")
            self._tower.replace_flannel_pod()
            return f"deleted {pod.name}"
        workload = self._workload(lambda one: one.pod_name == pod.name)
        if workload.pod_uid != pod.uid:
            raise Conflict("DELETE pod", "the UID in the precondition does not match")
        self._tower.replace_pod(workload)
        return f"deleted {pod.name}"

    async def patch_livekit(self, deployment: Deployment, patch: Mapping[str, Any]) -> str:
        """A new template is a rollout: with Recreate, a new pod (§6)."""
        await self._write()
        workload = self._workload(lambda one: one.name == deployment.name)
        if deployment.resource_version != str(workload.generation):
            raise Conflict("PATCH deployment", "the object has been modified")
        if patch["spec"].get("strategy", {}).get("rollingUpdate", "absent") is not None:
            raise ActFailed("PATCH deployment", "spec.strategy.rollingUpdate: Forbidden")
        workload.generation += 1
        workload.probes_drifted = False
        self._tower.replace_pod(workload)
        self._tower.tell("LiveKit's probes are patched; its pod is replaced")
        return f"patched generation {deployment.generation}"

    def _workload(self, fits: Callable[[Workload], bool]) -> Workload:
        for one in self._tower.cluster.workloads:
            if fits(one):
                return one
        raise NotThere("API", "not found")

    async def _write(self) -> None:
        await anyio.sleep(0.03)
        self._tower.now()
        if not (self._tower.cluster.api and self._tower.machine.port_forwards):
            raise ActFailed("API", "Connection refused")
