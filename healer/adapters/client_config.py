"""The kubeconfig and the talosconfig as text: where each name and endpoint stands in it."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from healer.files import read_regular
from healer.model.client_config import ClientConfig, Entry, Kind, Repeated, Spot
from healer.ports import CannotLook, NotThere

_LARGEST: Final = 1 << 20
Node = Any
"""A yaml.Node; the library is imported when a file is read."""


def read_text(path: Path, kind: Kind) -> str:
    """The whole file. Raises NotThere, and CannotLook with the remedy."""
    place = f"{kind} {path}"
    try:
        data = read_regular(path, _LARGEST)
    except FileNotFoundError as error:
        raise NotThere(place, "is not there") from error
    except OSError as error:
        raise CannotLook(place, f"{error.strerror}; look at it with: ls -l {path}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the error carries the bytes, which may be a key's.
        raise CannotLook(place, "is not UTF-8 text; mend it by hand") from None


def parse(text: str, path: Path, kind: Kind) -> ClientConfig:
    """Its shape. Raises CannotLook for what is no YAML table."""
    import yaml  # noqa: PLC0415  (0.02 s that only who reads one pays)

    try:
        # The marks of this loader count characters; the C one counts bytes.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        # Not chained: a YAML error quotes the line, which may hold a key.
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" at line {mark.line + 1}"
        raise CannotLook(f"{kind} {path}", f"is not valid YAML{where}; mend it by hand") from None
    if _pairs(root) is None:
        raise CannotLook(f"{kind} {path}", "holds no table; mend it by hand")
    reading = _kubeconfig if kind is Kind.KUBECONFIG else _talosconfig
    return reading(root, path)


def _kubeconfig(root: Node, path: Path) -> ClientConfig:
    clusters, users = _list(root, "clusters", "cluster"), _list(root, "users", "user")
    contexts = _list(root, "contexts", "context")
    servers, people = _bodies(clusters), _bodies(users)
    repeated = (
        *_repeated("clusters", clusters),
        *_repeated("users", users),
        *_repeated("contexts", contexts),
    )
    return ClientConfig(
        Kind.KUBECONFIG,
        str(path),
        _current(_get(root, "current-context")),
        tuple(_context(name, line, body, servers, people, path) for name, line, body in contexts),
        repeated,
    )


def _bodies(entries: list[tuple[str, int, Node]]) -> dict[str, Node]:
    return {name: body for name, _, body in entries}


def _context(
    name: str, line: int, body: Node, clusters: dict[str, Node], users: dict[str, Node], path: Path
) -> Entry:
    cluster, user = _text(_get(body, "cluster")), _text(_get(body, "user"))
    lacks = "" if cluster in clusters else f"cluster {cluster}"
    # A context may name no user at all: an open server asks for none.
    lacks = lacks or ("" if user in users or not user else f"user {user}")
    there, who = clusters.get(cluster), users.get(user)
    server = _spot(_get(there, "server"))
    return Entry(
        name,
        line,
        cluster,
        () if server is None else (server,),
        lacks=lacks,
        ca=_material(there, "certificate-authority", path),
        certificate=_material(who, "client-certificate", path),
    )


def _talosconfig(root: Node, path: Path) -> ClientConfig:
    found: list[tuple[str, int, Node]] = [
        (_text(key), key.start_mark.line + 1, body)
        for key, body in _pairs(_get(root, "contexts")) or ()
    ]
    return ClientConfig(
        Kind.TALOSCONFIG,
        str(path),
        _current(_get(root, "context")),
        tuple(
            Entry(
                name,
                line,
                name,
                tuple(_spots(_get(body, "endpoints"))),
                tuple(one.text for one in _spots(_get(body, "nodes"))),
                ca=_decoded(_text(_get(body, "ca"))),
                certificate=_decoded(_text(_get(body, "crt"))),
            )
            for name, line, body in found
        ),
        tuple(_repeated("contexts", found)),
    )


def _repeated(what: str, entries: list[tuple[str, int, Node]]) -> Iterator[Repeated]:
    lines: dict[str, list[int]] = defaultdict(list)
    for name, line, _ in entries:
        lines[name].append(line)
    yield from (Repeated(what, name, tuple(at)) for name, at in lines.items() if len(at) > 1)


def _list(root: Node, plural: str, singular: str) -> list[tuple[str, int, Node]]:
    """Name, line and body of each entry that has a name."""
    return [
        (_text(name), one.start_mark.line + 1, _get(one, singular))
        for one in _items(_get(root, plural))
        if (name := _get(one, "name")) is not None
    ]


def _pairs(node: Node) -> list[tuple[Node, Node]] | None:
    value = getattr(node, "value", None)
    return value if getattr(node, "id", "") == "mapping" else None


def _items(node: Node) -> list[Node]:
    return node.value if getattr(node, "id", "") == "sequence" else []


def _get(node: Node, key: str) -> Node:
    """The value of a key; of two the last counts, as for the tools."""
    found = [value for name, value in _pairs(node) or () if name.value == key]
    return found[-1] if found else None


def _text(node: Node) -> str:
    return str(node.value) if getattr(node, "id", "") == "scalar" else ""


def _spot(node: Node) -> Spot | None:
    """A scalar with something in it, and its place; an empty one is none."""
    return _current(node) if _text(node) else None


def _current(node: Node) -> Spot | None:
    """Also an empty one: kubectl writes `current-context: ""`, and a second line would clash."""
    if getattr(node, "id", "") != "scalar":
        return None
    start, end = node.start_mark, node.end_mark
    return Spot(_text(node), start.index, end.index, start.line + 1)


def _spots(node: Node) -> Iterator[Spot]:
    for one in _items(node):
        spot = _spot(one)
        if spot is not None:
            yield spot


def _material(holder: Node, name: str, path: Path) -> bytes:
    """Inline data, or a file beside the kubeconfig; b"" when neither can be read."""
    inline = _text(_get(holder, f"{name}-data"))
    if inline:
        return _decoded(inline)
    named = _text(_get(holder, name))
    try:
        return read_regular(path.parent / named, _LARGEST) if named else b""
    except OSError:
        return b""


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
