"""Docker's event stream, well and ill, on a real unix socket."""

import asyncio
from pathlib import Path

import anyio
import pytest

from healer.adapters.docker_events import DockerEvents
from healer.core.tower import Layer
from healer.ports import NotAsked, PortError, TargetIll
from tests.fakes.door import FakeDoor
from tests.patience import PATIENCE
from tests.unit.adapters.docker_engine import Ill
from tests.unit.adapters.docker_engine import engine as running_engine

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
DIE = b'{"Type":"container","Action":"die","Actor":{"ID":"abc"},"timeNano":1}\n'


def chunk(data: bytes) -> bytes:
    """As HTTP wraps it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def tells(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Ill:
    """A stream of these chunks that ends then."""

    async def told(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"".join(chunk(one) for one in chunks) + end)
        await writer.drain()

    return told


async def listened(folder: Path, ill: Ill) -> list[frozenset[Layer]]:
    """Whom the stream woke until it ended."""
    woken: list[frozenset[Layer]] = []
    async with running_engine(folder / "docker.sock") as engine:
        engine.ill["/events"] = ill
        with anyio.fail_after(PATIENCE):
            await DockerEvents(engine.socket, "talos-1", FakeDoor()).listen(woken.append)
    return woken


async def test_each_event_wakes_the_container_layers(short_folder: Path) -> None:
    """First that the stream stands, then each event; two in one chunk are one look."""
    woken = await listened(short_folder, tells(DIE, DIE + DIE))

    assert {Layer.DOCKER, Layer.TALOS} == woken[0]
    assert 1 <= len(woken[1:]) <= 2
    assert all(Layer.TALOS in one for one in woken)


async def test_half_an_event_waits_for_its_end(short_folder: Path) -> None:
    """A line that comes in two parts is one event."""
    woken = await listened(short_folder, tells(DIE[:20], DIE[20:]))

    assert 2 == len(woken)


async def test_a_container_of_a_longer_name_wakes_nobody(short_folder: Path) -> None:
    """The engine's filter is one of beginnings: its events come too, and are not ours."""
    other = b'{"Actor":{"Attributes":{"name":"talos-10"}}}\n'
    ours = b'{"Actor":{"Attributes":{"name":"talos-1"}}}\n'

    assert [DockerEvents.layers] == await listened(short_folder, tells(other, other))
    assert 2 == len(await listened(short_folder, tells(other + ours)))


async def test_no_engine_is_ill(short_folder: Path) -> None:
    """Nobody listens on the socket."""
    with pytest.raises(TargetIll):
        await DockerEvents(short_folder / "docker.sock", "talos-1", FakeDoor()).listen(
            lambda _: None
        )


async def test_a_shut_door_is_not_knocked_at(short_folder: Path) -> None:
    """A stream that is made anew would start what somebody has stopped."""
    door = FakeDoor()
    door.is_shut = True
    async with running_engine(short_folder / "docker.sock") as engine:
        with pytest.raises(NotAsked):
            await DockerEvents(engine.socket, "talos-1", door).listen(lambda _: None)
        assert [] == engine.asked


async def test_the_door_is_told_of_the_stream_and_of_every_event(short_folder: Path) -> None:
    """Another container's end may be dockerd's own."""
    door, seen = FakeDoor(), list[int]()
    other = b'{"Actor":{"Attributes":{"name":"registry"}}}\n'
    async with running_engine(short_folder / "docker.sock") as engine:
        engine.ill["/events"] = tells(other)
        with anyio.fail_after(PATIENCE):
            events = DockerEvents(engine.socket, "talos-1", door)
            await events.listen(lambda _: seen.append(door.streams))
    assert ([1], 0, 1) == (seen, door.streams, door.forgotten)


@pytest.mark.parametrize(
    "ill",
    [
        tells(b"x" * (1 << 20), b"x" * 1024),
        tells(DIE, end=b"5\r\nab"),
        tells(DIE, end=b"nonsense\r\n"),
    ],
    ids=["endless line", "cut", "bad chunk"],
)
async def test_what_is_no_stream_of_events_ends_it(short_folder: Path, ill: Ill) -> None:
    """It is listened to anew by whoever asked; nothing hangs."""
    with pytest.raises(PortError):
        await listened(short_folder, ill)


async def test_a_refusal_is_ill(short_folder: Path) -> None:
    """500 is no stream."""

    async def refuses(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    with pytest.raises(TargetIll, match="500"):
        await listened(short_folder, refuses)


async def test_a_silent_engine_is_ill_in_time(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that accepts and never answers is no stream (facts/talos-kubernetes.md §8)."""
    monkeypatch.setattr("healer.adapters.docker_events.SECONDS", 0.2)

    async def hung(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.Event().wait()

    with pytest.raises(TargetIll):
        await listened(short_folder, hung)


async def test_a_stream_that_says_nothing_is_made_anew_now_and_then(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is what health sounds like, and a dead stream too: it ends, without an error."""
    monkeypatch.setattr("healer.adapters.docker_events._LASTS", 0.2)

    async def silent(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        await writer.drain()
        await asyncio.Event().wait()

    assert [DockerEvents.layers] == await listened(short_folder, silent)
