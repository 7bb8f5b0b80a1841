"""The same words from the Mac and, over a real sshd, in the VM; and what TLS shows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from healer.adapters.docker import DockerEngine
from healer.adapters.kubernetes import KubernetesCluster, Names
from healer.adapters.listeners import Listeners
from healer.adapters.paths import RealPath
from healer.adapters.process import ProcessRunner
from healer.adapters.published import PublishedPorts
from healer.adapters.serving_certificate import shown_by
from healer.adapters.ssh import DirectSsh
from healer.model.published import PublishedService
from healer.ports import CannotLook, PortError, TargetIll, TargetSilent, WrongAnswer
from tests.fakes.door import FakeDoor
from tests.fakes.host import OURS, FakeHost
from tests.unit.adapters.ssh_door import SYSTEM, Door, answering, free_port
from tests.unit.adapters.test_published import ENDLESS, Serve, saying, server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REDIS = b"+PONG\r\n$0\r\n\r\n+OK\r\n"
SICK = b"+PONG\r\n$27\r\naof_last_write_status:err\r\n\r\n+OK\r\n"
HEALTH = b'HTTP/1.0 200 OK\r\nContent-Length: 11\r\n\r\n{"ok":true}'


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One sshd for all tests of this file: a start costs half a second."""
    one = Door(tmp_path_factory.mktemp("paths"))
    yield one
    one.close()


@pytest.fixture
def door(shared: Door) -> Door:
    """A VM in which all is well."""
    shared.heal()
    return shared


def path_of(door: Door) -> RealPath:
    """Eyes through that door."""
    environment = {"PATH": SYSTEM, "HOME": str(door.folder)}
    runner = ProcessRunner()

    async def no_port() -> int | None:
        return None

    return RealPath(
        PublishedPorts(Listeners(FakeHost(), OURS)),
        DirectSsh(runner, door.paths, environment, answering(door.port)),
        DockerEngine(door.folder / "docker.sock", "box", "joelclaw", FakeDoor()),
        KubernetesCluster(door.folder / "kubeconfig", Names("box"), no_port),
    )


async def in_vm(door: Door, serve: Serve, protocol: str) -> str | PortError:
    """What a server says when it is asked in the VM."""
    async with server(serve) as port:
        service = PublishedService("web", port, protocol, "/health", '"ok":true')
        answers: Mapping[int, str | PortError] = await path_of(door).in_vm([service])
    return answers[port]


@pytest.mark.parametrize(
    ("expected", "said", "protocol"),
    [
        ('{"ok":true}', HEALTH, "http"),
        ("+PONG", REDIS, "redis"),
        (WrongAnswer, SICK, "redis"),
        (WrongAnswer, b"HTTP/1.0 503 Lagging\r\n\r\nlag", "http"),
        (TargetIll, b"SMTP at your service\r\n", "http"),
        (TargetIll, ENDLESS, "http"),
        ("accepts", b"", "tcp"),
    ],
)
async def test_the_vm_is_spoken_to_in_the_protocol(
    expected: str | type[PortError], said: bytes, protocol: str, door: Door
) -> None:
    """Right, wrong, foreign and endless answers, told as on the Mac."""
    found = await in_vm(door, saying(said), protocol)

    assert expected == (found if isinstance(found, str) else type(found))


async def test_silence_in_the_vm_ends(door: Door) -> None:
    """The far end bounds itself."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()
        await asyncio.Event().wait()

    assert TargetSilent is type(await in_vm(door, silent, "http"))


async def test_a_closed_port_of_the_vm_refuses(door: Door) -> None:
    """Two ports in one round trip, each with its own answer."""
    async with server(saying(REDIS)) as port:
        closed = PublishedService("gone", free_port(), "http", "/")
        redis = PublishedService("redis", port, "redis")
        answers = await path_of(door).in_vm([closed, redis])

    refused = answers[closed.host_port]
    assert isinstance(refused, TargetIll)
    assert ("Connection refused", "+PONG") == (refused.detail, answers[port])


async def test_a_vm_without_bash_is_not_seen(door: Door) -> None:
    """Nothing is said of what could not be asked."""
    door.play("sh", "exit 0")
    with pytest.raises(CannotLook):
        await path_of(door).in_vm([PublishedService("web", 80, "http", "/")])


async def test_plain_bytes_are_no_tls() -> None:
    """An accept is no server: a certificate must be shown."""
    async with server(saying(b"hello")) as port:
        with pytest.raises(TargetIll):
            await shown_by("127.0.0.1", port)
