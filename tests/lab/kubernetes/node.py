"""The lab's Talos container with a real one-node Kubernetes in it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.kubernetes import build
from tests.lab.kubernetes.api import ApiDoor
from tests.lab.kubernetes.image import SANDBOX_IMAGE, import_node_image
from tests.lab.kubernetes.machineconfig import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CLUSTER: Final = "joelclaw"
NAME: Final = "joelclaw-controlplane-1"
ADDRESS: Final = "10.5.0.2"
SUBNET: Final = "10.5.0.0/24"
GUEST_FLAGS: Final = "/run/guest"
"""A folder of the VM; its file ``br_netfilter`` says that the module is loaded."""
VOLUMES: Final = (
    *("/var", "/system/state", "/etc/cni", "/etc/kubernetes", "/usr/libexec/kubernetes", "/opt"),
)
CAPABILITIES: Final = (
    *("AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE"),
    *("DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE"),
    *("LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE"),
    *("NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT"),
    *("SYS_PTRACE", "SYS_RAWIO", "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM"),
)
"""All by name but SYS_RESOURCE, which a nested machine may lack: ``--privileged`` would fail."""
MANIFESTS: Final = Path(__file__).parent / "manifests"
MEMORY: Final = 4 << 30
"""Bytes; what the owner's cluster is created with (facts/talos-kubernetes.md §1)."""

COMMAND_DEADLINE: Final = 60.0
READY_DEADLINE: Final = 240.0
"""Seconds; 20 s were seen on an idle machine, ten times that on a very busy one."""
LOOK_EVERY: Final = 0.5


class NodeError(Exception):
    """The node did not do what was asked in time; the message says what was last seen."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of the VM's loopback, as Docker publishes them, to ports of the node."""

    api: int = 64784
    services: Mapping[int, int] = field(
        default_factory=lambda: {7880: 7880, 7881: 7881, 6379: 6379, 8108: 8108}
    )

    def mac_side(self) -> list[int]:
        """The ports that must reach the Mac."""
        return [self.api, *self.services]

    def arguments(self) -> list[str]:
        """Arguments for ``docker run``."""
        pairs = {self.api: 6443, **self.services}
        return [f"--publish=127.0.0.1:{host}:{inner}/tcp" for host, inner in pairs.items()]


def eventually(what: str, look: Callable[[], object], deadline: float = READY_DEADLINE) -> None:
    """Wait until a look finds something true; NodeError names it and the last fault if never."""
    until = time.monotonic() + deadline
    fault: Exception | None = None
    while time.monotonic() < until:
        try:
            if look():
                return
        except (OSError, subprocess.SubprocessError, LookupError, ValueError) as error:
            fault = error
        time.sleep(LOOK_EVERY)
    raise NodeError(f"not in {deadline:.0f} s: {what} (last fault: {fault})")


