"""How a cluster differs from what was meant: the reference's known issues, and drift."""

from dataclasses import replace

from healer.core.tower import Layer
from healer.simulation.happening import Happening, fault
from healer.simulation.physics import Tower


def _k3d_named(tower: Tower) -> None:
    tower.cluster.setup.k3d_named = True
    tower.tell("the worker's manifest of the old k3d cluster is applied")


def _metrics_server_gone(tower: Tower) -> None:
    tower.cluster.setup.metrics_server = False
    tower.tell("metrics-server is not there any more")


def _inngest_looks_elsewhere(tower: Tower) -> None:
    tower.cluster.setup.worker_at = ("old-mac.local", 3111)
    tower.tell("Inngest is told to look for the worker on another Mac")


def _label_lost(tower: Tower) -> None:
    tower.cluster.setup.enforced["joelclaw"] = ""
    tower.tell("the namespace was made anew, without its label")


def _two_defaults(tower: Tower) -> None:
    tower.cluster.setup.default_classes = ("local-path", "nfs")
    tower.tell("a chart makes its own StorageClass the default as well")


def _provisioner_shut_out(tower: Tower) -> None:
    tower.cluster.kubelet.named("local-path-provisioner").tolerates = False
    tower.tell("local-path-provisioner is installed anew, as its authors ship it")


def _node_ports_narrow(tower: Tower) -> None:
    tower.cluster.setup.node_ports = "30000-32767"
    tower.tell("the cluster was made without its range of NodePorts")


def _redis_forgets(tower: Tower) -> None:
    setup = tower.cluster.setup
    setup.redis = replace(setup.redis, appendonly="no", policy="allkeys-lru", maxmemory=1 << 28)
    tower.tell("Redis runs with a configuration that keeps nothing")


def _talos_api_dead(tower: Tower) -> None:
    tower.cluster.setup.talos_api = False
    tower.tell("Talos' apid answers no more")


FAULTS_OF_THE_SETUP: tuple[Happening, ...] = (
    fault(
        "k3d_host_named",
        Layer.PODS,
        _k3d_named,
        "A worker's environment names host.k3d.internal, which nothing here resolves; advisory.",
    ),
    fault(
        "metrics_server_gone",
        Layer.APISERVER,
        _metrics_server_gone,
        "metrics-server is not installed; advisory.",
    ),
    fault(
        "inngest_looks_elsewhere",
        Layer.PODS,
        _inngest_looks_elsewhere,
        "Inngest looks for the worker where it is not; advisory.",
    ),
    fault(
        "pod_security_label_lost",
        Layer.PODS,
        _label_lost,
        "A namespace enforces Talos' own pod security again; advisory.",
    ),
    fault(
        "two_default_classes",
        Layer.PODS,
        _two_defaults,
        "Two StorageClasses are the default; advisory.",
    ),
    fault(
        "provisioner_shut_out",
        Layer.PODS,
        _provisioner_shut_out,
        "local-path-provisioner does not tolerate the control plane's taint (talos §2); advisory.",
    ),
    fault(
        "node_ports_narrow",
        Layer.APISERVER,
        _node_ports_narrow,
        "The API server gives NodePorts of the default range alone (incidents §5.16); advisory.",
    ),
    fault(
        "redis_forgets",
        Layer.SERVICES,
        _redis_forgets,
        "Redis keeps no append-only file, and may throw keys away; advisory.",
    ),
    fault(
        "talos_api_dead",
        Layer.TALOS,
        _talos_api_dead,
        "Talos' apid does not answer, while Kubernetes is well; advisory.",
    ),
)
