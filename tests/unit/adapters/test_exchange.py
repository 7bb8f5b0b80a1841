"""A few words over a fresh socket: bounded, whole, and closed afterwards."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from healer.adapters.exchange import HttpAnswer, http_answer, tcp, unix
from tests.unit.adapters.ssh_door import free_port


@asynccontextmanager
async def saying(path: Path, words: bytes, *, again: bool = False) -> AsyncIterator[None]:
    """A server that says so, for ever if told, and stays open until the other end closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(words)
            while again:
                writer.write(words)
                await writer.drain()
            await reader.read()
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, str(path))
    async with server:
        yield


async def test_an_endless_answer_is_cut(tmp_path: Path) -> None:
    """At the very byte: memory is bounded, whatever is on the other side."""
    async with saying(tmp_path / "s", b"x" * 10_000, again=True), unix(tmp_path / "s") as exchange:
        assert 25_000 == len(await exchange.hear(lambda _: False, 25_000))


async def test_an_answer_ends_by_its_length(tmp_path: Path) -> None:
    """Of a server that keeps the connection open against our wish."""
    words = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK"
    async with saying(tmp_path / "s", words), unix(tmp_path / "s") as exchange:
        heard = await exchange.get("/_ping", 1000)

    assert HttpAnswer(200, b"OK") == http_answer(heard)


async def test_a_deadline_closes_the_socket(tmp_path: Path) -> None:
    """A server that is silent for ever costs its deadline, and no descriptor."""
    folder = Path("/proc/self/fd")
    with socket.socket(socket.AF_UNIX) as never_accepts:
        never_accepts.bind(str(tmp_path / "s"))
        never_accepts.listen()
        before = len(os.listdir(folder))  # noqa: PTH208  (a count)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05), unix(tmp_path / "s") as exchange:
                    await exchange.hear(lambda _: False, 10)
        assert before == len(os.listdir(folder))  # noqa: PTH208  (a count)


async def test_nobody_there_is_the_kernel_s_error(tmp_path: Path) -> None:
    """Not a library's."""
    with pytest.raises(ConnectionRefusedError):
        async with tcp(free_port()):
            pass
    with pytest.raises(FileNotFoundError):
        async with unix(tmp_path / "none"):
            pass


@pytest.mark.parametrize("heard", [b"", b"SSH-2.0-OpenSSH", b"HTTP/2 200\r\n\r\n", b"\x00" * 100])
def test_what_is_no_http_is_none(heard: bytes) -> None:
    """Bytes of another protocol."""
    assert http_answer(heard) is None
