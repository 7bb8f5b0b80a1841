"""What ports.PortEyes promises of a published port, real or simulated."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import pytest

from healer.ports import PortError, PortEyes, TargetIll, TargetSilent, WrongAnswer


class World(Protocol):
    """Ports of the Mac, each made to behave in one way."""

    @property
    def eyes(self) -> PortEyes:
        """What is under test."""
        ...

    async def redis(self) -> int:
        """A port behind which Redis is well."""
        ...

    async def http(self) -> int:
        """A port that answers `OK` over HTTP."""
        ...

    async def unready(self) -> int:
        """A port that says 406 over HTTP."""
        ...

    async def silent(self) -> int:
        """A port that accepts, and never says a word."""
        ...

    async def resetting(self) -> int:
        """A port that accepts, and ends the connection."""
        ...

    async def refusing(self) -> int:
        """A port on which nobody listens."""
        ...


Check = Callable[[World], Awaitable[None]]


async def failure(call: Awaitable[object]) -> PortError:
    """What it raised."""
    with pytest.raises(PortError) as caught:
        await call
    return caught.value


async def redis_says_pong(world: World) -> None:
    """In its own protocol."""
    assert "+PONG" == await world.eyes.speak(await world.redis(), "redis", "", "PONG")


async def http_says_what_is_expected(world: World) -> None:
    """The body, in a few words."""
    assert "OK" == await world.eyes.speak(await world.http(), "http", "/", "OK")


async def another_status_is_a_wrong_answer(world: World) -> None:
    """Ill, and yet a sign of life; the detail begins with the status."""
    said = await failure(world.eyes.speak(await world.unready(), "http", "/", "OK"))
    assert WrongAnswer is type(said)
    assert said.detail.startswith("HTTP 406")


async def silence_is_told_from_refusal(world: World) -> None:
    """They point at different layers (facts/colima.md §4)."""
    silent = await failure(world.eyes.speak(await world.silent(), "http", "/health", ""))
    assert TargetSilent is type(silent)
    refused = await failure(world.eyes.speak(await world.refusing(), "http", "/health", ""))
    assert TargetIll is type(refused)
    assert "refused" in refused.detail


async def an_accept_that_ends_is_no_life(world: World) -> None:
    """docker-proxy accepts for the dead (R27)."""
    said = await failure(world.eyes.speak(await world.resetting(), "redis", "", "PONG"))
    assert TargetIll is type(said)


async def a_bare_accept_is_all_that_tcp_tells(world: World) -> None:
    """Neither life nor death."""
    assert "accepts" == await world.eyes.speak(await world.resetting(), "tcp", "", "")
    assert TargetIll is type(await failure(world.eyes.speak(await world.refusing(), "tcp", "", "")))


CHECKS: Final[tuple[Check, ...]] = (
    redis_says_pong,
    http_says_what_is_expected,
    another_status_is_a_wrong_answer,
    silence_is_told_from_refusal,
    an_accept_that_ends_is_no_life,
    a_bare_accept_is_all_that_tcp_tells,
)
