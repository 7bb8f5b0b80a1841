"""A Redis asked for its settings, well, ill and odd."""

import asyncio

import anyio
import pytest

from healer.adapters.redis_settings import read, redis_settings
from healer.model.setup import RedisSettings
from healer.ports import CannotLook, Denied, PortError, TargetIll, TargetSilent
from tests.contracts.setup_worlds import redis_says
from tests.unit.adapters.ssh_door import free_port
from tests.unit.adapters.test_published import server

GOOD = RedisSettings("yes", "3600 1", "noeviction", 0)


async def asked(said: bytes, seconds: float = 5.0) -> RedisSettings:
    """What is made of a server that says so and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(said)
        await writer.drain()
        writer.close()

    async with server(serve) as port:
        return await redis_settings(port, seconds)


async def test_its_settings_are_read() -> None:
    """As a Redis 7 tells them."""
    assert GOOD == await asked(redis_says("yes"))


async def test_failed_saves_are_read() -> None:
    """Both of its words."""
    said = redis_says("yes").replace(b"bgsave_status:ok", b"bgsave_status:err")
    found = await asked(said.replace(b"bgrewrite_status:ok", b"bgrewrite_status:err"))

    assert ("err", "err") == (found.rewrite, found.snapshot)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"-NOAUTH Authentication required.\r\n", Denied),
        (b"-NOPERM this user has no permissions\r\n", Denied),
        (b"-ERR unknown command 'CONFIG'\r\n+OK\r\n", CannotLook),
        (redis_says("yes").replace(b"maxmemory-policy", b"maxmemory-pilicy"), CannotLook),
        (redis_says("yes").replace(b"$1\r\n0\r\n", b"$1\r\nx\r\n"), CannotLook),
        (b"", TargetIll),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TargetIll),
        (b"\x00\xff" * 500, TargetIll),
        (redis_says("yes")[:-20], TargetIll),
        (b"*2\r\n" * 100_000, TargetIll),
        (b"*2\r\n$1\r\na\r\n+OK\r\n", CannotLook),
    ],
)
async def test_whatever_else_it_says_is_no_settings(said: bytes, expected: type) -> None:
    """Refused, renamed, torn, of another protocol, or without end."""
    with pytest.raises(PortError) as caught:
        await asked(said)
    assert expected is type(caught.value)


async def test_silence_has_its_deadline() -> None:
    """A port that accepts for the dead."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    with anyio.fail_after(5.0):
        async with server(mute) as port:
            with pytest.raises(TargetSilent):
                await redis_settings(port, 0.05)


async def test_a_refusal_is_ill() -> None:
    """Nobody listens."""
    with pytest.raises(TargetIll):
        await redis_settings(free_port())


def test_a_password_that_was_refused_is_not_repeated_at_length() -> None:
    """Its first line alone, and that cut off."""
    with pytest.raises(Denied) as caught:
        read(b"-NOAUTH " + b"x" * 500, "redis")
    assert len(caught.value.detail) <= 120
