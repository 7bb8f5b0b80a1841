"""How LiveKit's Deployment differs from what can work here (facts/talos-kubernetes.md §6).

With hostNetwork, and NodePorts on the very ports it listens on, the kubelet's probes of the
pod's address are rejected while it is not ready, so it never gets ready; loopback is not
covered by that rule. And two replicas never fit one node, so a rolling update blocks itself.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from healer.model.cluster import Deployment
from healer.model.pod_parts import Json, condition, items, part
from healer.model.stamps import epoch

CONTAINER: Final = "livekit-server"
PORT: Final = 7880
PORT_NAME: Final = "http"

SETTLE: Final = 60.0
"""Seconds for which a LiveKit that was Ready a moment ago is waited for: a patch ends calls."""

_HTTP: Final[Mapping[str, Any]] = MappingProxyType(
    {"host": "127.0.0.1", "path": "/", "port": PORT, "scheme": "HTTP"}
)
_WANTED: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "startupProbe": MappingProxyType(
            {"periodSeconds": 5, "failureThreshold": 24, "timeoutSeconds": 1}
        ),
        "livenessProbe": MappingProxyType(
            {
                "initialDelaySeconds": 30,
                "periodSeconds": 10,
                "failureThreshold": 6,
                "timeoutSeconds": 1,
            }
        ),
        "readinessProbe": MappingProxyType(
            {
                "initialDelaySeconds": 10,
                "periodSeconds": 5,
                "failureThreshold": 6,
                "timeoutSeconds": 1,
            }
        ),
    }
)
"""The owner's numbers: 120 s to start, a minute of grace after that."""
_DEFAULTS: Final[Mapping[str, int]] = MappingProxyType(
    {"initialDelaySeconds": 0, "periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}
)
"""What the API server fills in where a probe says nothing."""
_KILLING: Final = frozenset({"startupProbe", "livenessProbe"})
_KILL_GRACE: Final = 30
"""Seconds of grace for a kill by a probe; the pod's own 18000 s would drain for five hours
(livekit/livekit#4663). Set along with another change, never a reason for one."""
_OTHER_HANDLERS: Final = ("exec", "grpc", "tcpSocket")


class PatchWhen(StrEnum):
    """When drift may be mended: a patch is a rollout, and with Recreate an outage of all calls."""

    NOT_READY = "not_ready"
    ALWAYS = "always"


def drift(raw: Json, container: str = CONTAINER) -> Json:
    """The strategic merge patch from a Deployment's JSON to the wanted shape; {} = none.

    Holds only what differs once the API's defaults are applied. A Deployment without
    hostNetwork or without that container has no drift: a probe of loopback would mean
    nothing there.
    """
    pod = part(raw, "spec", "template", "spec")
    found = next((one for one in items(pod, "containers") if one.get("name") == container), None)
    if found is None or pod.get("hostNetwork") is not True:
        return {}
    spec: Json = _strategy(part(raw, "spec", "strategy"))
    probes = {name: change for name in _WANTED if (change := _probe(found, name))}
    if probes:
        spec["template"] = {"spec": {"containers": [{"name": container, **probes}]}}
    return {"spec": spec} if spec else {}


def _strategy(strategy: Json) -> Json:
    """Without the null the API answers 422: the live object has a rollingUpdate."""
    if strategy.get("type") == "Recreate":
        return {}
    return {"strategy": {"type": "Recreate", "rollingUpdate": None}}


def _probe(container: Json, name: str) -> Json:
    probe = part(container, name)
    change: Json = {
        key: value
        for key, value in _WANTED[name].items()
        if probe.get(key, _DEFAULTS[key]) != value or not probe
    }
    http = _http(container, part(probe, "httpGet"))
    if http:
        change["httpGet"] = http
    change.update({handler: None for handler in _OTHER_HANDLERS if probe.get(handler)})
    if change and name in _KILLING and "terminationGracePeriodSeconds" not in probe:
        change["terminationGracePeriodSeconds"] = _KILL_GRACE
    return change


def _http(container: Json, http: Json) -> Json:
    """What differs of the handler; whole where there was none."""
    named = _port_number(container, PORT_NAME) == PORT
    now = {
        "host": http.get("host", ""),
        "path": http.get("path", "/" if http else ""),
        "port": _port_number(container, http.get("port")),
        "scheme": http.get("scheme", "HTTP" if http else ""),
    }
    change = {key: value for key, value in _HTTP.items() if now[key] != value}
    if "port" in change and named:
        change["port"] = PORT_NAME
    return change


def _port_number(container: Json, port: object) -> object:
    """A named port as its number, so that `http` equals 7880."""
    ports = {one.get("name"): one.get("containerPort") for one in items(container, "ports")}
    return ports.get(port, port) if isinstance(port, str) else port


def in_words(patch: Json) -> str:
    """A patch as `strategy.type=Recreate, startupProbe.periodSeconds=5, …`."""
    spec = part(patch, "spec")
    containers = items(spec, "template", "spec", "containers")
    changed = [part(spec, "strategy"), *containers]
    prefixes = ["strategy.", *("" for _ in containers)]
    words = [
        word for prefix, one in zip(prefixes, changed, strict=True) for word in _words(one, prefix)
    ]
    return ", ".join(word for word in words if not word.startswith("name="))


def _words(change: Json, prefix: str) -> Iterator[str]:
    for key, value in change.items():
        if isinstance(value, dict):
            yield from _words(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={'(removed)' if value is None else value}"


def is_ready(deployment: Deployment) -> bool:
    """Whether as many pods are Ready as are wanted, of the generation that is there now."""
    return (
        deployment.ready >= deployment.desired
        and deployment.observed_generation >= deployment.generation
    )


def is_paused(deployment: Deployment) -> bool:
    """Whether somebody paused its rollout: changes of its template have no effect meanwhile."""
    return part(deployment.raw, "spec").get("paused") is True


def rollout_left(deployment: Deployment) -> str:
    """What its newest template still lacks, as `kubectl rollout status` counts it; '' = nothing.

    `readyReplicas` alone proves nothing: it counts pods of every template.
    """
    status = part(deployment.raw, "status")
    updated, total = int(status.get("updatedReplicas") or 0), int(status.get("replicas") or 0)
    if updated < deployment.desired:
        return f"{updated} of {deployment.desired} pods have its newest template"
    if total > updated:
        return f"{total - updated} pods of an older template are left"
    return ""


def patch_in(raw: Json, now: float) -> float:
    """Seconds for which it may yet get Ready by itself, by the server's clock.

    Counted from when it was last available; a Deployment that says nothing of it is not
    waited for.
    """
    available = condition(raw, "Available")
    since = epoch(available.get("lastTransitionTime"))
    if since is None or available.get("status") == "True":
        return 0.0
    return max(0.0, since + SETTLE - now)
