"""Clusters of the set-up's contract: one that the adapter is served, and the simulated one."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from healer.adapters.kubernetes import KubernetesCluster
from healer.adapters.kubernetes_setup import KubernetesSetup
from healer.model.cluster import CONTROL_PLANE_TAINT, Pod
from healer.simulation.cluster_eyes import SimulatedCluster
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.physics import Tower
from healer.simulation.setup_eyes import SimulatedSetup
from tests.apiserver.server import ApiServer
from tests.apiserver.store import Key, now_stamp
from tests.cluster_objects import NODE, recorded
from tests.contracts.setup_contract import SECRET
from tests.fakes.tls import tls_server
from tests.unit.adapters.test_published import server

Json = dict[str, Any]

DEFAULT = "storageclass.kubernetes.io/is-default-class"
CORRUPT = (
    "1:M * Reading RDB base file on AOF loading...\n"
    "1:M # Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup "
    "of your AOF file, then use ./redis-check-aof --fix <filename>\n"
)
MOUNT = (
    'MountVolume.SetUp failed for volume "nas-nvme" : mount failed: exit status 32\n'
    "Mounting arguments: -t nfs -o nfsvers=3 192.168.1.163:/nvme /var/lib/kubelet/pods\n"
    "Output: mount.nfs: Connection timed out"
)


def workload(name: str, container: Json, namespace: str = "joelclaw") -> Json:
    """A Deployment or a StatefulSet of one replica that is up."""
    return {
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {
            "availableReplicas": 1,
            "conditions": [{"type": "Available", "status": "True"}],
        },
    }


def worker(**more: str) -> Json:
    """The worker, with a secret in its environment."""
    values = {"TOKEN": SECRET, "INNGEST_BASE_URL": f"http://u:{SECRET}@inngest:8288", **more}
    env = [{"name": name, "value": value} for name, value in values.items()]
    secret = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "k", "key": "k"}}}
    return workload("system-bus-worker", {"name": "worker", "env": [*env, secret]})


def inngest(host: str) -> Json:
    """Inngest, told where the worker is."""
    url = f"http://u:{SECRET}@{host}:3111/api/inngest?token={SECRET}"
    return workload("inngest", {"name": "inngest", "command": ["inngest", "start", "-u", url]})


def provisioner(*tolerations: Json) -> Json:
    """local-path-provisioner."""
    found = workload("local-path-provisioner", {"name": "main"}, "local-path-storage")
    found["spec"]["template"]["spec"]["tolerations"] = list(tolerations)
    return found


def static_pod(*flags: str) -> Json:
    """The mirror of the API server's own pod."""
    container = {"name": "kube-apiserver", "command": ["/usr/bin/kube-apiserver", *flags]}
    metadata = {"namespace": "kube-system", "name": f"kube-apiserver-{NODE}"}
    return {"metadata": metadata, "spec": {"containers": [container]}}


def storage_class(name: str) -> Json:
    """A default one."""
    return {"metadata": {"name": name, "annotations": {DEFAULT: "true"}}, "provisioner": name}


