"""What a watch keeps of objects that nobody asks it for: eight bytes of what probes read."""

import hashlib
from collections.abc import Callable

from healer.adapters.kubernetes_calls import Json
from healer.adapters.kubernetes_decode import decoded
from healer.adapters.kubernetes_session import Session
from healer.adapters.kubernetes_watch import Subject

Digest = Callable[[Json], object]
"""What probes read of an object; a change of anything else is no news."""


class Digests:
    """kubernetes_watch.Keeper whose cost grows with changes: heartbeats wake nobody."""

    def __init__(self, session: Session, subject: Subject, digest: Digest) -> None:
        self._session = session
        self._subject = subject
        self._digest = digest
        self._known: dict[str, bytes] = {}

    async def begin(self) -> str:
        """From the list on a heartbeat is no news, also after a break."""
        path = self._subject.path
        listed = await self._session.list(path, self._read, self._subject.query)
        self._known = dict(listed.items)
        return listed.version

    def heard(self) -> None:
        """Nobody asks for what is kept, so its age does not matter."""

    def take(self, kind: str, found: Json) -> bool:
        """A deletion, or another digest than before."""
        (read,) = decoded(self._read, (found,), f"GET {self._subject.path}")
        uid, digest = read
        before = self._known.pop(uid, None)
        if kind == "DELETED":
            return True
        self._known[uid] = digest
        return digest != before

    def lost(self) -> None:
        """The next list begins with nothing known."""
        self._known.clear()

    def _read(self, found: Json) -> tuple[str, bytes]:
        read = repr(self._digest(found)).encode()
        return found["metadata"]["uid"], hashlib.blake2b(read, digest_size=8).digest()
