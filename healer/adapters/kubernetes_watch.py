"""Watches on the API server: news only, a look decides what they mean.

List for a version, watch from it with bounds on both sides, relist when the server says 410, and
believe nothing that is not a JSON object on a line of its own (facts/talos-kubernetes.md §7).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

from healer.adapters.kubernetes_calls import Json, Request, stream
from healer.adapters.kubernetes_connect import Connector
from healer.adapters.kubernetes_session import Session
from healer.core.tower import Layer
from healer.ports import TargetIll, Wake

_LASTS: Final = 240
"""Seconds after which the server ends a watch; the next goes on from its last version."""
_SILENCE: Final = 90.0
"""Seconds without a byte, bookmarks included (one a minute), after which the link is dead."""
_EXPIRED: Final = 410
_TOLD: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})

Digest = Callable[[Json], object]
"""What probes read of an object; a change of anything else is no news."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched, and whom it wakes."""

    path: str
    layers: frozenset[Layer]
    digest: Digest
    query: Mapping[str, str] = field(default_factory=dict)


class KubernetesWatch:
    """ports.News over one watch."""

    def __init__(self, connector: Connector, session: Session, subject: Subject) -> None:
        self.name = f"watch {subject.path}"
        self.layers = subject.layers
        self._connector = connector
        self._session = session
        self._subject = subject
        self._known: dict[str, bytes] = {}

    async def listen(self, wake: Wake) -> None:
        """Until the server refuses, breaks off or has forgotten our version. Raises PortError."""
        version = await self._version()
        self._known.clear()
        wake(self.layers)
        while version:
            version = await self._watched(version, wake)

    async def _version(self) -> str:
        """A list of one object names the version of the whole list."""
        query = {**self._subject.query, "limit": "1"}
        request = Request("GET", self._subject.path, query)
        answer = (await self._session.read(request)).json(request.place)
        metadata = answer.get("metadata") if isinstance(answer, dict) else None
        version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
        if not isinstance(version, str) or not version:
            raise TargetIll(request.place, "a list without a resourceVersion")
        return version

    async def _watched(self, version: str, wake: Wake) -> str:
        """One watch to its end; the version to go on from, '' when it is too old."""
        query = {
            **self._subject.query,
            "watch": "1",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_LASTS),
        }
        request = Request("GET", self._subject.path, query)
        async with self._connector.lend() as connection:
            lines = stream(connection.client, connection.host, request, _SILENCE)
            async with aclosing(lines):
                async for line in lines:
                    kind, found = _event(line, request.place)
                    if kind == "ERROR":
                        return _after_error(found, request.place)
                    version = _version_of(found) or version
                    if kind in _TOLD and self._is_news(kind, found):
                        wake(self.layers)
        return version

    def _is_news(self, kind: str, found: Json) -> bool:
        """Whether what probes read of the object has changed since it was last told."""
        uid = str((found.get("metadata") or {}).get("uid"))
        if kind == "DELETED":
            self._known.pop(uid, None)
            return True
        digest = _hashed(self._subject.digest, found)
        before = self._known.get(uid)
        self._known[uid] = digest
        return digest != before


def _hashed(digest: Digest, found: Json) -> bytes:
    """Eight bytes an object, so that thousands of pods cost little."""
    try:
        read = digest(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        read = found
    return hashlib.blake2b(repr(read).encode(), digest_size=8).digest()


def _event(line: bytes, place: str) -> tuple[str, Json]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TargetIll(place, f"a line that is no JSON: {line[:80]!r}") from error
    kind = said.get("type") if isinstance(said, dict) else None
    found = said.get("object") if isinstance(said, dict) else None
    if not isinstance(kind, str) or not isinstance(found, dict):
        raise TargetIll(place, f"a line that is no event: {line[:80]!r}")
    return kind, found


def _after_error(status: Mapping[str, Any], place: str) -> str:
    """'' for a version that the server has forgotten: list anew."""
    if status.get("code") == _EXPIRED:
        return ""
    raise TargetIll(place, f"{status.get('code')}: {str(status.get('message'))[:200]}")


def _version_of(found: Mapping[str, Any]) -> str:
    metadata = found.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
    return version if isinstance(version, str) else ""
