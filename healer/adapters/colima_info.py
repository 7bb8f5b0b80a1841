"""Lima's hostagent by its own socket: `GET /v1/info` on ha.sock (facts/colima.md §2)."""

import json
from dataclasses import dataclass
from errno import EACCES, EPERM
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.colima_files import HIGHEST_PORT
from healer.adapters.connecting import words_of
from healer.adapters.exchange import http_answer, unix
from healer.ports import CannotLook, TargetIll, TargetSilent

DEADLINE: Final = 3.0
"""Seconds; Lima itself waits as long before it says Broken (facts/colima.md §1.2)."""
BODY_LIMIT: Final = 1 << 16
_OK: Final = 200


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
            return await _asked(socket)
    except OSError as error:
        if error.errno in {EACCES, EPERM}:
            raise CannotLook(str(socket), f"cannot connect: {error.strerror}") from error
        return None
    except ValueError:
        return None


async def ask_usernet(socket: Path, deadline: float = DEADLINE) -> None:
    """Return when usernet answers a question about itself, which no guest is needed for.

    Raises TargetIll, TargetSilent; CannotLook when there is no such socket, or none for us.
    """
    place = str(socket)
    try:
        with anyio.fail_after(deadline):
            async with unix(socket) as exchange:
                said = await exchange.get("/services/dhcp/leases", BODY_LIMIT)
    except TimeoutError as error:
        raise TargetSilent(place, f"usernet gave no answer within {deadline:g} s") from error
    except (FileNotFoundError, PermissionError) as error:
        raise CannotLook(place, words_of(error)) from error
    except OSError as error:
        raise TargetIll(place, f"usernet: {words_of(error)}") from error
    if http_answer(said) is None:
        raise TargetIll(place, "usernet speaks no HTTP")


async def _asked(socket: Path) -> Info | None:
    async with unix(socket) as exchange:
        answer = http_answer(await exchange.get("/v1/info", BODY_LIMIT))
    return _decode(answer.body) if answer is not None and answer.status == _OK else None


def _decode(body: bytes) -> Info | None:
    answer = json.loads(body)
    if not isinstance(answer, dict):
        return None
    port = answer.get("sshLocalPort")
    usable = isinstance(port, int) and 0 < port <= HIGHEST_PORT
    return Info(port if usable else None)
