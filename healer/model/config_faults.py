"""What is wrong in a kubeconfig or talosconfig, with the exact command that mends it.

Pure: the file's shape and what is known of the cluster go in, faults come out. Only what cannot
be a human's wish is mended by `healer kubeconfig repair`; the rest is named with its command.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from healer.core.word import Word
from healer.model.client_config import ClientConfig, Entry, Kind, Spot

NODE_ADDRESS: Final = "10.5.0.2"
"""Talos' own default for the first node (facts/talos-kubernetes.md §1)."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0"})  # noqa: S104  (compared, never bound)


class Wrong(Word):
    """The kinds of faults."""

    WRONG_PORT = "wrong_port"
    IN_CLUSTER = "in_cluster_endpoint"
    DEAD_CONTEXT = "dead_context"
    CURRENT_CONTEXT = "wrong_current_context"
    OTHER_CONTEXT = "other_current_context"
    DUPLICATE = "duplicate"
    NO_ENDPOINT = "no_endpoint"
    NO_NODE = "no_node"


@dataclass(frozen=True, slots=True)
class Edit:
    """One scalar of the file, and what shall stand there."""

    spot: Spot | None
    """None: a new line `key: new` at the end of the file."""
    key: str
    new: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in one file."""

    kind: Kind
    wrong: Wrong
    name: str
    """The context, cluster or user that it is about."""
    words: str
    command: str
    """What mends it, word for word."""
    edits: tuple[Edit, ...] = ()
    """What a repair would write; () = a repair leaves it to a human."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the cluster that the file should lead to."""

    cluster: str
    """Its name in the settings."""
    port: int | None = None
    """Where Docker publishes it on the Mac; None = not known, and then no port is judged."""
    addresses: tuple[str, ...] = (NODE_ADDRESS,)
    """The container's own addresses, which the Mac cannot reach."""
    proved: frozenset[str] | None = None
    """Contexts whose CA verifies the server that answers there; None = nobody answered."""


def faults_of(config: ClientConfig, known: Known) -> tuple[Fault, ...]:
    """Every fault, in the order in which they are best mended."""
    found = [*_duplicates(config), *_endpoints(config, known), *_dead(config, known)]
    found += _current(config, known)
    if config.kind is Kind.TALOSCONFIG:
        found += _nodes(config, known)
    return tuple(found)


def ours(config: ClientConfig, known: Known) -> tuple[Entry, ...]:
    """Contexts that lead to the cluster: by its CA where somebody answered, else by name."""
    whole = [one for one in config.entries if not one.lacks]
    if known.proved is not None:
        return tuple(one for one in whole if one.name in known.proved)
    return tuple(one for one in whole if _of_the_name(one, known))


def _of_the_name(entry: Entry, known: Known) -> bool:
    """A clash of names makes `-1` of the second (facts/talos-kubernetes.md §1)."""
    return re.fullmatch(rf"{re.escape(known.cluster)}(-\d+)?", entry.cluster) is not None


def _duplicates(config: ClientConfig) -> Iterator[Fault]:
    """kubectl refuses the whole file for one; which of the two is meant only a human knows."""
    for one in config.repeated:
        lines = " and ".join(str(line) for line in one.lines)
        yield Fault(
            config.kind,
            Wrong.DUPLICATE,
            one.name,
            f"{one.what} has {one.name} at lines {lines}: of two, one is not read",
            f"vi +{one.lines[-1]} {shlex.quote(config.path)}",
        )


def _endpoints(config: ClientConfig, known: Known) -> Iterator[Fault]:
    if known.port is None:
        return
    done: set[str] = set()
    for entry in ours(config, known):
        if entry.cluster in done:
            continue
        done.add(entry.cluster)
        if not entry.endpoints:
            words = f"context {entry.name} names no endpoint"
            command = _endpoint_command(config, entry, known.port)
            yield Fault(config.kind, Wrong.NO_ENDPOINT, entry.cluster, words, command)
        yield from _wrong_endpoints(config, entry, known, known.port)


def _wrong_endpoints(
    config: ClientConfig, entry: Entry, known: Known, port: int
) -> Iterator[Fault]:
    for spot in entry.endpoints:
        host, named = host_and_port(spot.text, config.kind)
        if host in known.addresses:
            wrong, words = Wrong.IN_CLUSTER, "is reached only inside the VM"
        elif host in _LOOPBACK and named != port:
            wrong, words = Wrong.WRONG_PORT, f"is not where Docker publishes it, {port}"
        else:
            continue
        yield Fault(
            config.kind,
            wrong,
            entry.cluster,
            f"{entry.cluster} leads to {shown(spot.text)}, which {words}",
            _endpoint_command(config, entry, port),
            (Edit(spot, "server" if config.kind is Kind.KUBECONFIG else "endpoints",
                  right_endpoint(config.kind, port)),),
        )  # fmt: skip


