"""What an API server, or whatever stands on its port, does when it is ill."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import count

import anyio
from aiohttp import web

from tests.apiserver.statuses import status

Fault = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
"""Answers one request instead of the server."""

CHUNK = 1 << 20


async def hung(request: web.BaseRequest) -> web.StreamResponse:
    """Take the request and never answer, as a half-dead forward does."""
    del request
    await asyncio.Event().wait()
    raise AssertionError


async def slow_headers(request: web.BaseRequest) -> web.StreamResponse:
    """Send one header after another and never the end of them."""
    transport = _transport(request)
    transport.write(b"HTTP/1.1 200 OK\r\n")
    for number in count():
        transport.write(f"X-Slow-{number}: 1\r\n".encode())
        await asyncio.sleep(0.02)
    raise AssertionError


async def garbage(request: web.BaseRequest) -> web.StreamResponse:
    """Answer over TLS in no protocol at all."""
    return await _raw(request, b"\x00\x01\x02 SSH-2.0-nonsense\r\n\r\n")


async def no_date(request: web.BaseRequest) -> web.StreamResponse:
    """A list in good form, without the server's time."""
    body = b'{"kind":"List","metadata":{},"items":[]}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return await _raw(request, head.encode() + body)


async def web_page(request: web.BaseRequest) -> web.StreamResponse:
    """Another server's page with status 200."""
    del request
    return web.Response(text="<html>It works!</html>", content_type="text/html")


async def truncated(request: web.BaseRequest) -> web.StreamResponse:
    """Half a JSON document in a whole answer."""
    del request
    return web.Response(text='{"kind":"PodList","items":[{"meta', content_type="application/json")


async def nested(request: web.BaseRequest) -> web.StreamResponse:
    """JSON so deep that a decoder gives up."""
    del request
    return web.Response(text="[" * 200_000, content_type="application/json")


async def huge(request: web.BaseRequest) -> web.StreamResponse:
    """A body of 100 MB that it never says the length of."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    for _ in range(100):
        await response.write(b" " * CHUNK)
    return response


async def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection in the middle of the body."""
    transport = _transport(request)
    transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")
    await asyncio.sleep(0)
    transport.abort()
    raise ConnectionResetError


def refusing(code: int, reason: str = "", *, retry_after: int | None = None) -> Fault:
    """Answer with a Status of that code."""

    async def fault(request: web.BaseRequest) -> web.StreamResponse:
        del request
        body = status(code, reason, f"the lab says {code}")
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return web.json_response(body, status=code, headers=headers)

    return fault


def answering(body: object, code: int = 200) -> Fault:
    """Answer with any JSON."""

    async def fault(request: web.BaseRequest) -> web.StreamResponse:
        del request
        return web.Response(text=json.dumps(body), status=code, content_type="application/json")

    return fault


def after(came: anyio.Event, may_go: anyio.Event, body: object) -> Fault:
    """Say that the request came, and answer it when told to."""

    async def fault(request: web.BaseRequest) -> web.StreamResponse:
        came.set()
        await may_go.wait()
        return await answering(body)(request)

    return fault


def _transport(request: web.BaseRequest) -> asyncio.Transport:
    assert isinstance(request.transport, asyncio.Transport)
    return request.transport


async def _raw(request: web.BaseRequest, data: bytes) -> web.StreamResponse:
    transport = _transport(request)
    transport.write(data)
    await asyncio.sleep(0)
    transport.close()
    raise ConnectionResetError
