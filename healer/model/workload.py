"""Whose pod is this: the workload at the top, and the template that it was made of."""

import re
from typing import Final

from healer.model.cluster import DaemonSet, Deployment, Pod

_SCHEDULED: Final = re.compile(r"-\d{8}$")
"""A CronJob names its Jobs by its own name and the scheduled minute since 1970."""

_HASHES: Final = ("pod-template-hash", "controller-revision-hash", "controller-uid")
"""Labels that the controllers of Deployments, StatefulSets and DaemonSets, and Jobs write."""


def workload_of(pod: Pod) -> str:
    """`namespace/Kind/name` of the top workload; a bare pod is its own.

    A Deployment names its ReplicaSets by its own name and the hash that it also puts on the
    pods, so no second question to the API is needed.
    """
    if pod.owner is None:
        return f"{pod.namespace}/Pod/{pod.name}"
    kind, name = pod.owner.kind, pod.owner.name
    suffix = "-" + pod.labels.get("pod-template-hash", "")
    if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix):
        kind, name = "Deployment", name.removesuffix(suffix)
    elif kind == "Job" and _SCHEDULED.search(name):
        kind, name = "CronJob", _SCHEDULED.sub("", name)
    return f"{pod.namespace}/{kind}/{name}"


def template_of(pod: Pod) -> str:
    """The hash of the template it was made of; another hash is news, another pod is not.

    A CronJob's Jobs all come of one template, and a bare pod of none.
    """
    if "/CronJob/" in workload_of(pod):
        return ""
    return next((pod.labels[one] for one in _HASHES if one in pod.labels), pod.uid)


def is_of_daemonset(pod: Pod, daemonset: DaemonSet) -> bool:
    """Whether that DaemonSet made it."""
    return pod.owner is not None and pod.owner.uid == daemonset.uid


def is_of_deployment(pod: Pod, deployment: Deployment) -> bool:
    """Whether that Deployment made it, through a ReplicaSet."""
    return workload_of(pod) == f"{deployment.namespace}/Deployment/{deployment.name}"
