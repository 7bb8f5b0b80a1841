"""A tower for `healer backup` and `healer plan`: stand-in tools with a cluster's answers."""

import base64
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from healer.model.published import DEFAULT_PUBLISHED
from tests.standin import cluster_tools
from tests.standin.cluster_tools import SECRET
from tests.unit.cli.command import Machine

TOOLS = ("docker", "helm", "kubectl", "talosctl")
API, TALOS = 64784, 64785


def bindings() -> dict[str, Any]:
    """What Docker publishes: every default service, the API and Talos' own."""
    found = {
        f"{one.inner_port}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(one.host_port)}]
        for one in DEFAULT_PUBLISHED
    }
    found["6443/tcp"] = [{"HostIp": "0.0.0.0", "HostPort": str(API)}]
    found["50000/tcp"] = [{"HostIp": "0.0.0.0", "HostPort": str(TALOS)}]
    return found


def container(**other: Any) -> str:  # noqa: ANN401  (whatever Docker says)
    """Docker's answer about the container."""
    told = {
        "image": "ghcr.io/siderolabs/talos:v1.12.4",
        "memory": 19327352832,
        "memory_swap": 19327352832,
        "nano_cpus": 4_000_000_000,
        "restart": "unless-stopped",
        "ports": bindings(),
        "mounts": [{"Type": "volume", "Source": "/x", "Destination": "/var", "RW": True}],
        "networks": {"joelclaw": {"IPAddress": "10.5.0.2", "IPPrefixLen": 24}},
    }
    return json.dumps({**told, **other})


def thing(kind: str, name: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401  (any object's fields)
    """An object as the API server hands it out."""
    meta = {"name": name, "uid": "u-1", "resourceVersion": "7", **rest.pop("meta", {})}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "status": {"old": 1}, **rest}


def listed(*items: dict[str, Any]) -> str:
    """`kubectl get --output json`."""
    return json.dumps({"kind": "List", "items": list(items)})


CONFIG = {
    "machine": {
        "token": SECRET,
        "kernel": {"modules": [{"name": "br_netfilter"}]},
        "kubelet": {"image": "ghcr.io/siderolabs/kubelet:v1.35.0"},
        "sysctls": {"vm.overcommit_memory": "1"},
    },
    "cluster": {
        "secret": SECRET,
        "apiServer": {"extraArgs": {"service-node-port-range": "80-32767", "token": SECRET}},
    },
}
PSA = {"pod-security.kubernetes.io/enforce": "privileged"}
PROVISIONED = {"annotations": {"pv.kubernetes.io/provisioned-by": "rancher.io/local-path"}}
DEFAULT_CLASS = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}


def answers() -> dict[str, str]:
    """A whole cluster."""
    helm = {"labels": {"app.kubernetes.io/managed-by": "Helm"}}
    pod = thing(
        "Pod",
        "bluesky-pds-5d-abc",
        spec={
            "containers": [{"volumeMounts": [{"name": "data", "mountPath": "/pds"}]}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "pds-data"}}],
        },
    )
    pod["status"] = {"phase": "Running"}
    selector = {"matchLabels": {"app": "pds", "tier": "a"}}
    return {
        "docker container inspect": container(),
        "talosctl get machineconfig": yaml.safe_dump({"spec": yaml.safe_dump(CONFIG)}),
        "helm repo list": '[{"name":"livekit","url":"https://u:p@charts.example.org/lk"}]',
        "helm list": '[{"name":"livekit-server","namespace":"joelclaw",'
        '"chart":"livekit-server-1.9.0"}]',
        "helm get values": f"keys:\n  key: {SECRET}\n",
        "kubectl get node": "node/joelclaw-controlplane-1\n",
        "kubectl get namespaces": listed(
            thing("Namespace", "joelclaw", meta={"labels": PSA}),
            thing("Namespace", "kube-system"),
            thing("StorageClass", "local-path", meta=DEFAULT_CLASS),
            thing("PersistentVolume", "pvc-1", meta=PROVISIONED, spec={}),
            thing("ClusterRole", "system:node"),
            thing("ClusterRole", "local-path-provisioner-role"),
        ),
        "kubectl get configmaps": listed(
            thing("Secret", "system-bus-env", type="Opaque", data={"k": SECRET}),
            thing("Secret", "sh.helm.release.v1.x", type="helm.sh/release.v1"),
            thing("ConfigMap", "kube-root-ca.crt"),
            thing("Deployment", "livekit-server", meta=helm, spec={}),
            thing(
                "Service", "redis", spec={"clusterIP": "10.1.2.3", "ports": [{"nodePort": 6379}]}
            ),
            thing("PersistentVolumeClaim", "data-redis-0", spec={"volumeName": "pvc-1"}),
        ),
        "kubectl get deployment": json.dumps({"spec": {"selector": selector}}),
        "kubectl get pods": listed(pod),
    }


