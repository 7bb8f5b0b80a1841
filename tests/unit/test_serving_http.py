"""HTTP on 127.0.0.1, asked by real sockets, well and ill."""

import base64
import gc
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from aiohttp import ClientSession

from healer.serving.http import Pages, PortTaken, serving
from tests.patience import PATIENCE

OPEN = "application/openmetrics-text; version=1.0.0"


@dataclass
class House:
    """What is served, and how often it was asked for."""

    port: int = 0
    stalled: str = ""
    asked: list[bool] = field(default_factory=list)

    def metrics(self, *, openmetrics: bool) -> tuple[bytes, str]:
        """A page that keeps which format was asked for."""
        self.asked.append(openmetrics)
        return b"healer_up 1\n", "text/plain; version=0.0.4"

    def status(self) -> dict[str, Any]:
        """A status with words that HTML must not believe."""
        layer = {"layer": "pods", "state": "gave_up", "why": "<script>alert(1)</script>"}
        return {"version": "1.2.3", "layers": [layer]}

    @property
    def pages(self) -> Pages:
        """As the server takes them."""
        return Pages(self.metrics, lambda: self.stalled, self.status)

    async def raw(self, words: str) -> bytes:
        """All that comes back for these bytes, until the server ends the connection."""
        async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
            await stream.send(words.encode("latin-1"))
            said = b""
            with anyio.fail_after(PATIENCE):
                while True:
                    try:
                        said += await stream.receive()
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        return said

    async def get(
        self, path: str, *, method: str = "GET", host: str = "", headers: str = ""
    ) -> bytes:
        """One request that asks for its connection to be closed."""
        host = host or f"127.0.0.1:{self.port}"
        return await self.raw(
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        )


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """A server on a free port."""
    made = House()
    async with serving(0, made.pages) as made.port:
        yield made


async def test_metrics_are_served_as_they_were_asked_for(house: House) -> None:
    """With the type that goes with the body."""
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{house.port}/metrics"
        async with session.get(url, headers={"Accept": OPEN}) as answer:
            assert (200, b"healer_up 1\n") == (answer.status, await answer.read())
            assert "text/plain; version=0.0.4" == answer.headers["Content-Type"]
            assert "no-store" == answer.headers["Cache-Control"]
    assert [True] == house.asked


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/x", False),
        (OPEN, True),
        ("application/openmetrics-text", True),
        ('Application/OpenMetrics-Text ; version="1.0.0" ; charset=utf-8', True),
        (f"{OPEN};escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1", True),
        (f"{OPEN};q=0.2, text/plain;q=0.5", False),
        (f"{OPEN};q=0", False),
        ("application/openmetrics-text; version=1.0.299", False),
        ("application/openmetrics-text; version=abc", False),
        ("image/png,, text/html", False),
        (f'text/x;a="b,c";q=0.9, {OPEN}', True),
    ],
)
async def test_a_format_is_negotiated(house: House, accept: str, openmetrics: bool) -> None:  # noqa: FBT001  (a table of cases)
    """What is not on offer gets the plain format, and no page of its own."""
    said = await house.get("/metrics", headers=f"Accept: {accept}\r\n")

    assert b" 200 OK" in said
    assert [openmetrics] == house.asked


