"""An engine on a unix socket that answers as a test says, well or ill."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "U0VDUkVUIENBIEtFWQ"
NOW = 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
SYSTEM_TIME = "2023-11-14T22:13:20.250000000Z"
"""What `/info` says, finer than the header."""
Ill = Callable[[asyncio.StreamWriter], Awaitable[None]]


def inspected(**changed: Any) -> dict[str, Any]:  # noqa: ANN401  (Docker's JSON)
    """A Talos container's inspect, its Env among it; keys may be replaced."""
    return {
        "Id": "abc123",
        "Name": "/talos-1",
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "Error": "",
            "OOMKilled": False,
            "StartedAt": "2023-11-14T22:12:20.5Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
        },
        "Config": {
            "Env": [f"USERDATA={SECRET}"],
            "Labels": {"talos.owned": "true", "talos.cluster.name": "joel"},
        },
        "HostConfig": {
            "RestartPolicy": {"Name": "no"},
            "Memory": 2**31,
            "MemorySwap": 2**32,
            "PortBindings": {"6443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6443"}]},
        },
        "NetworkSettings": {"Networks": {"joel": {"IPAddress": "10.5.0.2"}}},
        **changed,
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass(slots=True)
class Engine:
    """Answers by path; `ill` takes a path's connection instead."""

    socket: Path
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    ill: dict[str, Ill] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    date: str = DATE
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; it ends after one answer."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        lengths = [one for one in head if one.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
        url = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.asked.append(Asked(method, url.path, query, json.loads(body) if body else None))
        if url.path in self.ill:
            await self.ill[url.path](writer)
        else:
            await self._answer(url.path, writer)

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        missing = (404, {"message": f"No such container: {path}"})
        status, said = self.answers.get(path, missing)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        await say(writer, status, body if status != 304 else b"", self.date)


async def say(writer: asyncio.StreamWriter, status: int, body: bytes, date: str = DATE) -> None:
    """A whole answer."""
    stamp = f"Date: {date}\r\n" if date else ""
    kind = "Content-Type: application/json\r\n"
    head = f"HTTP/1.1 {status} X\r\n{kind}{stamp}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


@asynccontextmanager
async def engine(socket: Path) -> AsyncIterator[Engine]:
    """A healthy engine with the one container."""
    one = Engine(socket)
    one.answers = {
        "/_ping": (200, b"OK"),
        "/containers/json": (200, [{"Id": "abc123", "Names": ["/talos-1"]}]),
        "/containers/abc123/json": (200, inspected()),
        "/events": (200, b""),
        "/info": (200, {"SystemTime": SYSTEM_TIME}),
    }
    server = await asyncio.start_unix_server(one.session, socket)
    async with server:
        try:
            yield one
        finally:
            for task in one.tasks:
                task.cancel()
            await asyncio.gather(*one.tasks, return_exceptions=True)
