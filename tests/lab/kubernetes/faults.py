"""What a person, Talos or bad luck does to the cluster: the faults that tests begin with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.lab.kubernetes.api import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from tests.lab.kubernetes.image import BUSYBOX_IMAGE
from tests.lab.kubernetes.node import MANIFESTS, NAME, Node, NodeError, eventually

if TYPE_CHECKING:
    from pathlib import Path

CONTROL_PLANE_TAINT: Final = "node-role.kubernetes.io/control-plane"
CORDONED_BY_TALOS: Final = "talos.dev/cordoned"
TOLERATIONS: Final = [{"operator": "Exists"}]
ASLEEP: Final = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done"]
NODE_PATH: Final = f"/api/v1/nodes/{NAME}"


def pod(name: str, *, namespace: str = "default", **spec: Any) -> dict[str, Any]:  # noqa: ANN401  a pod's own fields
    """A pod of one idle container that tolerates every taint, with its spec overlaid."""
    container = {
        "name": "main",
        "image": BUSYBOX_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ASLEEP,
        "resources": {"requests": {"cpu": "1m", "memory": "5Mi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"lab": "zoo"}},
        "spec": {
            "tolerations": TOLERATIONS,
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
            **spec,
        },
    }


def template(name: str, **container: Any) -> dict[str, Any]:  # noqa: ANN401  a container's own fields
    """The fields that Deployments and StatefulSets of one container share."""
    idle = pod(name)["spec"]
    idle["containers"][0].update(container)
    return {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": idle},
    }


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of one node.

    ``guest_flags`` is the VM's folder of that name by a path which this process can write.
    """

    node: Node
    guest_flags: Path

    def put(self, path: str, body: dict[str, Any]) -> None:
        """Create one object; NodeError with what the server said if it refuses."""
        answer = self.node.api.request("POST", path, body=body)
        if answer.status not in {200, 201}:
            raise NodeError(f"POST {path}: {answer.status} {answer.body}")

    def patch(self, path: str, change: object, kind: str = MERGE_PATCH) -> None:
        """Patch one object; NodeError with what the server said if it refuses."""
        answer = self.node.api.request("PATCH", path, body=change, headers={"Content-Type": kind})
        if answer.status != 200:
            raise NodeError(f"PATCH {path}: {answer.status} {answer.body}")

    def load_module(self) -> None:
        """Let the VM have br_netfilter."""
        (self.guest_flags / "br_netfilter").touch()

    def unload_module(self) -> None:
        """Let the VM lack br_netfilter."""
        (self.guest_flags / "br_netfilter").unlink(missing_ok=True)

    def untaint(self) -> None:
        """Remove the control plane's taint as kubectl does; Talos may put it back."""
        self.node.kubectl("taint", "nodes", NAME, f"{CONTROL_PLANE_TAINT}:NoSchedule-")

    def untaint_if_tainted(self) -> None:
        """The same, when it is there."""
        if any(one["key"] == CONTROL_PLANE_TAINT for one in self.node.taints()):
            self.untaint()

    def taint(self, key: str = CONTROL_PLANE_TAINT, effect: str = "NoSchedule") -> None:
        """Add a taint, by default the control plane's own."""
        self.node.kubectl("taint", "nodes", NAME, f"{key}:{effect}", "--overwrite")

    def allow_scheduling(self, *, allowed: bool) -> None:
        """Set the machine configuration's field that ends the taint for good, or take it back."""
        config = json.dumps({"allowSchedulingOnControlPlanes": allowed})
        self.node.inside("sh", "-c", f"echo '{config}' > /system/state/config.json")

    def cordon_as_human(self) -> None:
        """Cordon the node as kubectl does."""
        self.node.kubectl("cordon", NAME)

    def cordon_as_talos(self) -> None:
        """Leave a cordon of Talos' behind: by itself it would take it back within a second."""
        self.hold("uncordon")
        self.annotate(CORDONED_BY_TALOS, "true")
        self.node.kubectl("cordon", NAME)

    def uncordon(self) -> None:
        """Undo either cordon."""
        self.node.kubectl("uncordon", NAME)
        self.annotate(CORDONED_BY_TALOS, None)

    def annotate(self, key: str, value: str | None) -> None:
        """Write one annotation of the Node, which alone makes Talos put its taint back."""
        self.patch(NODE_PATH, {"metadata": {"annotations": {key: value}}})

    def scale(self, name: str, replicas: int, namespace: str = "joelclaw") -> None:
        """Scale a Deployment."""
        path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        self.patch(path, {"spec": {"replicas": replicas}})

    def hold(self, service: str) -> None:
        """Keep a service of the node down, for example ``kubelet``, until its next boot.

        ``shutdown`` held makes the node deaf to SIGTERM: Docker kills it when its patience ends.
        """
        self.node.inside("touch", f"/run/lab/hold/{service}")

    def release(self, service: str) -> None:
        """Let a held service run again."""
        self.node.inside("rm", "-f", f"/run/lab/hold/{service}")

    def stick_in_shutdown(self) -> None:
        """Let the node say that it is shutting down, heartbeat advancing, until its next boot."""
        self.node.inside("touch", "/run/lab/stuck-shutting-down")
        self.annotate(CORDONED_BY_TALOS, "true")
        self.node.kubectl("cordon", NAME)

    def livekit_not_ready(self, *, broken: bool) -> None:
        """Let LiveKit answer 406, as it does when its statistics are old."""
        verb = ["touch"] if broken else ["rm", "-f"]
        self.node.inside(*verb, "/run/lab/livekit-not-ready")

    def reset_livekit(self) -> None:
        """Put LiveKit back to what its chart renders: probes on the pod's own address."""
        self.node.kubectl("delete", "deployment", "livekit-server", "-n", "joelclaw", "--wait")
        # While the old pod ends kube-proxy still sends to it: it would answer the new one's probes.
        eventually(
            "LiveKit's old pod is gone",
            lambda: not any(name.startswith("livekit") for name in self.node.statuses()),
        )
        self.node.kubectl("apply", "-f", str(MANIFESTS / "livekit.yaml"))

    def patch_livekit(self) -> None:
        """Give LiveKit the probes that pass here (facts/talos-kubernetes.md §6)."""
        self.patch(
            "/apis/apps/v1/namespaces/joelclaw/deployments/livekit-server",
            LIVEKIT_PATCH,
            STRATEGIC_PATCH,
        )

    def bare_pod(self, name: str = "bare", namespace: str = "default") -> None:
        """A pod that nobody would replace."""
        self.put(f"/api/v1/namespaces/{namespace}/pods", pod(name, namespace=namespace))

    def finalizer_pod(self, name: str = "kept", namespace: str = "default") -> None:
        """A pod that stays Terminating because of a finalizer."""
        kept = pod(name, namespace=namespace)
        kept["metadata"]["finalizers"] = ["lab.invalid/kept"]
        self.put(f"/api/v1/namespaces/{namespace}/pods", kept)
        self.node.kubectl("delete", "pod", name, "-n", namespace, "--wait=false")

    def drop_finalizers(self, name: str = "kept", namespace: str = "default") -> None:
        """Let such a pod go."""
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        self.patch(path, [{"op": "remove", "path": "/metadata/finalizers"}], JSON_PATCH)

    def bad_image(self, name: str = "bad-image", namespace: str = "default") -> None:
        """A Deployment whose image tag nobody has."""
        self._workload("Deployment", name, namespace, image="lab.invalid/typesense:no-such-tag")

    def crash_loop(self, name: str = "crashing", namespace: str = "default") -> None:
        """A Deployment whose program fails at once."""
        self._workload("Deployment", name, namespace, command=["/bin/sh", "-c", "exit 3"])

    def stateful_pod(self, name: str = "stateful", namespace: str = "default") -> None:
        """A StatefulSet of one idle pod."""
        self._workload("StatefulSet", name, namespace)

    def _workload(self, kind: str, name: str, namespace: str, **container: Any) -> None:  # noqa: ANN401  a container's own fields
        spec = template(name, **container)
        if kind == "StatefulSet":
            spec["serviceName"] = name
        body = {"kind": kind, "apiVersion": "apps/v1", "metadata": {"name": name}, "spec": spec}
        self.put(f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s", body)

    def mirror_pod(self, name: str = "static") -> None:
        """A static pod, whose mirror in the API belongs to the Node."""
        manifest = json.dumps(pod(name, namespace="kube-system"))
        script = f"cat > /etc/kubernetes/manifests/{name}.json <<'END'\n{manifest}\nEND"
        self.node.inside("sh", "-c", script)

    def remove_mirror_pod(self, name: str = "static") -> None:
        """Let kubelet stop the static pod."""
        self.node.inside("rm", "-f", f"/etc/kubernetes/manifests/{name}.json")

    def livekit_available(self) -> bool:
        """Whether LiveKit's Deployment has its replica."""
        path = "/apis/apps/v1/namespaces/joelclaw/deployments/livekit-server"
        status = self.node.object(path)["status"]
        return bool(status.get("availableReplicas", 0) == 1)

    def clear(self) -> None:
        """Remove every workload that these faults have made in the default namespace."""
        kinds = "deployments,statefulsets,jobs,pods"
        for found in self.node.pods("default"):
            if found["metadata"].get("finalizers"):
                self.drop_finalizers(found["metadata"]["name"])
        self.node.kubectl("delete", kinds, "--all", "-n", "default", "--wait=false")
        self.node.inside("sh", "-c", "rm -f /etc/kubernetes/manifests/*")

    def mend(self) -> None:
        """Put everything right as a careful human would, and wait until it is."""
        self.load_module()
        self.node.engine("start", NAME)
        self.node.inside("sh", "-c", "rm -rf /run/lab/hold/* /run/lab/livekit-not-ready")
        eventually("the API server is ready", self.node.api_ready)
        self.node.wait_ready()
        self.clear()
        self.uncordon()
        self.patch_livekit()
        self.node.kubectl("delete", "pod", "-n", "kube-system", "-l", "k8s-app=flannel")
        eventually("every pod runs", self._look_healthy)

    def _look_healthy(self) -> bool:
        # Talos may put the taint back once more when the node changes under the repair.
        self.untaint_if_tainted()
        running = {"Running"} == set(self.node.statuses().values())
        return running and self.livekit_available()


LIVEKIT_PROBE: Final = {"host": "127.0.0.1", "path": "/", "port": "http", "scheme": "HTTP"}
LIVEKIT_PATCH: Final = {
    "spec": {
        "strategy": {"type": "Recreate", "rollingUpdate": None},
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "livekit-server",
                        "startupProbe": {
                            "httpGet": LIVEKIT_PROBE,
                            "periodSeconds": 5,
                            "failureThreshold": 24,
                        },
                        "livenessProbe": {
                            "httpGet": LIVEKIT_PROBE,
                            "initialDelaySeconds": 30,
                            "periodSeconds": 10,
                            "failureThreshold": 6,
                        },
                        "readinessProbe": {
                            "httpGet": LIVEKIT_PROBE,
                            "initialDelaySeconds": 10,
                            "periodSeconds": 5,
                            "failureThreshold": 6,
                        },
                    }
                ]
            }
        },
    }
}
