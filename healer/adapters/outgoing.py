"""One HTTP call to somebody outside: bounded, without redirects, and silent about its address.

The address is a secret (a webhook's path is its password), so nothing of what the library
says is passed on: its errors quote the address, and its exceptions are not chained either.
"""

import os
import socket
import ssl
from asyncio import Future, get_running_loop
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Thread
from typing import Final, cast
from urllib.parse import SplitResult, urlsplit

import anyio
from aiohttp import (
    ClientConnectorDNSError,
    ClientError,
    ClientOSError,
    ClientSession,
    ClientTimeout,
    InvalidURL,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult

from healer.adapters.authorities import trusting_once
from healer.ports import ActFailed, CannotLook, PortError, TargetIll, TargetSilent

_GOOD: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_UNTRUSTED: Final = {10: "has expired", 18: "is self-signed", 62: "is for another host"}
"""OpenSSL's codes; its own words quote the host."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent, and where to."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = None


def fault_of_url(url: str) -> str:
    """Why it cannot be called, without quoting it; '' = it can."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and _port_is_good(parts)
    except ValueError:
        good = False
    return "" if good else "does not hold a URL that begins with https:// or http://"


def _port_is_good(parts: SplitResult) -> bool:
    """Raises ValueError when it is no number that a port can have."""
    return parts.port is None or parts.port > 0


async def call(what: Call, place: str, deadline: float) -> None:
    """Make the call; any 2xx is success, and what the other side says is not read.

    Raises CannotLook, TargetIll, TargetSilent and ActFailed, each with `place` and our words.
    """
    if fault := fault_of_url(what.url):
        raise CannotLook(place, fault)
    failed: PortError | None = None
    try:
        with anyio.fail_after(deadline):
            status = await _status(what)
    except TimeoutError:
        failed = TargetSilent(place, f"no answer within {deadline:g} s")
    except (ClientError, OSError, ValueError) as error:
        failed = TargetIll(place, _words(error))
    else:
        failed = _judged(status, place)
    # Raised out here, where no exception of the library is at hand to be chained.
    if failed is not None:
        raise failed


async def _status(what: Call) -> int:
    secure = urlsplit(what.url).scheme == "https"
    trust = await anyio.to_thread.run_sync(trusting_once) if secure else True
    connector = TCPConnector(resolver=_Resolver(), force_close=True, ssl=trust)
    # The library's own timers are off: one deadline holds for all of it.
    async with (
        ClientSession(connector=connector, timeout=ClientTimeout(total=None)) as session,
        session.request(
            what.method, what.url, data=what.body, headers=what.headers, allow_redirects=False
        ) as response,
    ):
        return response.status


def _judged(status: int, place: str) -> PortError | None:
    if status in _GOOD:
        return None
    if status in _MOVED:
        return ActFailed(place, f"HTTP {status}: it points elsewhere, which is not followed")
    known = {one.value: f" {one.phrase}" for one in HTTPStatus}
    return ActFailed(place, f"HTTP {status}{known.get(status, '')}")


def _words(error: Exception) -> str:
    """What went wrong, without the address."""
    if isinstance(error, ClientConnectorDNSError):
        return "its name could not be resolved"
    if isinstance(error, InvalidURL):
        return "the URL is not one that can be called"
    # The library's own error of a certificate is of that type too, and knows no code.
    for one in (getattr(error, "certificate_error", error), error.__cause__):
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate {_UNTRUSTED.get(one.verify_code, 'is not trusted')}"
        if isinstance(one, ssl.SSLError):
            return "TLS failed: it speaks none, or none that both know"
    if isinstance(error, ClientOSError | OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return "the connection broke, or it does not speak HTTP"


class _Resolver(AbstractResolver):
    """Asks the system in a thread of its own.

    The loop's own threads are waited for at its end: a resolver that hangs on a dead network
    would keep a daemon from ending in time.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address. Raises OSError."""
        loop = get_running_loop()
        answer: Future[object] = loop.create_future()

        def ask() -> None:
            try:
                found: object = _addresses(host, port, family)
            except OSError as error:
                found = error
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, answer, found)

        Thread(target=ask, name="resolve", daemon=True).start()
        found = await answer
        if isinstance(found, OSError):
            raise found
        return cast("list[ResolveResult]", found)

    async def close(self) -> None:
        """There is nothing to close."""


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname=host,
            host=str(where[0]),
            port=port,
            family=kind,
            proto=protocol,
            flags=socket.AI_NUMERICHOST,
        )
        for kind, _, protocol, _, where in socket.getaddrinfo(
            host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    ]


def _tell(answer: Future[object], found: object) -> None:
    """Nobody may be waiting any more."""
    if not answer.done():
        answer.set_result(found)
