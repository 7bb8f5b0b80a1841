"""Watches on the API server: news only, a look decides what they mean.

List for a version, watch from it with bounds on both sides, relist when the server says 410, and
believe nothing that is not a JSON object on a line of its own (facts/talos-kubernetes.md §7).
"""

import json
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from healer.adapters.kubernetes_calls import Json, Request, stream
from healer.adapters.kubernetes_connect import Connector
from healer.core.tower import Layer
from healer.ports import Clock, TargetIll, Wake

SILENCE: Final = 90.0
"""Seconds without a byte, bookmarks included (one a minute), after which the link is dead."""
_LASTS: Final = 240
"""Seconds after which the server ends a watch; the next goes on from its last version."""
_RESYNC: Final = 1800.0
"""Seconds after which all is listed anew, whatever was heard: rarer than design §10 allows."""
_EXPIRED: Final = 410
_TOLD: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})


@dataclass(frozen=True, slots=True)
class Subject:
    """What is watched, and whom it wakes."""

    path: str
    layers: frozenset[Layer]
    query: Mapping[str, str] = field(default_factory=dict)
    link: frozenset[Layer] = frozenset()
    """Whom the connection itself wakes besides, when it comes and when it ends."""


class Keeper(Protocol):
    """What a watch knows of its objects, and so which of their changes are news."""

    async def begin(self) -> str:
        """List all; the version to watch on from. Raises PortError."""
        ...

    def heard(self) -> None:
        """A sign of life came over the link. Raises TargetIll to have all listed anew."""
        ...

    def take(self, kind: str, found: Json) -> bool:
        """Whether probes would see this otherwise than before. Raises TargetIll."""
        ...

    def lost(self) -> None:
        """Nothing more is heard: what is known may be out of date from now on."""
        ...


class KubernetesWatch:
    """ports.News over one watch."""

    def __init__(
        self, connector: Connector, subject: Subject, keeper: Keeper, clock: Clock
    ) -> None:
        self.name = f"watch {subject.path}"
        self.layers = subject.layers | subject.link
        self._connector = connector
        self._subject = subject
        self._keeper = keeper
        self._clock = clock

    async def listen(self, wake: Wake) -> None:
        """Until the server refuses, breaks off or has forgotten our version. Raises PortError."""
        try:
            while await self._synchronised(wake):
                pass
        finally:
            self._keeper.lost()

    async def _synchronised(self, wake: Wake) -> bool:
        """From one list to the time for the next; False when the server has forgotten it."""
        version = await self._keeper.begin()
        if not version:
            raise TargetIll(f"GET {self._subject.path}", "a list without a resourceVersion")
        until = self._clock.now() + _RESYNC
        wake(self.layers)
        while version and self._clock.now() < until:
            version = await self._watched(version, wake)
        return bool(version)

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
            lines = stream(connection.client, connection.host, request, SILENCE)
            async with aclosing(lines):
                async for line in lines:
                    kind, found = _event(line, request.place)
                    if kind == "ERROR":
                        return _after_error(found, request.place)
                    version = _version_of(found) or version
                    if kind in _TOLD and self._keeper.take(kind, found):
                        wake(self._subject.layers)
                    self._keeper.heard()
            self._keeper.heard()
        return version


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
