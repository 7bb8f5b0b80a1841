"""HTTP on 127.0.0.1: metrics, health and status, all from memory; nothing here changes anything.

A request that names another host is refused, since a web page may point a name of its own at
127.0.0.1; slow, long and many requests are cut off, and none of them keeps the engine. What a
client did wrong is answered and not logged: a client could fill the log with it.
"""

import asyncio
import base64
import hashlib
import html
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from healer.serving.accepting import wants_openmetrics

_HEAD_BYTES: Final = 8190
"""A request's line and each of its headers; aiohttp refuses longer ones with 400."""
_HEAD_WITHIN: Final = 5.0
"""Seconds for a whole request head to come in."""
_KEPT_ALIVE: Final = 75.0
"""Seconds between two requests on one connection: longer than a scrape's usual minute."""
_AT_ONCE: Final = 64
"""Connections; one more ends the one that was quiet for longest."""
_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_METHODS: Final = frozenset({"GET", "HEAD"})

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class PortTaken(Exception):
    """Nobody can listen there; the message names the port and how to find its owner."""


class MetricsPage(Protocol):
    """The page of metrics."""

    def __call__(self, *, openmetrics: bool) -> tuple[bytes, str]:
        """Give the body and its content type, in OpenMetrics or in plain text."""
        ...


@dataclass(frozen=True, slots=True)
class Pages:
    """What is served, each from memory."""

    metrics: MetricsPage
    health: Callable[[], str]
    """'' while all is well with healer itself, else why not."""
    status: Callable[[], Mapping[str, Any]]


