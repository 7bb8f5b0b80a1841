"""The half of the plan that puts the backup back into the new cluster."""

from collections.abc import Mapping
from typing import Final

from healer.plans import names
from healer.plans.paper import Paper, Word, compact
from healer.plans.tower import PSA, Kept, Release, Tower

_PROVISIONER: Final = "local-path-storage"
_TOLERATION: Final = {
    "key": "node-role.kubernetes.io/control-plane",
    "operator": "Exists",
    "effect": "NoSchedule",
}
_PRIVILEGED: Final = {f"{PSA}enforce": "privileged"}
_HELPER: Final = "pds-restore"


def restore(paper: Paper, tower: Tower) -> None:
    """Namespaces and storage first, then objects, releases and the PDS's data."""
    kept = tower.kept
    if kept is None:
        paper.heading("Namespaces, storage, objects, releases")
        paper.say("Nothing is known of them without a backup.")
        return
    where = tower.where
    cluster = ("kubectl", "--kubeconfig", where.kubeconfig, "--context", f"admin@{where.cluster}")
    _namespaces(paper, kept, cluster)
    _storage(paper, kept, cluster)
    _objects(paper, kept, cluster)
    _releases(paper, kept, tower)
    _pds(paper, kept, cluster)


def _namespaces(paper: Paper, kept: Kept, cluster: tuple[str, ...]) -> None:
    paper.heading("Namespaces with their pod security, before any pod")
    paper.run(*cluster, "apply", "--filename", f"{kept.folder}/{names.CLUSTER}")
    paper.trap(
        "Talos enforces the baseline everywhere but in kube-system: without these labels pods with "
        "hostNetwork or hostPath are refused, and only their owners' events say so."
    )
    ours = {_PROVISIONER: _PRIVILEGED} if _PROVISIONER in kept.objects else {}
    labels = {**ours, **kept.labels}
    for namespace in sorted(labels):
        _label(paper, cluster, namespace, labels[namespace])


def _label(
    paper: Paper, cluster: tuple[str, ...], namespace: str, labels: Mapping[str, str]
) -> None:
    pairs = [f"{key}={value}" for key, value in sorted(labels.items())]
    paper.run(*cluster, "label", "namespace", namespace, *pairs, "--overwrite")


def _storage(paper: Paper, kept: Kept, cluster: tuple[str, ...]) -> None:
    paper.heading("Storage: the provisioner, its toleration, the default class")
    if _PROVISIONER in kept.objects:
        file = f"{kept.folder}/{names.objects_of(_PROVISIONER)}"
        paper.run(*cluster, "apply", "--filename", file)
    else:
        paper.say("The backup has no local-path-provisioner.")
        manifest = paper.ask("PROVISIONER", "the manifest of local-path-provisioner, a file")
        paper.run(*cluster, "apply", "--filename", manifest)
        _label(paper, cluster, _PROVISIONER, _PRIVILEGED)
    paper.trap("the provisioner does not tolerate the control-plane taint: claims stay Pending.")
    patch = {"spec": {"template": {"spec": {"tolerations": [_TOLERATION]}}}}
    where = ("--namespace", _PROVISIONER)
    deployment = "deployment/local-path-provisioner"
    paper.run(*cluster, "patch", deployment, *where, "--patch", compact(patch))
    paper.run(*cluster, "rollout", "status", deployment, *where, "--timeout=300s")
    paper.trap("claims that name no class stay Pending without a default one.")
    default = {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
    for name in kept.default_classes or ("local-path",):
        paper.run(*cluster, "patch", "storageclass", name, "--patch", compact(default))


def _objects(paper: Paper, kept: Kept, cluster: tuple[str, ...]) -> None:
    paper.heading("Objects of each namespace, without Helm's")
    paper.trap(
        "a Service's node port must equal the container's port that Docker publishes, "
        "or the Mac's port leads nowhere."
    )
    for namespace in kept.objects:
        if namespace != _PROVISIONER:
            file = f"{kept.folder}/{names.objects_of(namespace)}"
            paper.run(*cluster, "apply", "--namespace", namespace, "--filename", file)


def _releases(paper: Paper, kept: Kept, tower: Tower) -> None:
    paper.heading("Helm releases, with the values of the backup")
    paper.trap("values hold secrets: read them where they are, at 0600, and copy them nowhere.")
    for name, url in kept.repositories:
        paper.run("helm", "repo", "add", name, url, "--force-update")
    if kept.repositories:
        paper.run("helm", "repo", "update")
    for one in kept.releases:
        _release(paper, one, kept, tower)


def _release(paper: Paper, one: Release, kept: Kept, tower: Tower) -> None:
    where = tower.where
    chart: Word = one.chart
    if not one.chart:
        variable = (
            "CHART_"
            + "".join(
                each if each.isalnum() and each.isascii() else "_" for each in one.name
            ).upper()
        )
        chart = paper.ask(variable, f"the chart of {one.name}, as repository and name")
    words: list[Word] = ["helm", "--kubeconfig", where.kubeconfig]
    words += ["--kube-context", f"admin@{where.cluster}", "upgrade", "--install", one.name, chart]
    words += ["--namespace", one.namespace]
    if one.version:
        words += ["--version", one.version]
    if one.values:
        words += ["--values", f"{kept.folder}/{one.values}"]
    else:
        paper.say(f"The backup has no values of {one.namespace}/{one.name}.")
    if (one.namespace, one.name) == where.livekit[:2]:
        words += ["--set", "deploymentStrategy.type=Recreate"]
        paper.trap("two LiveKits never fit one node's ports: Recreate, and no rolling update.")
    paper.run(*words)


def _pds(paper: Paper, kept: Kept, cluster: tuple[str, ...]) -> None:
    if not kept.pds:
        return
    namespace, deployment = kept.pds["namespace"], f"deployment/{kept.pds['deployment']}"
    paper.heading("The PDS's data, while no PDS has it open")
    claim: Word = kept.pds["claim"]
    if not claim:
        paper.say("The claim could not be told from the pod.")
        asked = paper.ask("PDS_CLAIM", "the name of the claim of the PDS")
        paper.say(f"Put {kept.folder}/{names.PDS} into the volume of that claim by hand.")
        paper.run(*cluster, "get", "persistentvolumeclaim", asked, "--namespace", namespace)
        return
    where = ("--namespace", namespace)
    pod = f"pod/{_HELPER}"
    paper.run(*cluster, "scale", deployment, *where, "--replicas=0")
    paper.run(*cluster, "rollout", "status", deployment, *where, "--timeout=120s")
    spec = compact(_helper(str(claim), kept.pds["path"]))
    image = "--image=busybox"
    paper.run(*cluster, "run", _HELPER, *where, image, "--restart=Never", f"--overrides={spec}")
    paper.run(*cluster, "wait", "--for=condition=Ready", pod, *where, "--timeout=120s")
    source, target = f"{kept.folder}/{names.PDS}/.", f"{namespace}/{_HELPER}:{kept.pds['path']}"
    paper.run(*cluster, "cp", source, target)
    paper.run(*cluster, "delete", pod, *where)
    paper.run(*cluster, "scale", deployment, *where, "--replicas=1")


def _helper(claim: str, path: str) -> dict[str, object]:
    """A pod that does nothing but hold the volume."""
    container = {
        "name": _HELPER,
        "image": "busybox",
        "command": ["sleep", "3600"],
        "volumeMounts": [{"name": "data", "mountPath": path}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claim}}
    spec = {"containers": [container], "volumes": [volume], "tolerations": [_TOLERATION]}
    return {"spec": spec}