def right_endpoint(kind: Kind, port: int) -> str:
    """What leads there from the Mac."""
    return f"https://127.0.0.1:{port}" if kind is Kind.KUBECONFIG else f"127.0.0.1:{port}"


def _endpoint_command(config: ClientConfig, entry: Entry, port: int) -> str:
    new = right_endpoint(config.kind, port)
    if config.kind is Kind.KUBECONFIG:
        return f"{_tool(config)} config set-cluster {shlex.quote(entry.cluster)} --server={new}"
    return f"{_tool(config)} --context {shlex.quote(entry.name)} config endpoint {new}"


def _dead(config: ClientConfig, known: Known) -> Iterator[Fault]:
    for one in config.entries:
        if one.lacks:
            yield _dead_one(config, one, f"names {one.lacks}, which is not there")
        elif _outlived(one, known):
            yield _dead_one(config, one, "is of an earlier cluster: another CA answers there")


def _outlived(entry: Entry, known: Known) -> bool:
    """Only beside a living context: if no CA fits, the server may be the stranger."""
    proved = known.proved or frozenset()
    return bool(proved) and _of_the_name(entry, known) and entry.name not in proved


def _dead_one(config: ClientConfig, entry: Entry, words: str) -> Fault:
    verb = "config delete-context" if config.kind is Kind.KUBECONFIG else "config remove -y"
    return Fault(
        config.kind,
        Wrong.DEAD_CONTEXT,
        entry.name,
        f"context {entry.name} {words}",
        f"{_tool(config)} {verb} {shlex.quote(entry.name)}",
    )


def _current(config: ClientConfig, known: Known) -> Iterator[Fault]:
    """Another cluster's living context may be somebody's wish: named, and never mended."""
    good = ours(config, known)
    if not good:
        return
    name = "" if config.current is None else config.current.text
    entry = config.named(name)
    if entry in good:
        return
    dead = entry is None or bool(entry.lacks) or _outlived(entry, known)
    words = f"the current context is {name}" if name else "there is no current context"
    why = ", which leads nowhere" if name and dead else ""
    kube = config.kind is Kind.KUBECONFIG
    verb = "config use-context" if kube else "config context"
    edit = Edit(config.current, "current-context" if kube else "context", good[0].name)
    yield Fault(
        config.kind,
        Wrong.CURRENT_CONTEXT if dead else Wrong.OTHER_CONTEXT,
        name or good[0].name,
        words + why if dead else f"{words}, which is of another cluster",
        f"{_tool(config)} {verb} {shlex.quote(good[0].name)}",
        (edit,) if dead else (),
    )


def _nodes(config: ClientConfig, known: Known) -> Iterator[Fault]:
    """talosctl wants a node for most of its commands; without one each needs `-n`."""
    for one in ours(config, known):
        if known.addresses and not set(one.nodes) & set(known.addresses):
            said = f"nodes {', '.join(one.nodes)}" if one.nodes else "no node"
            address = known.addresses[0]
            yield Fault(
                config.kind,
                Wrong.NO_NODE,
                one.name,
                f"context {one.name} names {said}; the node is {address}",
                f"{_tool(config)} --context {shlex.quote(one.name)} config node {address}",
            )


def _tool(config: ClientConfig) -> str:
    path = shlex.quote(config.path)
    if config.kind is Kind.KUBECONFIG:
        return f"kubectl --kubeconfig {path}"
    return f"talosctl --talosconfig {path}"


def host_and_port(endpoint: str, kind: Kind) -> tuple[str, int | None]:
    """Both as the tools read them: https without a port is 443, Talos' own is 50000."""
    url = endpoint if "//" in endpoint else f"//{endpoint}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "", None
    return parts.hostname or "", port or (443 if kind is Kind.KUBECONFIG else 50_000)


def shown(endpoint: str) -> str:
    """An endpoint without the password that a URL may hold."""
    before, at, after = endpoint.rpartition("@")
    if not at:
        return endpoint
    scheme, slashes, _ = before.rpartition("//")
    return f"{scheme}{slashes}…@{after}"
