"""Lima's hostagent by its own socket: `GET /v1/info` on ha.sock (facts/colima.md §2)."""

import json
from dataclasses import dataclass
from errno import EACCES, EPERM
from pathlib import Path
from typing import Final

import anyio
from aiohttp import ClientError, ClientSession, UnixConnector

from healer.ports import CannotLook

DEADLINE: Final = 3.0
"""Seconds; Lima itself waits as long before it says Broken (facts/colima.md §1.2)."""
BODY_LIMIT: Final = 1 << 16
HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Info:
    """The hostagent's answer."""

    ssh_port: int | None
    """Where the VM's sshd is reached on 127.0.0.1; None while it does not say."""


async def hostagent_info(socket: Path, deadline: float = DEADLINE) -> Info | None:
    """Ask it; None when it refuses, is silent past the deadline or answers nonsense.

    Raises CannotLook when we may not connect.
    """
    try:
        with anyio.fail_after(deadline):
            return _decode(await _get(socket))
    except OSError as error:
        if error.errno in {EACCES, EPERM}:
            raise CannotLook(str(socket), f"cannot connect: {error.strerror}") from error
        return None
    except (ClientError, ValueError):
        return None


async def _get(socket: Path) -> bytes:
    async with (
        ClientSession(connector=UnixConnector(str(socket))) as session,
        session.get("http://hostagent/v1/info", raise_for_status=True) as response,
    ):
        body = bytearray()
        async for chunk in response.content.iter_chunked(BODY_LIMIT):
            body += chunk
            if len(body) > BODY_LIMIT:
                raise ValueError("an answer this long is none")
        return bytes(body)


def _decode(body: bytes) -> Info | None:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        return None
    port = answer.get("sshLocalPort")
    usable = isinstance(port, int) and 0 < port <= HIGHEST_PORT
    return Info(port if usable else None)
