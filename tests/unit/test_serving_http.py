"""HTTP on 127.0.0.1, asked by real sockets, well and ill."""

import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from aiohttp import ClientSession

from healer.serving.http import Pages, PortTaken, serving

PATIENCE = 60.0


@dataclass
class House:
    """What is served, and how often it was asked for."""

    port: int = 0
    stalled: str = ""
    asked: list[str] = field(default_factory=list)

    def metrics(self, accept: str) -> tuple[bytes, str]:
        """A page that names what was asked for."""
        self.asked.append(accept)
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
            await stream.send(words.encode())
            said = b""
            with anyio.fail_after(PATIENCE):
                while True:
                    try:
                        said += await stream.receive()
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        return said

    async def get(self, path: str, *, method: str = "GET", host: str = "") -> bytes:
        """One request that asks for its connection to be closed."""
        host = host or f"127.0.0.1:{self.port}"
        return await self.raw(
            f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
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
        async with session.get(url, headers={"Accept": "text/x"}) as answer:
            assert (200, b"healer_up 1\n") == (answer.status, await answer.read())
            assert "text/plain; version=0.0.4" == answer.headers["Content-Type"]
            assert "no-store" == answer.headers["Cache-Control"]
    assert ["text/x"] == house.asked


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


async def test_too_many_connections_are_cut_off(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one too many is closed at once; those that came before are served."""
    monkeypatch.setattr("healer.serving.http._AT_ONCE", 2)
    async with (
        await anyio.connect_tcp("127.0.0.1", house.port) as first,
        await anyio.connect_tcp("127.0.0.1", house.port) as second,
    ):
        ask = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\n\r\n".encode()
        for one in (first, second):
            await one.send(ask)
            assert b"200 OK" in await one.receive()
        assert b"" == await house.raw("")


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
