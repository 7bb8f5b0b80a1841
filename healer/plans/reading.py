"""Every command that a backup may run: each only reads, and `only_reads` says so again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_INSPECTED: Final = {
    "image": ".Config.Image",
    "memory": ".HostConfig.Memory",
    "memory_swap": ".HostConfig.MemorySwap",
    "nano_cpus": ".HostConfig.NanoCpus",
    "restart": ".HostConfig.RestartPolicy.Name",
    "ports": ".HostConfig.PortBindings",
    "mounts": ".Mounts",
    "networks": ".NetworkSettings.Networks",
}
"""Named one by one, since the whole answer holds the cluster's keys in its Env
(facts/talos-kubernetes.md §1)."""
_CLUSTER_WIDE: Final = (
    "namespaces",
    "storageclasses",
    "persistentvolumes",
    "clusterroles",
    "clusterrolebindings",
)
_NAMESPACED: Final = (
    "configmaps",
    "secrets",
    "serviceaccounts",
    "roles",
    "rolebindings",
    "persistentvolumeclaims",
    "services",
    "statefulsets",
    "deployments",
    "daemonsets",
    "cronjobs",
)
_READING: Final = frozenset(
    {
        ("docker", "container", "inspect"),
        ("helm", "get", "values"),
        ("helm", "list"),
        ("helm", "repo", "list"),
        ("kubectl", "cp"),
        ("kubectl", "get"),
        ("talosctl", "get"),
    }
)
_VALUED: Final = frozenset(
    {
        "--context",
        "--endpoints",
        "--host",
        "--kube-apiserver",
        "--kube-context",
        "--kubeconfig",
        "--nodes",
        "--request-timeout",
        "--server",
        "--talosconfig",
    }
)
"""Flags before the verb that take the next word as their value."""
_COPIED_WORDS: Final = 2


@dataclass(frozen=True, slots=True)
class KubeAccess:
    """Which API server, and as whom: never the current context (design §10)."""

    kubeconfig: Path
    context: str
    port: int
    """The Mac's port of the API server."""

    @property
    def server(self) -> str:
        """Its address from the Mac; 127.0.0.1 is among its certificate's names."""
        return f"https://127.0.0.1:{self.port}"

    def kubectl(self, *words: str) -> list[str]:
        """`kubectl WORDS` there."""
        where = ["--kubeconfig", str(self.kubeconfig), "--context", self.context]
        return ["kubectl", *where, "--server", self.server, *words]

    def helm(self, *words: str) -> list[str]:
        """`helm WORDS` there."""
        where = ["--kubeconfig", str(self.kubeconfig), "--kube-context", self.context]
        return ["helm", *where, "--kube-apiserver", self.server, *words]


def inspect_container(socket: Path, name: str) -> list[str]:
    """What Docker says of the container, as one JSON object without its environment."""
    parts = ",".join(f'"{key}":{{{{json {path}}}}}' for key, path in _INSPECTED.items())
    host = ["--host", f"unix://{socket}"]
    return ["docker", *host, "container", "inspect", "--format", f"{{{parts}}}", name]


def get_node(access: KubeAccess, name: str) -> list[str]:
    """Whether it is our cluster: its node has the container's name."""
    return access.kubectl("--request-timeout", "10s", "get", "node", name, "--output", "name")


def get_cluster_objects(access: KubeAccess) -> list[str]:
    """Objects outside of namespaces."""
    return access.kubectl("get", ",".join(_CLUSTER_WIDE), "--output", "json")


def get_objects(access: KubeAccess, namespace: str) -> list[str]:
    """Objects of a namespace, secrets among them."""
    kinds = ",".join(_NAMESPACED)
    return access.kubectl("get", kinds, "--namespace", namespace, "--output", "json")


def get_deployment(access: KubeAccess, namespace: str, name: str) -> list[str]:
    """One Deployment."""
    return access.kubectl("get", "deployment", name, "--namespace", namespace, "--output", "json")


def get_pods(access: KubeAccess, namespace: str, selector: str) -> list[str]:
    """The pods that a selector finds."""
    where = ["--namespace", namespace, "--selector", selector]
    return access.kubectl("get", "pods", *where, "--output", "json")


def copy_from(access: KubeAccess, namespace: str, pod: str, path: str, to: Path) -> list[str]:
    """A folder out of a pod; the other way round `only_reads` refuses."""
    return access.kubectl("cp", "--retries", "2", f"{namespace}/{pod}:{path}", str(to))


def list_releases(access: KubeAccess) -> list[str]:
    """Every Helm release, with chart and version."""
    return access.helm("list", "--all-namespaces", "--output", "json")


def get_values(access: KubeAccess, namespace: str, release: str) -> list[str]:
    """The values that were given to a release, secrets among them."""
    return access.helm("get", "values", release, "--namespace", namespace, "--output", "yaml")


def list_repositories() -> list[str]:
    """Where Helm's charts came from; a release itself does not know."""
    return ["helm", "repo", "list", "--output", "json"]


def get_machine_config(talosconfig: Path, port: int, node: str) -> list[str]:
    """The machine config in force, keys and all."""
    where = ["--talosconfig", str(talosconfig), "--endpoints", f"127.0.0.1:{port}"]
    what = ["get", "machineconfig", "v1alpha1", "--output", "yaml"]
    return ["talosctl", *where, "--nodes", node, *what]


def only_reads(argv: Sequence[str]) -> bool:
    """Whether it changes nothing where it asks; a word that is not known is taken for a change."""
    words = _words(argv)
    verb = next((one for one in _READING if tuple(words[: len(one)]) == one), None)
    if verb is None:
        return False
    return verb != ("kubectl", "cp") or _from_pod(words)


def _words(argv: Sequence[str]) -> list[str]:
    """The tool and what follows the flags before its verb."""
    rest = list(argv[1:])
    while len(rest) > 1 and rest[0] in _VALUED:
        rest = rest[2:]
    return [Path(argv[0]).name, *rest] if argv else []


def _from_pod(words: Sequence[str]) -> bool:
    """kubectl takes a word with a colon for a pod's path."""
    source, target = words[-_COPIED_WORDS:]
    return ":" in source and ":" not in target
