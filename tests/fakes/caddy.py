"""A proxy on 127.0.0.1 that shows a certificate and answers as it is told to."""

import asyncio
import datetime as dt
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.kubernetes.machineconfig import Authority
from tests.unit.adapters.test_published import Serve

NAME = "panda.example.ts.net"
YEAR = dt.timedelta(days=365)


@dataclass
class Told:
    """What it was asked, and by which name."""

    names: list[str | None] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)


def saying(said: bytes, told: Told) -> Serve:
    """Reads a whole request, answers, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(said)
        await writer.drain()

    return serve


async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request, and never says a word."""
    del writer
    await reader.read()


def http(status: str, body: str) -> bytes:
    """An answer as Caddy sends it to HTTP/1.0."""
    return (
        f"HTTP/1.0 {status}\r\nServer: Caddy\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )


def certified(
    authority: Authority, folder: Path, told: Told, *, name: str = NAME, lasts: dt.timedelta = YEAR
) -> ssl.SSLContext:
    """A context with a certificate of that name, made anew."""
    certificate, key = authority.issue_named(name, lasts)
    files = folder / "caddy.crt", folder / "caddy.key"
    for file, pem in zip(files, (certificate, key), strict=True):
        file.write_text(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)

    def heard(_: ssl.SSLObject, asked: str | None, __: ssl.SSLContext) -> None:
        told.names.append(asked)

    context.sni_callback = heard
    return context