def kubeconfig() -> str:
    """Two contexts, the first of another cluster."""
    material = base64.b64encode(b"pem").decode()
    users = {"client-certificate-data": material, "client-key-data": material}
    cluster = {"certificate-authority-data": material, "server": "https://127.0.0.1:1"}
    return yaml.safe_dump(
        {
            "clusters": [{"name": "joelclaw", "cluster": cluster}],
            "users": [{"name": "admin", "user": users}],
            "contexts": [
                {"name": "admin@joelclaw", "context": {"cluster": "joelclaw", "user": "admin"}}
            ],
        }
    )


@dataclass(frozen=True)
class Tower:
    """A machine with stand-ins for the four tools."""

    machine: Machine

    @classmethod
    def at(cls, home: Path) -> "Tower":
        """With everything well."""
        tower = cls(Machine(home))
        tower.bin.mkdir(parents=True)
        source = Path(cluster_tools.__file__).read_text(encoding="utf-8")
        for one in TOOLS:
            tool = tower.bin / one
            tool.write_text(f"#!{sys.executable} -S\n{source}")
            tool.chmod(0o755)
        tower.machine.write(
            f'[files]\npath = ["{tower.bin}"]\nstate = "{home}/state"\n'
            '[backup]\ndeadline = "5m"\n[tower]\nnamespaces = ["joelclaw", "local-path-storage"]\n'
        )
        (home / ".kube").mkdir()
        (home / ".kube/config").write_text(kubeconfig())
        database(tower.bin / "pds/account.sqlite")
        tower.be()
        return tower

    @property
    def bin(self) -> Path:
        """Where the tools are."""
        return self.machine.home / "bin"

    @property
    def backups(self) -> Path:
        """Where backups are."""
        return self.machine.home / "state/backups"

    def be(self, *, moods: dict[str, str] | None = None, **changed: str) -> None:
        """Answer so from now on; keys of `changed` are written with `_` for a blank."""
        told = answers() | {key.replace("_", " "): one for key, one in changed.items()}
        state = {"answers": told, "moods": moods or {}}
        (self.bin / "state.json").write_text(json.dumps(state))

    def calls(self) -> list[list[str]]:
        """Every argument list that was ever used."""
        log = self.bin / "calls.jsonl"
        return [json.loads(one) for one in log.read_text().splitlines()] if log.exists() else []

    def folders(self) -> list[str]:
        """Names in the folder of backups."""
        return sorted(one.name for one in self.backups.iterdir() if one.name != ".lock")

    def only(self) -> Path:
        """The one backup there is."""
        (name,) = self.folders()
        return self.backups / name

    def without(self, tool: str) -> None:
        """Take a tool away."""
        (self.bin / tool).unlink()


def database(path: Path, rows: int = 500) -> None:
    """A SQLite database of some pages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as one, one:
        one.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE)")
        one.executemany("INSERT INTO t (b) VALUES (?)", [(f"row {i}" * 9,) for i in range(rows)])


def tear(path: Path) -> None:
    """Damage pages in its middle."""
    data = bytearray(path.read_bytes())
    data[8192:20480] = b"\xa5" * 12288
    path.write_bytes(data)


def parses(text: str) -> bool:
    """Whether the shell reads it."""
    shell = shutil.which("sh") or "/bin/sh"
    ran = subprocess.run([shell, "-n"], input=text, text=True, capture_output=True, check=False)
    return (0, "") == (ran.returncode, ran.stderr)
