"""Kubeconfigs of one or several clusters; JSON, which every YAML reader reads."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.kubernetes.machineconfig import Authority


@dataclass(frozen=True, slots=True)
class Entry:
    """One cluster with its user and the context that joins them."""

    context: str
    authority: Authority
    port: int


def write_kubeconfig(path: Path, *entries: Entry, more: dict[str, Any] | None = None) -> None:
    """Write the entries, the first one being the current context; `more` is laid over it."""
    clusters, users, contexts = [], [], []
    for one in entries:
        certificate, key = one.authority.issue_client("admin", "system:masters")
        server = {"server": f"https://127.0.0.1:{one.port}"}
        ca = {"certificate-authority-data": _inline(one.authority.pem())}
        clusters.append({"name": one.context, "cluster": {**server, **ca}})
        inline = {"client-certificate-data": _inline(certificate), "client-key-data": _inline(key)}
        users.append({"name": one.context, "user": inline})
        joined = {"cluster": one.context, "user": one.context}
        contexts.append({"name": one.context, "context": joined})
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": clusters,
        "users": users,
        "contexts": contexts,
        "current-context": entries[0].context if entries else "",
    }
    for key_, value in (more or {}).items():
        config[key_] = [*config[key_], *value] if isinstance(value, list) else value
    path.touch(mode=0o600)
    path.write_text(json.dumps(config), encoding="utf-8")


def _inline(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
