"""The certificate that a server shows, and who vouches for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from healer.adapters.serving_certificate import shown_by, vouches
from healer.ports import CannotLook, TargetIll, TargetSilent
from tests.fakes.tls import tls_server
from tests.lab.kubernetes.machineconfig import Authority


@pytest.fixture(scope="module", name="authority")
def fixture_authority() -> Authority:
    """A cluster's authority."""
    return Authority.create()


@pytest.fixture(name="port")
async def fixture_port(authority: Authority, tmp_path: Path) -> AsyncIterator[int]:
    """A server of that authority."""
    async with tls_server(authority, tmp_path) as port:
        yield port


async def test_the_servers_certificate_is_read_unverified(port: int, tmp_path: Path) -> None:
    """An ended one, or a stranger's, must be readable too."""
    expected = ssl.PEM_cert_to_DER_cert((tmp_path / "serving.crt").read_text())
    assert expected == await shown_by("127.0.0.1", port)


async def test_its_own_ca_vouches_and_another_does_not(port: int, authority: Authority) -> None:
    """That tells a living context from one of an earlier cluster."""
    assert await vouches(authority.pem().encode(), "127.0.0.1", port)
    assert not await vouches(Authority.create().pem().encode(), "127.0.0.1", port)


async def test_what_is_no_ca_vouches_for_nothing(port: int) -> None:
    """It is the file that is wrong, and not the server."""
    with pytest.raises(CannotLook):
        await vouches(b"no certificate", "127.0.0.1", port)


async def test_silence_and_refusal_are_told_apart() -> None:
    """A deadline of our own, since usernet accepts for the dead."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(TargetSilent):
            await shown_by("127.0.0.1", port, 0.1)
    with pytest.raises(TargetIll):
        await shown_by("127.0.0.1", port)


async def test_a_server_without_tls_is_ill() -> None:
    """Plain HTTP on the port, for one."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        with pytest.raises(TargetIll):
            await shown_by("127.0.0.1", server.sockets[0].getsockname()[1])
