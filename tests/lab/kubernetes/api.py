"""The raw door to the node's API server: any verb, any body, whatever it answers."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE: Final = "application/json;as=Table;g=meta.k8s.io;v=v1"
"""The Accept header for the columns that kubectl prints."""
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_PATCH: Final = "application/strategic-merge-patch+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the decoded body, None where it was no JSON."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class ApiDoor:
    """Requests with the administrator's certificate from a kubeconfig."""

    kubeconfig: Path

    def request(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: float = 10.0,
    ) -> Answer:
        """Send one request on a connection of its own; OSError if nobody answers in time."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        server = urlsplit(config["clusters"][0]["cluster"]["server"])
        connection = http.client.HTTPSConnection(
            server.hostname or "", server.port, timeout=deadline, context=_context(config)
        )
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json", **(headers or {})},
            )
            response = connection.getresponse()
            return Answer(response.status, _decoded(response.read()))
        finally:
            connection.close()

    def get(self, path: str, accept: str = "application/json") -> Any:  # noqa: ANN401  any JSON
        """The body of a GET that must succeed."""
        answer = self.request("GET", path, headers={"Accept": accept})
        if answer.status != http.HTTPStatus.OK:
            raise OSError(f"GET {path}: {answer.status} {answer.body}")
        return answer.body


def _decoded(raw: bytes) -> Any:  # noqa: ANN401  any JSON
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _context(config: dict[str, Any]) -> ssl.SSLContext:
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    # The library reads a client key from files only.
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "crt"), Path(folder, "key")
        certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
        key.write_bytes(base64.b64decode(user["client-key-data"]))
        context.load_cert_chain(certificate, key)
    return context