def flannel(image: str, **more: bool) -> tuple[Json, Json]:
    """Its DaemonSet and its ConfigMap, as Talos writes them."""
    place = {"namespace": "kube-system", "name": "kube-flannel"}
    volumes = [{"name": "cni", "hostPath": {"path": "/etc/cni"}}]
    volumes += [{"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}}]
    spec = {"containers": [{"name": "kube-flannel", "image": image}], "volumes": volumes}
    conf = {"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "Port": 4789}, **more}
    data = {"cni-conf.json": "{}", "net-conf.json": json.dumps(conf)}
    return (
        {"metadata": place, "spec": {"template": {"spec": spec}}},
        {"metadata": {**place, "name": "kube-flannel-cfg"}, "data": data},
    )


def redis_says(appendonly: str) -> bytes:
    """What a Redis 7 answers to the questions, in RESP 2."""
    said = b""
    for name, value in (
        ("appendonly", appendonly),
        ("save", "3600 1"),
        ("maxmemory-policy", "noeviction"),
        ("maxmemory", "0"),
    ):
        said += f"*2\r\n${len(name)}\r\n{name}\r\n${len(value)}\r\n{value}\r\n".encode()
    info = b"# Persistence\r\nrdb_last_bgsave_status:ok\r\naof_last_bgrewrite_status:ok\r\n"
    return said + b"$%d\r\n%s\r\n+OK\r\n" % (len(info), info)


@dataclass(slots=True)
class ServedSetup:
    """The adapter before the in-process API server, a Redis that recites, and a TLS server."""

    api: ApiServer
    eyes: KubernetesSetup
    cluster: KubernetesCluster
    stack: AsyncExitStack
    folder: Path
    appendonly: str = "yes"
    redis_port: int = 0
    talos_port: int = 0

    async def begin(self) -> None:
        """Everything as it should be."""
        api = self.api
        api.put("Node", recorded("node-ready"))
        label = {"pod-security.kubernetes.io/enforce": "privileged"}
        api.put("Namespace", {"metadata": {"name": "joelclaw", "labels": label}})
        api.put("Deployment", worker())
        api.put("StatefulSet", inngest("host.lima.internal"))
        toleration = {"key": CONTROL_PLANE_TAINT, "operator": "Exists", "effect": "NoSchedule"}
        api.put("Deployment", provisioner(toleration))
        api.put("StorageClass", storage_class("local-path"))
        api.put("Pod", static_pod("--service-node-port-range=1-65535"))
        self._put_flannel(*flannel("ghcr.io/siderolabs/flannel:v0.27.4"))
        available = {"conditions": [{"type": "Available", "status": "True"}]}
        metrics = {"name": "v1beta1.metrics.k8s.io"}
        api.put("APIService", {"metadata": metrics, "status": available})
        redis = {"namespace": "joelclaw", "name": "redis-0", "uid": "uid-redis"}
        api.put("Pod", {"metadata": redis, "spec": {}, "status": {}})
        self.redis_port = await self.stack.enter_async_context(server(self._redis))
        self.talos_port = await self.stack.enter_async_context(
            tls_server(api.authority, self.folder)
        )

    def _put_flannel(self, daemonset: Json, config_map: Json) -> None:
        self.api.put("DaemonSet", daemonset)
        self.api.put("ConfigMap", config_map)

    async def renew_flannel(self) -> None:
        """With the switch that Talos 1.14 sets."""
        image = "ghcr.io/siderolabs/flannel:v0.28.11"
        self._put_flannel(*flannel(image, EnableNFTables=True))

    async def _redis(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"QUIT\r\n")
        writer.write(redis_says(self.appendonly))
        await writer.drain()
        writer.close()

    async def redis_pod(self) -> Pod:
        """As the cluster's own eyes see it."""
        (found,) = [one for one in (await self.cluster.pods()).items if one.name == "redis-0"]
        return found

    async def name_k3d(self) -> None:
        """In the one variable."""
        self.api.put("Deployment", worker(INNGEST_BASE_URL="http://host.k3d.internal:8288"))

    async def move_worker(self) -> None:
        """By its long flag, in a shell's one string."""
        found = inngest("x")
        url = f"http://u:{SECRET}@old-mac.local:3111/api"
        words = {"args": ["sh", "-c", f"exec inngest start --sdk-url {url}"]}
        found["spec"]["template"]["spec"]["containers"] = [{"name": "inngest", **words}]
        self.api.put("StatefulSet", found)

    async def lose_label(self) -> None:
        """As `kubectl create namespace` leaves it."""
        self.api.put("Namespace", {"metadata": {"name": "joelclaw"}})

    async def second_default(self) -> None:
        """A chart's own."""
        self.api.put("StorageClass", storage_class("nfs"))

    async def shut_provisioner_out(self) -> None:
        """As its authors ship it, but for a toleration of something else."""
        self.api.put("Deployment", provisioner({"key": "dedicated", "operator": "Exists"}))

    async def lose_metrics(self) -> None:
        """It is taken away."""
        self.api.store.remove(Key("APIService", "", "v1beta1.metrics.k8s.io"))

    async def narrow_node_ports(self) -> None:
        """Without the flag."""
        self.api.put("Pod", static_pod("--secure-port=6443"))

    async def forget(self) -> None:
        """From now on."""
        self.appendonly = "no"

    async def silence_talos(self) -> None:
        """Another server, that hangs up."""

        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            del reader
            writer.close()

        self.talos_port = await self.stack.enter_async_context(server(rude))

    async def corrupt(self) -> None:
        """After some lines of another kind."""
        self.api.logs["redis-0"] = f"{SECRET}\n" * 100 + CORRUPT

    async def hang_mount(self) -> Pod:
        """Another pod's, beside a warning of another kind."""
        pod = {"namespace": "joelclaw", "name": "worker-1", "uid": "uid-worker"}
        self.api.put("Pod", {"metadata": pod, "spec": {}, "status": {}})
        for reason in ("FailedMount", "BackOff"):
            self.api.put(
                "Event",
                {
                    "metadata": {"namespace": "joelclaw", "name": f"worker-1.{reason}"},
                    "involvedObject": {"kind": "Pod", **pod},
                    "type": "Warning",
                    "reason": reason,
                    "message": MOUNT,
                    "lastTimestamp": now_stamp(),
                },
            )
        (found,) = [one for one in (await self.cluster.pods()).items if one.name == "worker-1"]
        return found

    async def die(self) -> None:
        """Its port is closed."""
        await self.api.stop()


@dataclass(slots=True)
class SimulatedWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedSetup = field(init=False)
    redis_port: int = 6379
    talos_port: int = 50_000

    def __post_init__(self) -> None:
        """Look at that tower."""
        self.eyes = SimulatedSetup(self.tower)

    def _befall(self, name: str, **parameters: str) -> None:
        HAPPENINGS[name].befall(self.tower, **parameters)

    async def _pod(self, start: str) -> Pod:
        pods = (await SimulatedCluster(self.tower).pods()).items
        (found,) = [one for one in pods if one.name.startswith(start)]
        return found

    async def redis_pod(self) -> Pod:
        """As it is now."""
        return await self._pod("redis")

    async def name_k3d(self) -> None:
        """By its happening, as all that follow."""
        self._befall("k3d_host_named")

    async def move_worker(self) -> None:
        """Into the cluster."""
        self._befall("inngest_looks_elsewhere")

    async def lose_label(self) -> None:
        """Made anew."""
        self._befall("pod_security_label_lost")

    async def second_default(self) -> None:
        """A chart's."""
        self._befall("two_default_classes")

    async def shut_provisioner_out(self) -> None:
        """Installed anew."""
        self._befall("provisioner_shut_out")

    async def lose_metrics(self) -> None:
        """Gone."""
        self._befall("metrics_server_gone")

    async def renew_flannel(self) -> None:
        """Deployed anew."""
        self.tower.cluster.flannel.nftables = True

    async def narrow_node_ports(self) -> None:
        """Made anew."""
        self._befall("node_ports_narrow")

    async def forget(self) -> None:
        """Another configuration."""
        self._befall("redis_forgets")

    async def silence_talos(self) -> None:
        """apid is dead."""
        self._befall("talos_api_dead")

    async def corrupt(self) -> None:
        """And it has ended once."""
        self._befall("aof_corrupt")
        while not self.tower.cluster.kubelet.named("redis").restarts:
            await anyio.sleep(1.0)
            self.tower.now()

    async def hang_mount(self) -> Pod:
        """The worker's."""
        self._befall("mount_hangs")
        return await self._pod("system-bus-worker")

    async def die(self) -> None:
        """The API server is gone."""
        self.tower.cluster.api.up = False