@dataclass(slots=True)
class Node:
    """One node: how it is created, reached and asked.

    ``docker`` is the command that reaches the engine; the node's published ports must be
    reachable on this process's 127.0.0.1, whoever forwards them there.
    """

    docker: Sequence[str]
    kubeconfig: Path
    ports: Ports = field(default_factory=Ports)
    guest_flags: str = GUEST_FLAGS
    kubectl_program: Path = field(default_factory=lambda: build.build_releases()["kubectl"])

    @property
    def api(self) -> ApiDoor:
        """The raw door to the API server."""
        return ApiDoor(self.kubeconfig)

    def engine(self, *arguments: str, deadline: float = COMMAND_DEADLINE) -> str:
        """Run one docker command; CalledProcessError if it fails."""
        return _run([*self.docker, *arguments], deadline=deadline)

    def create(self) -> None:
        """Make the network and the container as talosctl does, and write the kubeconfig."""
        image = import_node_image(self.docker)
        authority = Authority.create()
        authority.write_kubeconfig(self.kubeconfig, f"https://127.0.0.1:{self.ports.api}", CLUSTER)
        if CLUSTER not in self.engine("network", "ls", "--format", "{{.Name}}").split():
            self.engine("network", "create", f"--subnet={SUBNET}", *_labels(), CLUSTER)
        # The engine's client reads the secret from its own environment: it is in no argument list.
        environment = {
            **os.environ,
            "PLATFORM": "container",
            "USERDATA": authority.user_data(NAME, ADDRESS, SANDBOX_IMAGE),
        }
        _run([*self.docker, "run", *self._run_arguments(), image], environment=environment)

    def _run_arguments(self) -> list[str]:
        return [
            "--detach",
            f"--name={NAME}",
            f"--hostname={NAME}",
            *_labels(),
            "--label=talos.type=controlplane",
            "--env=PLATFORM",
            "--env=USERDATA",
            f"--env=TALOSSKU=2CPU-{MEMORY >> 20}RAM",
            f"--network={CLUSTER}",
            f"--ip={ADDRESS}",
            *self.ports.arguments(),
            "--read-only",
            *(f"--tmpfs={path}:exec" for path in ("/run", "/system", "/tmp")),
            *(f"--volume={path}" for path in VOLUMES),
            f"--volume={self.guest_flags}:/run/guest:ro",
            *(f"--cap-add={name}" for name in CAPABILITIES),
            *(f"--security-opt={kind}=unconfined" for kind in ("seccomp", "apparmor")),
            "--security-opt=systempaths=unconfined",
            "--device-cgroup-rule=a *:* rwm",
            "--device=/dev/kmsg",
            "--cgroupns=host",
            "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
            f"--memory={MEMORY}",
        ]

    def deploy(self) -> None:
        """Apply the cluster's own objects and the workloads, once the API takes them."""
        eventually("the API server is ready", self.api_ready)
        for name in ("cluster", "flannel", "workloads", "livekit"):
            self.kubectl("apply", "--filename", str(MANIFESTS / f"{name}.yaml"))

    def remove(self) -> None:
        """Remove the container and its volumes; the image stays."""
        self.engine("rm", "--force", "--volumes", NAME)

    def kubectl(self, *arguments: str, deadline: float = COMMAND_DEADLINE) -> str:
        """Run one kubectl command as the administrator; CalledProcessError if it fails."""
        command = [str(self.kubectl_program), f"--kubeconfig={self.kubeconfig}"]
        return _run([*command, *arguments], deadline=deadline)

    def inside(self, *arguments: str, deadline: float = COMMAND_DEADLINE) -> str:
        """Run one command in the node, which Talos itself would not allow."""
        return self.engine("exec", NAME, *arguments, deadline=deadline)

    def logs(self, service: str = "machined", lines: int = 100) -> str:
        """The last lines of one of the node's services, or of its init."""
        if service == "machined":
            return self.engine("logs", f"--tail={lines}", NAME)
        return self.inside("tail", "-n", str(lines), f"/var/log/lab/{service}.log")

    def api_ready(self) -> bool:
        """Whether the API server says that it is ready; without etcd it says no after 4 s."""
        return self.api.request("GET", "/readyz").status == 200

    def object(self, path: str) -> dict[str, Any]:
        """One object of the API by its path."""
        found: dict[str, Any] = self.api.get(path)
        return found

    def node_object(self) -> dict[str, Any]:
        """The Node object."""
        return self.object(f"/api/v1/nodes/{NAME}")

    def condition(self, kind: str = "Ready") -> str:
        """The status of one of the Node's conditions, empty if it has none of that kind."""
        conditions = self.node_object()["status"].get("conditions", [])
        return next((str(one["status"]) for one in conditions if one["type"] == kind), "")

    def taints(self) -> list[dict[str, str]]:
        """The Node's taints."""
        found: list[dict[str, str]] = self.node_object()["spec"].get("taints", [])
        return found

    def pods(self, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        """Pods of one namespace or of all."""
        where = f"namespaces/{namespace}/pods" if namespace else "pods"
        found: list[dict[str, Any]] = self.object(
            f"/api/v1/{where}?labelSelector={selector.replace('=', '%3D')}"
        )["items"]
        return found

    def statuses(self, namespace: str = "") -> dict[str, str]:
        """The STATUS column that the API server prints, by pod name."""
        where = f"namespaces/{namespace}/pods" if namespace else "pods"
        table = self.api.get(f"/api/v1/{where}", "application/json;as=Table;g=meta.k8s.io;v=v1")
        return {row["object"]["metadata"]["name"]: row["cells"][2] for row in table["rows"]}

    def wait_ready(self, deadline: float = READY_DEADLINE) -> None:
        """Wait until the Node is Ready; without flannel it becomes so only on a later boot."""
        eventually("node Ready", lambda: self.condition() == "True", deadline)


def _labels() -> list[str]:
    return ["--label=talos.owned=true", f"--label=talos.cluster.name={CLUSTER}"]


def _run(
    command: Sequence[str],
    *,
    deadline: float = COMMAND_DEADLINE,
    environment: Mapping[str, str] | None = None,
) -> str:
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=deadline, env=environment
    )
    if answer.returncode != 0:
        raise subprocess.CalledProcessError(
            answer.returncode, command, answer.stdout, answer.stderr
        )
    return answer.stdout


def inspect(node: Node) -> dict[str, Any]:
    """What Docker says of the container, its secret environment left out."""
    found: dict[str, Any] = json.loads(node.engine("inspect", NAME))[0]
    del found["Config"]["Env"]
    return found
