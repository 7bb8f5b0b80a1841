"""Published ports as the Mac meets them: each protocol's answer, and each way to be ill."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from healer.adapters import published as adapter
from healer.adapters.listeners import Listeners
from healer.adapters.published import PublishedPorts
from healer.ports import PortError, TargetIll, TargetSilent, WrongAnswer
from tests.fakes.host import OURS, FakeHost
from tests.unit.adapters.ssh_door import free_port

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ENDLESS = b"x" * 2**20


@asynccontextmanager
async def server(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a port of its own; its connections are ended with it."""
    tasks: set[asyncio.Task[None]] = set()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    listening = await asyncio.start_server(session, "127.0.0.1", 0, ssl=tls)
    async with listening:
        try:
            yield int(listening.sockets[0].getsockname()[1])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def saying(said: bytes, *, stays: bool = False) -> Serve:
    """Reads a request, says that, and closes or stays."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n")
        writer.write(said)
        await writer.drain()
        if stays:
            await asyncio.Event().wait()

    return serve


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says its status and then never stops."""
    await reader.readuntil(b"\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(ENDLESS)
        await writer.drain()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request and resets, as a forward to nobody does."""
    await reader.readuntil(b"\r\n")
    one = writer.get_extra_info("socket")
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


def http(status: str, body: str = "", *, length: bool = True) -> bytes:
    """An answer."""
    given = f"Content-Length: {len(body)}\r\n" if length else ""
    return f"HTTP/1.1 {status}\r\n{given}\r\n{body}".encode()


def eyes() -> PublishedPorts:
    """The adapter."""
    return PublishedPorts(Listeners(FakeHost(), OURS))


async def spoken(serve: Serve, protocol: str, path: str = "", expect: str = "") -> str:
    """What the adapter hears there."""
    async with server(serve) as port:
        return await eyes().speak(port, protocol, path, expect)


async def failure(call: Awaitable[object]) -> PortError:
    """What it raised."""
    with pytest.raises(PortError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("said", ["+PONG", "-NOAUTH Authentication required."])
async def test_redis_lives(said: str) -> None:
    """A Redis that wants a password is as alive as one without."""
    assert said == await spoken(saying(f"{said}\r\n".encode(), stays=True), "redis")


@pytest.mark.parametrize("said", ["-LOADING Redis is loading the dataset", "+OK", "-ERR no"])
async def test_redis_with_another_answer_speaks(said: str) -> None:
    """The right protocol and the wrong words: a sign of life, and ill."""
    found = await failure(spoken(saying(f"{said}\r\n".encode(), stays=True), "redis"))
    assert WrongAnswer is type(found)
    assert said in found.detail


@pytest.mark.parametrize("said", [b"\xff\xfe\x00", b"HTTP/1.1 400 Bad", b"", ENDLESS])
async def test_redis_is_nothing_else(said: bytes) -> None:
    """Garbage is known at its first byte, though it has no end of line."""
    found = await failure(spoken(saying(said, stays=bool(said)), "redis"))
    assert TargetIll is type(found)
    assert len(found.detail) < 3 * 64 * 1024


@pytest.mark.parametrize(
    ("said", "expect", "heard"),
    [
        (http("200 OK", "OK"), "OK", "OK"),
        (http("200 OK", "OK", length=False), "OK", "OK"),
        (http("200 OK"), "", "HTTP 200"),
        (http("204 No Content"), "", "HTTP 204"),
        (http("302 Found"), "", "HTTP 302"),
        (b"HTTP/1.0 200\r\n\r\nhi", "", "hi"),
    ],
)
async def test_http_lives(said: bytes, expect: str, heard: str) -> None:
    """Any good status with the expected words."""
    assert heard == await spoken(saying(said), "http", "/", expect)


async def test_an_answer_is_whole_before_its_connection_ends() -> None:
    """A server that keeps the connection against our wish is not silent."""
    assert "OK" == await spoken(saying(http("200 OK", "OK"), stays=True), "http")


@pytest.mark.parametrize("status", ["404 Not Found", "406 Not Acceptable", "500 x", "101 x"])
async def test_http_with_another_status_speaks(status: str) -> None:
    """Its detail begins with the status, by which LiveKit's 406 is told apart."""
    found = await failure(spoken(saying(http(status, "why")), "http"))
    assert WrongAnswer is type(found)
    assert found.detail.startswith(f"HTTP {status[:3]}: why")


async def test_http_without_the_words_speaks() -> None:
    """Somebody else's page."""
    found = await failure(spoken(saying(http("200 OK", "nginx")), "http", "/", "OK"))
    assert WrongAnswer is type(found)
    assert "HTTP 200 without 'OK': nginx" == found.detail


@pytest.mark.parametrize("said", [b"+PONG\r\n", b"\xff" * 2048, b"", b"HTTP/2 200\r\n\r\n"])
async def test_http_is_nothing_else(said: bytes) -> None:
    """Garbage and a close without a word are ill."""
    found = await failure(spoken(saying(said), "http"))
    assert TargetIll is type(found)
    assert len(found.detail) < 400


async def test_a_body_without_end_is_bounded() -> None:
    """What comes first is judged, and the rest is not read."""
    assert "x" * 200 == await spoken(endless, "http")


async def test_the_path_is_asked_for() -> None:
    """The request is for the configured path."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(http("200 OK"))

    await spoken(serve, "http", "/health")
    assert [b"GET /health HTTP/1.0\r\n"] == asked


@pytest.mark.parametrize("protocol", ["redis", "http"])
async def test_silence_is_no_refusal(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever accepts and says nothing is silent."""
    monkeypatch.setattr(adapter, "SECONDS", 0.3)
    assert TargetSilent is type(await failure(spoken(saying(b"", stays=True), protocol)))


@pytest.mark.parametrize("protocol", ["redis", "http"])
async def test_a_reset_is_ill(protocol: str) -> None:
    """It is a refusal in two steps."""
    found = await failure(spoken(reset, protocol))
    assert TargetIll is type(found)


@pytest.mark.parametrize("protocol", ["redis", "http", "tcp"])
async def test_nobody_there_refuses(protocol: str) -> None:
    """In the kernel's words, for every protocol."""
    found = await failure(eyes().speak(free_port(), protocol, "", ""))
    assert TargetIll is type(found)
    assert "refused" in found.detail


async def test_a_bare_connect_says_only_that_somebody_listens() -> None:
    """WebRTC closes on strangers: for `tcp` that is no illness."""
    assert "accepts" == await spoken(saying(b""), "tcp")
