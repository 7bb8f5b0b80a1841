"""The other end of a `Say`, in memory."""

import json
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import ByteStream

from healer.serving.conversation import Say

if TYPE_CHECKING:
    from collections.abc import Callable


class Ear(ByteStream):
    """Takes every line at once, unless it is gone."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.gone = False
        self.then: Callable[[dict[str, Any]], None] = lambda _: None

    async def send(self, item: bytes) -> None:
        """Hear one line."""
        if self.gone:
            raise anyio.BrokenResourceError
        one = json.loads(item)
        self.said.append(one)
        self.then(one)

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """A client says nothing after its request."""
        del max_bytes
        await anyio.sleep_forever()
        return b""

    async def send_eof(self) -> None:
        """Nothing ends."""

    async def aclose(self) -> None:
        """Nothing was opened."""

    @property
    def lines(self) -> list[str]:
        """What a person was told."""
        return [str(one["line"]) for one in self.said if "line" in one]


def say_to(ear: Ear, scope: anyio.CancelScope | None = None) -> Say:
    """A `Say` to that ear."""
    return Say(ear, scope or anyio.CancelScope(), 10.0)
