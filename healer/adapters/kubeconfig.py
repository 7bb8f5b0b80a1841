"""The kubeconfig, read and never written: its contexts, with their certificates."""

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from healer.files import read_regular
from healer.ports import CannotLook

_LARGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Context:
    """One context: who we are, and which server it believes in. Holds a key: never shown."""

    name: str
    port: int | None
    """The port of its server line."""
    ca: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """What of it can be used, and why the rest cannot."""

    contexts: tuple[Context, ...]
    unusable: tuple[CannotLook, ...]
    """Contexts whose files are gone: one of another cluster must not blind us for ours."""


def read_kubeconfig(path: Path) -> Kubeconfig:
    """Every context that has a CA, a client certificate and its key.

    Raises CannotLook that names the file, what is wrong in it and the remedy.
    """
    raw = _parsed(path)
    clusters, users = _named(raw, "clusters", "cluster"), _named(raw, "users", "user")
    found: list[Context] = []
    unusable: list[CannotLook] = []
    for name, context in _named(raw, "contexts", "context").items():
        cluster = clusters.get(str(context.get("cluster")), {})
        user = users.get(str(context.get("user")), {})
        try:
            found += _usable(name, cluster, user, path)
        except CannotLook as error:
            unusable.append(error)
    if not found:
        said = "".join(f"{one.detail}; " for one in unusable)
        raise CannotLook(
            f"kubeconfig {path}",
            f"{said}no context has a CA and a client certificate; "
            f"write it anew: talosctl kubeconfig {path}",
        )
    return Kubeconfig(tuple(found), tuple(unusable))


def _usable(
    name: str, cluster: dict[str, Any], user: dict[str, Any], path: Path
) -> tuple[Context, ...]:
    """The context, or none when it lets in by other means than a client certificate."""
    ca = _material(cluster, "certificate-authority", path)
    certificate = _material(user, "client-certificate", path)
    key = _material(user, "client-key", path)
    if not (ca and certificate and key):
        return ()
    return (Context(name, _port(str(cluster.get("server", ""))), ca, certificate, key),)


def _parsed(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  (0.02 s that only a run with a cluster pays)

    place = f"kubeconfig {path}"
    try:
        raw = yaml.safe_load(read_regular(path, _LARGEST).decode("utf-8"))
    except FileNotFoundError as error:
        remedy = f"write it with: talosctl kubeconfig {path}"
        raise CannotLook(place, f"is not there; {remedy}") from error
    except OSError as error:
        raise CannotLook(place, f"{error.strerror}; look at it with: ls -l {path}") from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        # Not chained: a YAML error quotes the line, which may hold a key.
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" at line {line + 1}"
        raise CannotLook(place, f"is not valid YAML{where}; mend it by hand") from None
    if not isinstance(raw, dict):
        raise CannotLook(place, f"holds no table; write it anew: talosctl kubeconfig {path}")
    return raw


def _named(raw: dict[str, Any], plural: str, singular: str) -> dict[str, dict[str, Any]]:
    entries = raw.get(plural)
    return {
        str(one["name"]): one[singular]
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, dict) and "name" in one and isinstance(one.get(singular), dict)
    }


def _material(holder: dict[str, Any], name: str, path: Path) -> bytes:
    """Inline data, or a file beside the kubeconfig; b"" when there is neither."""
    inline = holder.get(f"{name}-data")
    if isinstance(inline, str):
        try:
            return base64.b64decode(inline, validate=True)
        except binascii.Error as error:
            raise CannotLook(f"kubeconfig {path}", f"{name}-data is no base64") from error
    named = holder.get(name)
    if not isinstance(named, str):
        return b""
    try:
        return read_regular(path.parent / named, _LARGEST)
    except OSError as error:
        raise CannotLook(f"kubeconfig {path}", f"{name}: {error.strerror}: {named}") from error


def _port(server: str) -> int | None:
    try:
        return urlsplit(server).port
    except ValueError:
        return None
