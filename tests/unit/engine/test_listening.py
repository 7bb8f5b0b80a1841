"""Listening for ever, on virtual time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
import pytest

from healer.core.tower import Layer
from healer.engine.listening import keep_listening
from healer.ports import TargetIll, Wake
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import LoopClock

DOCKER = frozenset({Layer.DOCKER})
TALOS = frozenset({Layer.TALOS})


@dataclass
class Scripted:
    """News that behaves as it is told."""

    does: Callable[[Wake], Awaitable[None]]
    name: str = "scripted"
    layers: frozenset[Layer] = DOCKER
    asked: int = 0

    async def listen(self, wake: Wake) -> None:
        """Once more."""
        self.asked += 1
        await self.does(wake)


async def refuses(wake: Wake) -> None:
    """Nobody listens there."""
    del wake
    raise TargetIll("docker.sock", "Connection refused")


async def ends(wake: Wake) -> None:
    """Accept and end at once."""
    wake(TALOS)
    await anyio.lowlevel.checkpoint()


async def breaks(wake: Wake) -> None:
    """A fault of the listener's own."""
    del wake
    raise ZeroDivisionError


async def lasts(wake: Wake) -> None:
    """Stand for two minutes, then end."""
    wake(TALOS)
    await anyio.sleep(120.0)


def listened(news: Scripted, seconds: float, jitter: float = 1.0) -> list[frozenset[Layer]]:
    """Whom it woke within that time."""
    woken: list[frozenset[Layer]] = []

    async def listen() -> None:
        with anyio.move_on_after(seconds):
            await keep_listening(news, LoopClock(), woken.append, jitter=lambda: jitter)

    run_virtually(listen)
    return woken


@pytest.mark.parametrize("does", [refuses, ends, breaks])
def test_what_fails_at_once_is_never_a_hot_loop(does: Callable[[Wake], Awaitable[None]]) -> None:
    """0.2, 0.4, 0.8, 1.6, 3.2 s and then each 5 s: 724 attempts an hour, no more."""
    news = Scripted(does)
    listened(news, 3600.0)

    assert 5 + (3600 - 6.2) // 5 + 1 == news.asked


def test_the_least_jitter_is_a_tenth() -> None:
    """Even the luckiest draw leaves a pause."""
    news = Scripted(refuses)
    listened(news, 60.0, jitter=0.0)

    assert news.asked <= 130


def test_the_end_of_what_was_heard_is_news() -> None:
    """A stream that ends may be a socket that went dead: its layers are looked at."""
    assert [TALOS, DOCKER] == listened(Scripted(lasts), 121.0, jitter=10.0)


def test_a_refusal_wakes_nobody() -> None:
    """What was dead and stays dead is no news; slow looks see it."""
    assert [] == listened(Scripted(refuses), 600.0)


def test_a_connection_that_stood_is_made_anew_quickly() -> None:
    """The waits begin anew after a stable minute."""
    news = Scripted(lasts)
    listened(news, 3600.0)

    assert 30 == news.asked


def test_a_fault_of_its_own_is_told_until_it_is_over() -> None:
    """News that breaks by itself is survived, and its words can be shown until it is heard."""
    told: list[tuple[str, str]] = []

    async def recovers(wake: Wake) -> None:
        if news.asked <= 2:
            raise ZeroDivisionError("no version")
        wake(TALOS)
        await anyio.sleep_forever()

    news = Scripted(recovers)

    async def listen() -> None:
        with anyio.move_on_after(60.0):
            await keep_listening(
                news,
                LoopClock(),
                lambda _: None,
                jitter=lambda: 1.0,
                broke=lambda name, error: told.append((name, repr(error))),
            )

    run_virtually(listen)

    broken = ("scripted", "ZeroDivisionError('no version')")
    assert [broken, broken, ("scripted", "None")] == told


def test_an_illness_of_the_target_is_no_fault_of_the_listener() -> None:
    """A refused connection is nobody's bug."""
    told: list[Exception | None] = []

    async def listen() -> None:
        with anyio.move_on_after(1.0):
            await keep_listening(
                Scripted(refuses),
                LoopClock(),
                lambda _: None,
                jitter=lambda: 1.0,
                broke=lambda _, error: told.append(error),
            )

    run_virtually(listen)

    assert {None} == set(told)
