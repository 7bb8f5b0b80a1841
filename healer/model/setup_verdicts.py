"""What is to be said of how the cluster was set up: each finding with the command that mends it."""

import json
import shlex
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.model.cluster import CONTROL_PLANE_TAINT
from healer.model.setup import (
    K3D_HOST,
    Addressing,
    MetricsApi,
    Provisioner,
    RedisSettings,
    StorageClass,
    outside_range,
    service_named,
)
from healer.model.talos_config import API_SERVER, TalosConfig, api_server_range, command, either

ENFORCE: Final = "pod-security.kubernetes.io/enforce"
PRIVILEGED: Final = "privileged"
DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
PROVISIONER: Final = ("local-path-storage", "local-path-provisioner")
LASTING: Final = 600.0
"""Seconds after which what a boot brings back by itself has not come back."""
_NODE: Final = "10.5.0.2"
"""Talos' own address in its Docker network (facts/incidents.md §6)."""
_PROVISIONER_AT: Final = (
    "https://raw.githubusercontent.com/rancher/local-path-provisioner/v0.0.31/deploy/"
    "local-path-storage.yaml"
)
_METRICS_AT: Final = (
    "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
)
_INSECURE: Final = [
    {
        "op": "add",
        "path": "/spec/template/spec/containers/0/args/-",
        "value": "--kubelet-insecure-tls",
    }
]
"""Talos' kubelets sign their own serving certificates unless they are told otherwise."""


def of_addressing(
    found: Iterable[Addressing],
    worker: Sequence[str],
    services: Collection[tuple[str, str]] = (),
) -> tuple[Finding, ...]:
    """Variables that name k3d's host, and addresses at which there is no worker.

    A Service of the cluster, of which `services` has namespace and name, may well lead to it.
    """
    said: list[Finding] = []
    for one in found:
        said += _k3d(one, worker)
        said += _elsewhere(one, worker, services)
    return tuple(said)


def _k3d(found: Addressing, worker: Sequence[str]) -> Iterable[Finding]:
    """The fix goes through a pipe: no value is shown to whoever types it."""
    host = worker[0].rpartition(":")[0] if worker else "host.lima.internal"
    for one in found.mentions:
        place = one.place
        namespaced = f"kubectl -n {place.namespace}"
        yield Finding(
            Reason.ENV_NAMES_K3D,
            f"{place.words}: the variable {one.variable} names {K3D_HOST}, "
            "which no DNS but k3d's knows",
            target=f"{place.namespace}/{place.workload} {one.variable}",
            owner=f"{place.namespace}/{place.kind}/{place.name}",
            advice=f"{namespaced} get {place.workload} -o yaml | "
            f"sed 's/{K3D_HOST.replace('.', '[.]')}/{host}/g' | {namespaced} replace -f -",
        )


def _elsewhere(
    found: Addressing, worker: Sequence[str], services: Collection[tuple[str, str]]
) -> Iterable[Finding]:
    for one in found.addresses if worker else ():
        if one.words in worker or service_named(one.host, one.place.namespace) in services:
            continue
        place = one.place
        change = f"set {one.said_by} to http://{worker[0]}"
        command = f"kubectl -n {place.namespace} edit {place.workload} ({change})"
        if not one.said_by.startswith("-"):
            command = (
                f"kubectl -n {place.namespace} set env {place.workload} -c {place.container} "
                f"{one.said_by}=http://{worker[0]}"
            )
        yield Finding(
            Reason.WORKER_ADDRESS,
            f"{place.words}: {one.said_by} says {one.words}, and the worker is at {worker[0]}",
            target=f"{place.namespace}/{place.workload} {one.said_by}",
            fingerprint=one.words,
            owner=f"{place.namespace}/{place.kind}/{place.name}",
            advice=f"{command}, with its path; or add {one.words} to setup.worker",
        )


def of_pod_security(namespace: str, enforced: str | None) -> tuple[Finding, ...]:
    """`enforced` is the label's value, '' without one; None = there is no such namespace."""
    if enforced in {None, PRIVILEGED}:
        return ()
    has = f"enforces {enforced}" if enforced else f"has no label {ENFORCE}"
    return (
        Finding(
            Reason.POD_SECURITY,
            f"the namespace {namespace} {has}, so new pods with host paths are refused",
            target=namespace,
            fingerprint=enforced or "",
            advice=f"kubectl label --overwrite namespace {namespace} {ENFORCE}={PRIVILEGED}",
        ),
    )


def of_storage_classes(found: Sequence[StorageClass], wanted: str) -> tuple[Finding, ...]:
    """Exactly one default, and that one."""
    defaults = sorted(one.name for one in found if one.default)
    if defaults == [wanted]:
        return ()
    annotate = "kubectl annotate --overwrite storageclass"
    if all(one.name != wanted for one in found):
        return (_storage(f"there is no StorageClass {wanted}", defaults, _apply(_PROVISIONER_AT)),)
    commands = [f"{annotate} {one} {DEFAULT_CLASS}-" for one in defaults if one != wanted]
    if wanted not in defaults:
        commands.append(f"{annotate} {wanted} {DEFAULT_CLASS}=true")
    said = f"the default StorageClass is {' and '.join(defaults) or 'none'}, wanted {wanted} alone"
    return (_storage(said, defaults, " && ".join(commands)),)


def _storage(evidence: str, defaults: Sequence[str], advice: str) -> Finding:
    return Finding(Reason.STORAGE_CLASS, evidence, fingerprint=",".join(defaults), advice=advice)


