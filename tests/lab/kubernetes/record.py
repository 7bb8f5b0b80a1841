"""Records what a real cluster answers, for tests that have none.

``python -m tests.lab.kubernetes.record`` starts a node on an engine of its own, leads it through
its illnesses and writes tests/recordings/kubernetes/. Left out: managedFields, kubectl's
last-applied annotation, and every secret.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.lab.kubernetes import zoo
from tests.lab.kubernetes.api import JSON_PATCH, STRATEGIC_PATCH
from tests.lab.kubernetes.faults import CONTROL_PLANE_TAINT, NODE_PATH, pod
from tests.lab.kubernetes.node import NAME, Node, eventually
from tests.lab.kubernetes.recorder import PODS, Recorder
from tests.lab.kubernetes.standalone import running_node

TARGET: Final = Path(__file__).parents[2] / "recordings" / "kubernetes"
APPS: Final = "/apis/apps/v1/namespaces"
LIVEKIT: Final = f"{APPS}/joelclaw/deployments/livekit-server"
FLANNEL: Final = f"{APPS}/kube-system/daemonsets/kube-flannel"
DEFAULT_PODS: Final = "/api/v1/namespaces/default/pods"


@dataclass(frozen=True, slots=True)
class Illnesses(Recorder):
    """Leads one node through its states; each method leaves it as the next one wants it."""

    def first_boot(self) -> None:
        """No CNI yet, then no kernel module, then the taint."""
        self.faults.unload_module()
        eventually("the API server is ready", self.node.api_ready)
        eventually("the node reports", lambda: self.node.condition() == "False")
        self.save_object("node-network-not-ready", NODE_PATH)
        self.node.deploy()
        self.settled("no module", kube_flannel="CrashLoopBackOff|Error", redis="ContainerCreating")
        self.save_pods("no-module")
        self.save_events("no-module")
        self.save_object("daemonset-flannel-crashing", FLANNEL)
        self.save_log()
        self.faults.load_module()
        self.node.kubectl("delete", "pod", "-n", "kube-system", "-l", "k8s-app=flannel")
        self.settled("tainted", kube_flannel="Running", redis="Running", typesense="Running")
        eventually("the first patch of the taint", self.node.taints)
        self.save_object("node-tainted", NODE_PATH)
        self.save_object("daemonset-flannel-available", FLANNEL)
        self.save_pods("tainted")
        self.save_object("version", "/version")
        lease = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{NAME}"
        self.save_object("lease", lease)

    def livekit(self) -> None:
        """The probe trap, the answers on the way out of it, and the cured Deployment."""
        self.faults.untaint()
        eventually("a restart for nothing", lambda: self._livekit_restarts() >= 1)
        self.save_object("deployment-livekit-chart", LIVEKIT)
        self.save_object("service-livekit", "/api/v1/namespaces/joelclaw/services/livekit-server")
        self.save_pods("livekit-trapped")
        self.save_events("livekit-trapped")
        wrong = {"spec": {"strategy": {"type": "Recreate"}}}
        self.save_answer("rolling-update-forbidden", "PATCH", LIVEKIT, wrong, STRATEGIC_PATCH)
        self.faults.patch_livekit()
        self.save_object("deployment-livekit-just-patched", LIVEKIT)
        self.node.kubectl(
            "rollout", "status", "-n", "joelclaw", "deployment/livekit-server", deadline=120
        )
        self.save_object("deployment-livekit-patched", LIVEKIT)
        self.save_object("node-ready", NODE_PATH)
        self.save_pods("healthy")
        for kind in ("deployments", "statefulsets"):
            self.save_object(kind, f"{APPS}/joelclaw/{kind}")
        self.save_object("services", "/api/v1/services")
        self.save_object("endpointslices", "/apis/discovery.k8s.io/v1/endpointslices")

    def _livekit_restarts(self) -> int:
        pods = self.node.pods("joelclaw", "app.kubernetes.io/name=livekit-server")
        return max(
            (one["restartCount"] for pod in pods for one in pod["status"]["containerStatuses"]),
            default=0,
        )

    def answers(self) -> None:
        """What the server says to wrong and to careful requests."""
        test = [{"op": "test", "path": "/spec/taints/0/key", "value": CONTROL_PLANE_TAINT}]
        self.save_answer("test-no-such-path", "PATCH", NODE_PATH, test, JSON_PATCH)
        self.faults.taint("lab.invalid/other")
        self.save_answer("test-failed", "PATCH", NODE_PATH, test, JSON_PATCH)
        self.node.kubectl("taint", "nodes", NAME, "lab.invalid/other:NoSchedule-")
        stale = {"metadata": {"resourceVersion": "1"}, "spec": {"taints": []}}
        kind = "application/merge-patch+json"
        self.save_answer("stale-resource-version", "PATCH", NODE_PATH, stale, kind)
        self.faults.bare_pod("victim")
        self.settled("a victim", victim="Running")
        path = f"{DEFAULT_PODS}/victim"
        other = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
        self.save_answer("delete-uid-mismatch", "DELETE", path, other)
        uid = self.node.api.get(path)["metadata"]["uid"]
        careful = {"gracePeriodSeconds": 30, "preconditions": {"uid": uid}}
        query = f"{path}?gracePeriodSeconds=0"
        self.save_answer("delete-body-beats-query", "DELETE", query, careful)
        self.save_answer("not-found", "GET", f"{DEFAULT_PODS}/nobody")
        self.save_answer("delete-not-found", "DELETE", f"{DEFAULT_PODS}/nobody", careful)

    def zoo(self) -> None:
        """Pods in every column, made by a kubelet and written by hand."""
        for made in zoo.real():
            self.faults.put(DEFAULT_PODS, made)
        self.faults.mirror_pod()
        self.faults.finalizer_pod()
        self.faults.stateful_pod()
        self.faults.bad_image()
        self.faults.crash_loop()
        self.settled("running", terminating="Running", deadline="DeadlineExceeded|Error|Completed")
        self.node.kubectl("delete", "pod", "terminating", "--wait=false")
        self.settled(
            "the zoo",
            crash_loop="CrashLoopBackOff|Error",
            image_pull="ImagePullBackOff",
            init_crash_loop="Init:CrashLoopBackOff|Init:Error",
            init_image="Init:ImagePullBackOff",
            bad_image="ImagePullBackOff",
            oom="OOMKilled",
            not_ready="NotReady",
        )
        self.save_pods("zoo")
        self.save_events("zoo")

    def written(self) -> None:
        """Statuses that no kubelet makes on demand, and those that no kubelet makes any more."""
        for made, status in zoo.written():
            name = made["metadata"]["name"]
            self.faults.put(DEFAULT_PODS, made)
            self.faults.patch(f"{DEFAULT_PODS}/{name}/status", {"status": status})
            if name.startswith("w-gone"):
                self.node.api.request("DELETE", f"{DEFAULT_PODS}/{name}")
        self.save_pods("written")
        for made, _ in zoo.written():
            name = made["metadata"]["name"]
            self.faults.drop_finalizers(name)
            self.node.api.request("DELETE", f"{DEFAULT_PODS}/{name}?gracePeriodSeconds=0")

    def cordons(self) -> None:
        """Who cordoned the node, and a node that nobody hears from."""
        self.faults.cordon_as_human()
        eventually("the taint follows", self.node.taints)
        self.save_object("node-cordoned-by-human", NODE_PATH)
        self.faults.uncordon()
        self.faults.cordon_as_talos()
        eventually("the taints follow", lambda: len(self.node.taints()) == 2)
        self.save_object("node-cordoned-by-talos", NODE_PATH)
        self.faults.uncordon()
        self.faults.hold("kubelet")
        eventually("nobody hears from it", lambda: self.node.condition() == "Unknown")
        self.save_object("node-not-posting", NODE_PATH)
        self.save_pods("node-not-posting")
        self.faults.release("kubelet")
        self.node.wait_ready()
        self.faults.hold("etcd")
        eventually("not ready", lambda: not self.node.api_ready())
        self.save_readyz()
        self.faults.release("etcd")
        eventually("ready again", self.node.api_ready)

    def power_cut(self) -> None:
        """A power cut after which flannel cannot start; then its cure."""
        job = pod("final", restartPolicy="Never")
        self.faults.put(DEFAULT_PODS, job)
        self.settled("before the cut", final="Running")
        self.faults.unload_module()
        self.node.engine("kill", NAME)
        self.node.engine("start", NAME)
        eventually("the API server is ready", self.node.api_ready)
        self.settled(
            "after the cut",
            redis="Unknown",
            init_waits="Init:Unknown",
            final="Unknown",
            kube_flannel="CrashLoopBackOff|Error",
        )
        self.save_pods("power-cut")
        self.save_object("daemonset-flannel-after-cut", FLANNEL)
        self.save_object("node-after-cut", NODE_PATH)
        eventually(
            "sandboxes fail", lambda: "subnet.env" in self.node.kubectl("get", "events", "-A")
        )
        self.save_events("power-cut")
        # A server that has just started keeps no history to watch from.
        expired = f"{PODS}?watch=1&resourceVersion=1&timeoutSeconds=2"
        self.save_answer("watch-expired", "GET", expired)
        self.faults.load_module()
        self.node.kubectl("delete", "pod", "-n", "kube-system", "-l", "k8s-app=flannel")
        self.settled("healed", redis="Running", typesense="Running", kube_flannel="Running")
        self.save_pods("healed")

    def shutting_down(self) -> None:
        """A node stuck in its shutdown, twice: its heartbeat advances."""
        self.faults.stick_in_shutdown()

        def says_so() -> bool:
            return "node is shutting down" in json.dumps(self.node.node_object()["status"])

        eventually("it says so", says_so)
        self.save_object("node-shutting-down", NODE_PATH)
        first = _heartbeat(self.node)
        eventually("the heartbeat advances", lambda: _heartbeat(self.node) != first)
        self.save_object("node-shutting-down-later", NODE_PATH)


def _heartbeat(node: Node) -> str:
    conditions = node.node_object()["status"]["conditions"]
    return next(str(one["lastHeartbeatTime"]) for one in conditions if one["type"] == "Ready")


def main() -> int:
    """Record everything anew; some five minutes."""
    parser = argparse.ArgumentParser(description="Record what a real cluster answers.")
    parser.add_argument("--into", type=Path, default=TARGET)
    target: Path = parser.parse_args().into
    target.mkdir(parents=True, exist_ok=True)
    with running_node() as faults:
        recorder = Illnesses(faults.node, faults, target)
        recorder.first_boot()
        recorder.livekit()
        recorder.answers()
        recorder.zoo()
        recorder.written()
        recorder.cordons()
        recorder.power_cut()
        recorder.shutting_down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
