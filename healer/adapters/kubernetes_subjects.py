"""What is watched in the cluster, whom it wakes, and which of its changes are news."""

from collections.abc import Mapping
from typing import Any, Final

from healer.adapters import kubernetes_decode as decode
from healer.adapters.kubernetes_digests import Digest
from healer.adapters.kubernetes_watch import Subject
from healer.adapters.pod_store import PODS
from healer.core.tower import Layer

CORDONED: Final = "talos.dev/cordoned"
"""The one annotation that a probe reads; flannel and Talos write others now and then."""
_NODE: Final = frozenset({Layer.NODE, Layer.TALOS})
_FLANNEL: Final = frozenset({Layer.FLANNEL})
_LIVEKIT: Final = frozenset({Layer.LIVEKIT})

ALL_PODS: Final = Subject(PODS, frozenset({Layer.PODS, Layer.FLANNEL, Layer.LIVEKIT}))


def subjects_of(
    node: str, flannel: tuple[str, str], livekit: tuple[str, str]
) -> tuple[tuple[Subject, Digest], ...]:
    """The node, two workloads, and the one kind of warning that flannel is judged by.

    One link among them tells of the API server itself: its end may be the server's.
    """
    server = frozenset({Layer.APISERVER})
    return (
        (
            Subject("/api/v1/nodes", _NODE, {"fieldSelector": f"metadata.name={node}"}, server),
            _node,
        ),
        (
            Subject(
                f"/apis/apps/v1/namespaces/{flannel[0]}/daemonsets",
                _FLANNEL,
                {"fieldSelector": f"metadata.name={flannel[1]}"},
            ),
            decode.daemonset,
        ),
        (
            Subject(
                f"/apis/apps/v1/namespaces/{livekit[0]}/deployments",
                _LIVEKIT,
                {"fieldSelector": f"metadata.name={livekit[1]}"},
            ),
            _deployment,
        ),
        (
            Subject(
                "/api/v1/events",
                _FLANNEL,
                {"fieldSelector": "type=Warning,reason=FailedCreatePodSandBox"},
            ),
            decode.event,
        ),
    )


def _node(raw: Mapping[str, Any]) -> object:
    """A heartbeat alone is no news: kubelet writes one at least each five minutes."""
    found = decode.node(raw)
    conditions = [(one.type, one.status, one.reason, one.message) for one in found.conditions]
    cordoned = found.annotations.get(CORDONED)
    return (found.uid, found.taints, found.unschedulable, cordoned, conditions)


def _deployment(raw: Mapping[str, Any]) -> object:
    """A new generation is a changed spec; the counts tell of readiness."""
    found = decode.deployment(raw)
    return (found.uid, found.generation, found.desired, found.ready)