@pytest.mark.parametrize(
    "accept",
    [
        'application/openmetrics-text; version="',
        ";;;;,,,q=",
        "application/openmetrics-text; q=x",
        "application/openmetrics-text; version=1e9\x7f",
        "text",
        "\xff\xfe",
        "a/b;" * 1000,
        "a" * 8000,
    ],
)
async def test_a_malformed_accept_is_refused(
    house: House, accept: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With 400, an explanation, and no traceback in the log."""
    said = await house.get("/metrics", headers=f"Accept: {accept}\r\n")

    assert b" 400 " in said
    assert b"Accept" in said
    assert not house.asked
    assert not caplog.records


async def test_a_second_host_is_refused(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """With 400 and no traceback: a client can cause it as often as it likes."""
    said = await house.get("/metrics", headers="Host: evil.example\r\n")

    assert b" 400 " in said
    assert not caplog.records


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/api/status", "/none", "/\x01"])
async def test_every_answer_is_safe_to_show(house: House, path: str) -> None:
    """In no frame, with no script, with no referrer, and without a banner; errors too."""
    head, _, _ = (await house.get(path)).partition(b"\r\n\r\n")
    headers = {line.partition(b":")[0].lower(): line for line in head.split(b"\r\n")[1:]}

    assert b"default-src 'none'" in headers[b"content-security-policy"]
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert b"DENY" in headers[b"x-frame-options"]
    assert b"no-referrer" in headers[b"referrer-policy"]
    assert b"nosniff" in headers[b"x-content-type-options"]
    assert b"no-store" in headers[b"cache-control"]
    assert b"server" not in headers


async def test_the_style_of_the_page_is_allowed_by_its_hash(house: House) -> None:
    """And nothing else that stands inline."""
    head, _, page = (await house.get("/")).partition(b"\r\n\r\n")
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style).digest())

    assert style
    assert b"style-src 'sha256-" + digest + b"'" in head


async def test_health_tells_of_a_stall(house: House) -> None:
    """200 while all live, 503 with the names of those that do not."""
    assert b"200 OK" in await house.get("/healthz")

    house.stalled = "no sign of life: probe pods"
    said = await house.get("/healthz")
    assert b" 503 " in said
    assert b"no sign of life: probe pods" in said


async def test_status_is_json(house: House) -> None:
    """The same document that `healer status --json` prints."""
    _, _, body = (await house.get("/api/status")).partition(b"\r\n\r\n")

    assert house.status() == json.loads(body)


async def test_the_landing_page_shows_the_tower_and_believes_no_words(house: House) -> None:
    """What a layer says of itself is text, not markup."""
    page = (await house.get("/")).decode()

    assert "<h1>healer 1.2.3</h1>" in page
    assert 'class="gave_up">gave up<' in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1:1", "localhost."])
async def test_a_name_that_is_not_ours_is_refused(house: House, host: str) -> None:
    """A web page that points its own name at 127.0.0.1 learns nothing."""
    said = await house.get("/api/status", host=host)

    assert b" 421 " in said
    assert b"layers" not in said


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_our_own_names_are_taken(house: House, name: str) -> None:
    """Both, with the port."""
    assert b"200 OK" in await house.get("/healthz", host=f"{name}:{house.port}")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_is_changed_over_http(house: House, method: str) -> None:
    """GET and HEAD only."""
    said = await house.get("/metrics", method=method)

    assert b" 405 " in said
    assert b"Allow: GET, HEAD" in said


async def test_an_unknown_path_is_not_there(house: House) -> None:
    """404, and where to look."""
    assert b" 404 " in await house.get("/admin")


async def test_a_long_head_is_refused(house: House) -> None:
    """Past 8 KiB in one header."""
    said = await house.raw(
        f"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nX: {'y' * 10_000}\r\n\r\n"
    )

    assert b" 400 " in said


async def test_garbage_is_refused(house: House) -> None:
    """What is no HTTP ends its own connection only."""
    assert b" 400 " in await house.raw("\x16\x03\x01 hello\r\n\r\n")
    assert b"200 OK" in await house.get("/healthz")


async def test_who_never_ends_a_head_is_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that drips does not hold a connection for ever."""
    monkeypatch.setattr("healer.serving.http._HEAD_WITHIN", 0.1)

    assert b"" == await house.raw("GET /metrics HTTP/1.1\r\nHo")


@pytest.mark.parametrize("idle", ["asked", "silent", "deaf"])
async def test_idle_connections_make_room(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, idle: str
) -> None:
    """The one that was quiet for longest ends, whatever it does; a newcomer is always served."""
    monkeypatch.setattr("healer.serving.http._AT_ONCE", 2)
    ask = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\n\r\n".encode()
    async with AsyncExitStack() as stack:
        crowd = []
        for _ in range(2):
            one = await stack.enter_async_context(await anyio.connect_tcp("127.0.0.1", house.port))
            crowd.append(one)
            if idle == "deaf":
                with anyio.move_on_after(0.5):
                    await one.send(ask * 100_000)
            elif idle == "asked":
                await one.send(ask)
                assert b"200 OK" in await one.receive()

        assert b"200 OK" in await house.get("/healthz")

        if idle == "asked":
            await crowd[1].send(ask)
            assert b"200 OK" in await crowd[1].receive()
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await crowd[0].receive()
    assert not caplog.records


async def test_a_crowd_leaves_no_traceback(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Connections that come at one blow, more than are kept."""
    monkeypatch.setattr("healer.serving.http._AT_ONCE", 2)
    crowd = [socket.create_connection(("127.0.0.1", house.port)) for _ in range(40)]
    try:
        assert b"200 OK" in await house.get("/healthz")
    finally:
        for one in crowd:
            one.close()
    gc.collect()
    await anyio.lowlevel.checkpoint()

    assert not caplog.records


async def test_scrapes_cost_the_probes_nothing(house: House) -> None:
    """A task that wants to run between two scrapes always gets to run."""
    turns, scrapes = 0, 300

    async def another_task() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(another_task)
        async with ClientSession() as session:
            for _ in range(scrapes):
                url = f"http://127.0.0.1:{house.port}/metrics"
                async with session.get(url) as answer:
                    assert 200 == answer.status
        tasks.cancel_scope.cancel()

    assert turns > scrapes


async def test_a_taken_port_is_named_with_its_remedy() -> None:
    """Which port, why, how to find its owner, and the setting that takes another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            async with serving(port, House().pages):
                pass

    assert f"http port {port}: " in str(caught.value)
    assert f"lsof -nP -iTCP:{port} -sTCP:LISTEN" in str(caught.value)
    assert "http.port" in str(caught.value)
