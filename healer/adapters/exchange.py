"""A few words over a fresh socket, by the loop's bare calls: libraries cost five times as much.

A look at a healthy tower is mostly this, again and again, all day. Deadlines are the caller's.
"""

import re
import socket
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*")
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d{1,9})\r\n", re.IGNORECASE)
_CHUNK: Final = 1 << 16

Enough = Callable[[bytes], bool]
"""Whether what was heard so far is a whole answer."""


class Exchange:
    """An open connection. Every method raises OSError as the kernel does."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    async def say(self, words: bytes) -> None:
        """Send all of it."""
        await get_running_loop().sock_sendall(self._connection, words)

    async def hear(self, enough: Enough, limit: int) -> bytes:
        """Until it is enough, has ended, or is `limit` bytes long."""
        heard = b""
        loop = get_running_loop()
        while len(heard) < limit and not enough(heard):
            chunk = await loop.sock_recv(self._connection, min(_CHUNK, limit - len(heard)))
            if not chunk:
                break
            heard += chunk
        return heard

    async def get(self, path: str, limit: int) -> bytes:
        """The whole answer to a GET; of HTTP/1.0, so that no server sends it in chunks."""
        head = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        await self.say(head.encode())
        return await self.hear(is_whole, limit)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server said."""

    status: int
    body: bytes


def http_answer(heard: bytes) -> HttpAnswer | None:
    """None when it is no HTTP."""
    match = _STATUS.match(heard)
    if match is None:
        return None
    return HttpAnswer(int(match[1]), heard.partition(b"\r\n\r\n")[2])


def tcp(port: int) -> AbstractAsyncContextManager[Exchange]:
    """To that port of 127.0.0.1."""
    return _opened(socket.AF_INET, ("127.0.0.1", port))


def unix(path: Path) -> AbstractAsyncContextManager[Exchange]:
    """To that socket."""
    return _opened(socket.AF_UNIX, str(path))


@asynccontextmanager
async def _opened(
    family: socket.AddressFamily, address: tuple[str, int] | str
) -> AsyncIterator[Exchange]:
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.setblocking(False)  # noqa: FBT003  (the method takes it by position only)
        await get_running_loop().sock_connect(one, address)
        yield Exchange(one)


def is_whole(heard: bytes) -> bool:
    """A server that keeps the connection against our wish has answered all the same."""
    head, end, body = heard.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return bool(end) and length is not None and len(body) >= int(length[1])
