"""How the cluster was set up, as far as healer may know it: never a value of an environment.

Variables hold secrets, so of them only names come this far; of an address host and port alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from healer.model.pod_parts import items, part

Json = dict[str, Any]

K3D_HOST: Final = "host.k3d.internal"
"""A name that k3d's own DNS answers, and no other cluster's (the reference, known issue 1)."""
DEFAULT_NODE_PORTS: Final = "30000-32767"
"""kube-apiserver's --service-node-port-range where nothing else is said."""
_RANGE_FLAG: Final = "--service-node-port-range"
_SERVED_AT: Final = frozenset({"INNGEST_SERVE_HOST", "INNGEST_SERVE_ORIGIN"})
"""Where a worker tells Inngest to call it back."""
_APPS: Final = "INNGEST_SDK_URL"
_INNGEST: Final = "inngest"
_FLAGS: Final = re.compile(r"(?:^|\s)(--sdk-url|-u)[=\s]\s*[\"']?([^\s\"']+)")
"""Flags of `inngest start` that name its apps; a shell's one string holds them as well."""
_PORTS: Final = {"http": 80, "https": 443}
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WITH_NAMESPACE: Final = 2
"""Words of `service.namespace`; what follows is `svc` and the cluster's domain."""
_PAIR: Final = re.compile(r"(\d{1,5})-(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """A container of a workload."""

    namespace: str
    kind: str
    name: str
    container: str

    @property
    def workload(self) -> str:
        """`statefulset/redis`, as kubectl takes it."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def words(self) -> str:
        """As people read it."""
        return f"{self.kind} {self.namespace}/{self.name}, container {self.container}"


@dataclass(frozen=True, slots=True)
class Mention:
    """A variable whose value names k3d's host."""

    place: Place
    variable: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a container looks for the worker, or says that it is."""

    place: Place
    said_by: str
    """The variable or the flag."""
    host: str
    port: int

    @property
    def words(self) -> str:
        """`host:port`; an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Addressing:
    """What a workload's containers say of addresses."""

    mentions: tuple[Mention, ...] = ()
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class StorageClass:
    """A StorageClass."""

    name: str
    default: bool


@dataclass(frozen=True, slots=True)
class Provisioner:
    """The Deployment that makes local volumes."""

    desired: int
    available: int
    ill_for: float
    """Seconds since it was last available, by the server's clock; 0 while it is."""
    tolerations: int
    tolerates: bool
    """Whether it may run on a node with the control plane's taint."""


@dataclass(frozen=True, slots=True)
class MetricsApi:
    """The aggregated API that metrics-server serves."""

    available: bool
    why: str = ""
    """The API server's own words when it is not."""
    ill_for: float = 0.0
    """Seconds since it was, by the server's clock."""


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """What a Redis keeps, and what it throws away."""

    appendonly: str
    save: str
    policy: str
    maxmemory: int
    rewrite: str = "ok"
    """How the last rewrite of the append-only file ended."""
    snapshot: str = "ok"
    """How the last snapshot ended."""


def addressing(kind: str, raw: Json) -> Addressing:
    """What a Deployment's or StatefulSet's JSON says of addresses, and nothing else of it."""
    mentions: list[Mention] = []
    addresses: list[Address] = []
    metadata, template = part(raw, "metadata"), part(raw, "spec", "template", "spec")
    for container in (*items(template, "initContainers"), *items(template, "containers")):
        place = Place(
            str(metadata.get("namespace") or ""),
            kind,
            str(metadata.get("name") or ""),
            str(container.get("name") or ""),
        )
        named = tuple(_mentions(place, container))
        mentions += named
        addresses += _addresses(place, container, {one.variable for one in named})
    return Addressing(tuple(mentions), tuple(addresses))


def service_named(host: str, namespace: str) -> tuple[str, str] | None:
    """Namespace and name of the Service that a host name may mean in the cluster's DNS."""
    words = host.removesuffix(".").lower().split(".")
    if not all(_LABEL.fullmatch(one) for one in words):
        return None
    if len(words) <= _WITH_NAMESPACE or words[_WITH_NAMESPACE] == "svc":
        return (words[1] if len(words) > 1 else namespace), words[0]
    return None


def _mentions(place: Place, container: Json) -> Iterator[Mention]:
    for name, value in _env(container):
        if K3D_HOST in value:
            yield Mention(place, name)


def _addresses(place: Place, container: Json, told: set[str]) -> Iterator[Address]:
    is_inngest = place.container == _INNGEST
    for name, value in _env(container):
        if name not in told and (name in _SERVED_AT or (is_inngest and name == _APPS)):
            yield from _of_urls(place, name, value)
    if is_inngest:
        words = " ".join((*_strings(container, "command"), *_strings(container, "args")))
        for flag, value in _FLAGS.findall(words):
            yield from _of_urls(place, flag, value)


def _env(container: Json) -> Iterator[tuple[str, str]]:
    """Variables with a value of their own; what a Secret holds is not looked at."""
    for one in items(container, "env"):
        if isinstance(one.get("name"), str) and isinstance(one.get("value"), str):
            yield one["name"], one["value"]


def _strings(container: Json, key: str) -> list[str]:
    found = container.get(key)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _of_urls(place: Place, said_by: str, value: str) -> Iterator[Address]:
    """Host and port of each; what no URL is, or is yet to be filled in, says nothing."""
    for url in value.split(","):
        try:
            found = urlsplit(url.strip())
            host, port = found.hostname, found.port or _PORTS.get(found.scheme)
        except ValueError:
            continue
        if host and port and "$" not in found.netloc:
            yield Address(place, said_by, host, port)


def node_port_range(raw: Json) -> str:
    """What the API server's own pod says of NodePorts."""
    for container in items(raw, "spec", "containers"):
        words = (*_strings(container, "command"), *_strings(container, "args"))
        for word, following in zip(words, (*words[1:], ""), strict=False):
            if word == _RANGE_FLAG:
                return following
            if word.startswith(f"{_RANGE_FLAG}="):
                return word.partition("=")[2]
    return DEFAULT_NODE_PORTS


def outside_range(ports: Iterable[int], said: str) -> tuple[int, ...]:
    """Those that such a range leaves out; () when it makes no sense to us."""
    pair = _PAIR.fullmatch(said.strip())
    if pair is None:
        return ()
    first, last = int(pair[1]), int(pair[2])
    return tuple(sorted(one for one in set(ports) if not first <= one <= last))
