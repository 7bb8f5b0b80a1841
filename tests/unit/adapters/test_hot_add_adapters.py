"""Docker and the Mac's own ports, as a hot-add asks them; and its journal."""

import socket
from pathlib import Path

import pytest

from healer.adapters.docker_hot_add import HotAddEngine
from healer.adapters.hot_add_book import HotAddBook
from healer.adapters.mac_ports import MacPorts
from healer.model.container import PortBinding
from healer.model.hot_add import Started, Step
from healer.model.port_edit import WantedPort
from healer.ports import ActFailed, CannotLook, TargetIll
from tests.fakes.door import FakeDoor
from tests.unit.adapters.docker_engine import SECRET, engine
from tests.unit.adapters.ssh_door import free_port

STARTED = Started(
    WantedPort(9627, 3000),
    "abc123",
    "/var/lib/docker",
    was_running=True,
    was_ready=True,
    pauses=True,
    ports=(PortBinding(6379, "", 6379),),
)


async def test_docker_is_asked_for_neighbours_and_root(short_folder: Path) -> None:
    """The container itself is no neighbour; a stop has Talos' patience and goes by id."""
    async with engine(short_folder / "docker.sock") as one:
        listed = [{"Id": "abc123", "Names": ["/talos-1"]}, {"Id": "def", "Names": ["/registry"]}]
        one.answers["/containers/json"] = (200, listed)
        one.answers["/info"] = (200, {"DockerRootDir": "/var/lib/docker"})
        one.answers["/containers/abc123/stop"] = (304, b"")
        docker = HotAddEngine(one.socket, "talos-1", "joel", FakeDoor())
        await docker.container()
        assert ["registry"] == await docker.others_running("abc123")
        assert "/var/lib/docker" == await docker.root()
        await docker.stop("abc123")
        (asked,) = [two for two in one.asked if two.path.endswith("/stop")]
    assert {"t": "120"} == asked.query


@pytest.mark.parametrize("said", [b"SECRET", b"[]", b'{"DockerRootDir":7}', b"x" * 5_000_000])
async def test_a_docker_that_talks_nonsense_is_ill(short_folder: Path, said: bytes) -> None:
    """Garbled, of the wrong kind, or huge; nothing of it is repeated."""
    async with engine(short_folder / "docker.sock") as one:
        one.answers["/info"] = (200, said)
        with pytest.raises(TargetIll) as failed:
            await HotAddEngine(one.socket, "talos-1", "joel", FakeDoor()).root()
    assert SECRET not in str(failed.value)
    assert "SECRET" not in str(failed.value)


async def test_a_refused_stop_is_an_act_that_failed(short_folder: Path) -> None:
    """In Docker's own words."""
    async with engine(short_folder / "docker.sock") as one:
        one.answers["/containers/abc123/stop"] = (500, {"message": "cannot stop"})
        with pytest.raises(ActFailed, match="cannot stop"):
            await HotAddEngine(one.socket, "talos-1", "joel", FakeDoor()).stop("abc123")


async def test_a_port_of_the_mac_is_free_or_taken() -> None:
    """By binding, which sees those of other users too; udp, and IPv6 alone, as well."""
    mac = MacPorts()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        assert "somebody" in await mac.holder(udp.getsockname()[1], "udp")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert f"lsof -nP -iTCP:{port} shows who" in await mac.holder(port, "tcp")
        assert await mac.accepts(port)
    assert not await mac.accepts(port)
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", 0))
        other.listen()
        assert "somebody" in await mac.holder(other.getsockname()[1], "tcp")
    assert "" == await mac.holder(free_port(), "tcp")


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    """By another process: what it started from, what was begun, done and saved."""
    book = HotAddBook(tmp_path / "ports-add")
    assert book.progress() is None
    book.begin(STARTED)
    book.step(Step.PAUSE, done=False)
    book.step(Step.PAUSE, done=True)
    book.save({"hostconfig.json": b"{}"}, {"hostconfig.json": ("aa", "bb")})
    book.step(Step.EDIT, done=False)
    read = HotAddBook(tmp_path / "ports-add")
    found = read.progress()
    assert found is not None
    assert STARTED == found.started
    assert (frozenset({Step.PAUSE, Step.EDIT}), frozenset({Step.PAUSE})) == (
        found.begun,
        found.done,
    )
    assert {"hostconfig.json": ("aa", "bb")} == found.hashes
    assert b"{}" == read.copy("hostconfig.json")
    read.rolling_back()
    again = HotAddBook(tmp_path / "ports-add").progress()
    assert again is not None
    assert again.rolling_back
    read.finish("rolled back")
    assert HotAddBook(tmp_path / "ports-add").progress() is None


def test_a_torn_last_line_is_what_was_not_said(tmp_path: Path) -> None:
    """A kill in the middle of a write loses that line alone; the next one is whole."""
    book = HotAddBook(tmp_path)
    book.begin(STARTED)
    book.step(Step.PAUSE, done=False)
    (lines,) = tmp_path.glob("*/journal.jsonl")
    lines.write_bytes(lines.read_bytes() + b'\n{"done": "pau')
    again = HotAddBook(tmp_path)
    found = again.progress()
    assert found is not None
    assert frozenset() == found.done
    again.step(Step.STOP_CONTAINER, done=False)
    found = HotAddBook(tmp_path).progress()
    assert found is not None
    assert frozenset({Step.PAUSE, Step.STOP_CONTAINER}) == found.begun


@pytest.mark.parametrize("line", ['{"schema_version": 2}', '{"begun": "dance"}', "{}"])
def test_a_journal_of_another_kind_is_not_guessed_at(tmp_path: Path, line: str) -> None:
    """A future version's, or a broken one: said, with its place."""
    folder = tmp_path / "20260101-000000-00"
    folder.mkdir()
    (folder / "journal.jsonl").write_text(line)
    with pytest.raises(CannotLook, match=r"journal\.jsonl"):
        HotAddBook(tmp_path).progress()
