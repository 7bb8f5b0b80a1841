"""A TLS server on 127.0.0.1 that shows a certificate, and says nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.lab.kubernetes.machineconfig import Authority


@asynccontextmanager
async def tls_server(authority: Authority, folder: Path) -> AsyncIterator[int]:
    """Its port; the certificate names 127.0.0.1."""
    certificate, key = authority.issue_serving("127.0.0.1")
    files = folder / "serving.crt", folder / "serving.key"
    for file, pem in zip(files, (certificate, key), strict=True):
        file.write_text(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except OSError:
            return
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]