@asynccontextmanager
async def serving(port: int, pages: Pages) -> AsyncIterator[int]:
    """Serve while the context lives; gives the port. Raises PortTaken."""
    runner = web.ServerRunner(
        _Server(pages, port).server, shutdown_timeout=0.5, handle_signals=False
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, backlog=_AT_ONCE, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(
                f"http port {port}: {error.strerror}; who has it: "
                f"lsof -nP -iTCP:{port} -sTCP:LISTEN; another one: http.port in the settings"
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class _Server:
    def __init__(self, pages: Pages, port: int) -> None:
        self._pages = pages
        self._port = port
        self._routes: Mapping[str, Callable[[web.BaseRequest], web.Response]] = {
            "/": self._landing,
            "/metrics": self._metrics,
            "/healthz": self._health,
            "/api/status": self._status,
        }
        self.server = _Bounded(
            self._serve,
            access_log=None,
            max_line_size=_HEAD_BYTES,
            max_field_size=_HEAD_BYTES,
            max_headers=64,
            keepalive_timeout=_KEPT_ALIVE,
            lingering_time=1.0,
        )

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer at once; a body is never read."""
        self.server.heard(request)
        response = self._answer(request)
        if request.can_read_body:
            response.force_close()
        return response

    def _answer(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Host", "") not in self._hosts(request):
            return _words(421, "this server answers to 127.0.0.1 and localhost only")
        if request.method not in _METHODS:
            refused = _words(405, "nothing over HTTP changes anything: GET and HEAD only")
            refused.headers["Allow"] = "GET, HEAD"
            return refused
        route = self._routes.get(request.path)
        return route(request) if route else _words(404, "see / for what is here")

    def _hosts(self, request: web.BaseRequest) -> set[str]:
        port = self._port or (request.transport and request.transport.get_extra_info("sockname")[1])
        return {f"{host}:{port}" for host in _HOSTS}

    def _metrics(self, request: web.BaseRequest) -> web.Response:
        try:
            openmetrics = wants_openmetrics(", ".join(request.headers.getall("Accept", [])))
        except ValueError as error:
            return _words(400, str(error))
        body, kind = self._pages.metrics(openmetrics=openmetrics)
        return web.Response(body=body, headers={"Content-Type": kind})

    def _health(self, request: web.BaseRequest) -> web.Response:
        del request
        why = self._pages.health()
        return _words(503, why) if why else _words(200, "ok")

    def _status(self, request: web.BaseRequest) -> web.Response:
        del request
        text = json.dumps(self._pages.status())
        return web.Response(text=text, content_type="application/json")

    def _landing(self, request: web.BaseRequest) -> web.Response:
        del request
        page = _page(self._pages.status(), self._pages.health())
        return web.Response(text=page, content_type="text/html")


class _Request(web.BaseRequest):
    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        """Called before any head is written, also that of an error which aiohttp answers."""
        response.headers.pop("Server", None)
        response.headers.update(_SAFE)


class _Connection(web.RequestHandler):
    """What a client did wrong is answered, without the traceback that aiohttp would log."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer an error."""
        if status == HTTPStatus.BAD_REQUEST:
            refused = _words(status, message or "malformed request")
            refused.force_close()
            return refused
        return super().handle_error(request, status, exc, message)


class _Bounded(web.Server):
    """Neither too many connections at once, nor any that says nothing."""

    def __init__(self, handler: _Handler, **settings: Any) -> None:  # noqa: ANN401  (aiohttp's own)
        super().__init__(handler, request_factory=_request, **settings)
        self._settings = settings
        self._quiet: dict[web.RequestHandler, asyncio.Transport] = {}
        """All connections; the one that was heard last stands last."""
        self._silent: set[web.RequestHandler] = set()
        """Connections that have not sent a whole request yet."""

    def __call__(self) -> web.RequestHandler:
        """Make what answers on one connection."""
        return _Connection(self, loop=asyncio.get_running_loop(), **self._settings)

    def heard(self, request: web.BaseRequest) -> None:
        """This connection has sent a whole request."""
        self._silent.discard(request.protocol)
        transport = self._quiet.pop(request.protocol, None)
        if transport is not None:
            self._quiet[request.protocol] = transport

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """A connection begins, if need be in the place of the one that was quiet for longest."""
        super().connection_made(handler, transport)
        self._quiet[handler] = transport
        self._silent.add(handler)
        if len(self._quiet) > _AT_ONCE:
            quietest = next(iter(self._quiet))
            self._quiet.pop(quietest).abort()
        loop = asyncio.get_running_loop()
        loop.call_later(_HEAD_WITHIN, self._close_if_silent, handler)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """A connection ended."""
        super().connection_lost(handler, exc)
        self._quiet.pop(handler, None)
        self._silent.discard(handler)

    def _close_if_silent(self, connection: web.RequestHandler) -> None:
        if connection in self._silent:
            self._silent.discard(connection)
            connection.force_close()


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    return _Request(message, payload, protocol, writer, task, asyncio.get_running_loop())


def _words(status: int, words: str) -> web.Response:
    return web.Response(status=status, text=f"{words}\n")


_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td { padding: .35rem .75rem; border-top: 1px solid #8884; vertical-align: top; }
td:first-child { font-weight: 600; }
td:nth-child(2) { white-space: nowrap; }
.ok { color: #2a8a4a; } .failing, .gave_up { color: #c62828; }
.held, .suspect, .blocked { color: #b26a00; } .healing, .verifying { color: #1565c0; }
.unknown, .grace, .paused { color: #777; }
nav a { margin-right: 1rem; }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Sent with every answer: what is shown here runs nothing and stands in nobody's frame."""


def _page(status: Mapping[str, Any], stalled: str) -> str:
    """What a person sees who opens the port in a browser."""
    rows = "".join(_row(one) for one in reversed(status["layers"]))
    note = f'<p class="failing">{html.escape(stalled)}</p>' if stalled else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>healer</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>healer {html.escape(str(status['version']))}</h1>{note}"
        f"<table>{rows}</table>"
        '<nav><p><a href="/metrics">metrics</a><a href="/api/status">status as JSON</a>'
        '<a href="/healthz">health</a></p></nav></html>'
    )


def _row(one: Mapping[str, Any]) -> str:
    seen = html.escape(str(one["why"] or one["summary"]))
    state = html.escape(str(one["state"]))
    shown = f'<td class="{state}">{state.replace("_", " ")}</td>'
    return f"<tr><td>{html.escape(one['layer'])}</td>{shown}<td>{seen}</td></tr>"