def of_provisioner(found: Provisioner | None) -> tuple[Finding, ...]:
    """Present, available, and not kept away by the control plane's taint."""
    name = "/".join(PROVISIONER)
    if found is None:
        return (_provisioner(f"there is no Deployment {name}", "absent", _apply(_PROVISIONER_AT)),)
    said: list[Finding] = []
    in_namespace = f"kubectl -n {PROVISIONER[0]}"
    if found.available < found.desired and found.ill_for > LASTING:
        evidence = f"{name} has had no available pod for more than {LASTING / 60:.0f} min"
        said.append(
            _provisioner(evidence, "unavailable", f"{in_namespace} describe pods; then its events")
        )
    if not found.desired:
        command = f"{in_namespace} scale deployment {PROVISIONER[1]} --replicas=1"
        said.append(_provisioner(f"{name} is scaled to zero", "scaled", command))
    if not found.tolerates:
        evidence = f"{name} does not tolerate {CONTROL_PLANE_TAINT}, which Talos puts back"
        said.append(_provisioner(evidence, "taint", _tolerate(found.tolerations)))
    return tuple(said)


def _tolerate(others: int) -> str:
    toleration = {"key": CONTROL_PLANE_TAINT, "operator": "Exists", "effect": "NoSchedule"}
    path = "/spec/template/spec/tolerations"
    step: dict[str, object] = {"op": "add", "path": path, "value": [toleration]}
    if others:
        step = {"op": "add", "path": f"{path}/-", "value": toleration}
    return _patch(*PROVISIONER, [step])


def _provisioner(evidence: str, target: str, advice: str) -> Finding:
    return Finding(Reason.PROVISIONER, evidence, target=target, advice=advice)


def _patch(namespace: str, deployment: str, steps: object) -> str:
    patch = shlex.quote(json.dumps(steps))
    return f"kubectl -n {namespace} patch deployment {deployment} --type=json -p {patch}"


def _apply(url: str) -> str:
    return f"kubectl apply -f {url}"


def of_metrics(found: MetricsApi | None) -> tuple[Finding, ...]:
    """None = nothing ever registered it."""
    install = f"{_apply(_METRICS_AT)} && {_patch('kube-system', 'metrics-server', _INSECURE)}"
    if found is None:
        evidence = "there is no API v1beta1.metrics.k8s.io: metrics-server is not installed"
        return (Finding(Reason.METRICS_ABSENT, evidence, advice=install),)
    if found.available or found.ill_for <= LASTING:
        return ()
    return (
        Finding(
            Reason.METRICS_ABSENT,
            f"v1beta1.metrics.k8s.io is not available: {found.why}",
            fingerprint="unavailable",
            advice="kubectl -n kube-system logs deployment/metrics-server; kubelets that sign "
            f"their own certificates: {_patch('kube-system', 'metrics-server', _INSECURE)}",
        ),
    )


def of_node_ports(
    said: str, wanted: Iterable[int], config: TalosConfig | None = None
) -> tuple[Finding, ...]:
    """Whether every NodePort that is wanted may be given (a recreation may lose the flag).

    The form of the machine config decides the command; None = it could not be read.
    """
    left_out = outside_range(wanted, said)
    if not left_out:
        return ()
    ports = ", ".join(map(str, left_out))
    old, new = (api_server_range("1-65535", documents=one) for one in (False, True))
    if config is None:
        advice = either(old, new, API_SERVER)
    else:
        advice = command(new if config.of(API_SERVER) else old)
    return (
        Finding(
            Reason.NODE_PORT_RANGE,
            f"the API server gives NodePorts of {said} only, which leaves out {ports}",
            fingerprint=said,
            advice=advice,
        ),
    )


def of_redis(
    port: int, found: RedisSettings, policy: str | None, *, appendonly: bool
) -> tuple[Finding, ...]:
    """What a crash or a full memory would make it lose."""
    said: list[Finding] = []
    command = f"redis-cli -p {port} config set"
    kept = f"; with save {found.save!r}" if found.save else "; and it takes no snapshots"
    if appendonly and found.appendonly != "yes":
        evidence = f"appendonly is {found.appendonly}{kept}: a crash loses what was queued"
        said.append(_redis(port, "appendonly", evidence, f"{command} appendonly yes"))
    if policy is not None and found.policy != policy:
        limit = f"maxmemory {found.maxmemory}" if found.maxmemory else "no maxmemory yet"
        evidence = f"maxmemory-policy is {found.policy}, wanted {policy} ({limit})"
        said.append(_redis(port, "policy", evidence, f"{command} maxmemory-policy {policy}"))
    for what, word, again in (
        ("rewrite of the append-only file", found.rewrite, "bgrewriteaof"),
        ("snapshot", found.snapshot, "bgsave"),
    ):
        if word != "ok":
            evidence = f"its last {what} ended with {word}"
            advice = f"free room for it, then: redis-cli -p {port} {again}"
            said.append(_redis(port, again, evidence, advice))
    return tuple(said)


def _redis(port: int, what: str, evidence: str, advice: str) -> Finding:
    lasting = "; and in its manifest, or its next start forgets it"
    return Finding(
        Reason.REDIS_SETTINGS,
        f"Redis on port {port}: {evidence}",
        target=f"{port} {what}",
        advice=f"{advice}{lasting if 'config set' in advice else ''}",
    )


def of_talos(port: int, words: str) -> tuple[Finding, ...]:
    """`words` are what was heard instead of a handshake."""
    return (
        Finding(
            Reason.TALOS_API_SILENT,
            f"Talos' own API speaks no TLS on port {port}: {words}",
            target=str(port),
            advice=f"talosctl -n {_NODE} version; the rest of the cluster goes on without it, and "
            "a restart of the container brings it back when nothing is in use",
        ),
    )
