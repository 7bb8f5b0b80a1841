"""How long a rest lasts, whatever rings and whoever leaves it."""

import asyncio
from random import Random

import anyio
import pytest

from healer.engine.bells import Bell
from healer.simulation.happenings import healthy_tower
from healer.simulation.mac_ports import SimulatedClock
from healer.simulation.virtual_time import run_virtually


def a_bell() -> Bell:
    """On the virtual time of the loop at hand."""
    tower = healthy_tower(asyncio.get_running_loop().time, Random(1))
    return Bell(SimulatedClock(tower))


async def lasted(bell: Bell, seconds: float) -> float:
    """How long a rest of so many seconds, and 0.25 at least, really was."""
    began = anyio.current_time()
    await bell.rest(seconds, 0.25)
    return anyio.current_time() - began


@pytest.mark.parametrize(
    ("seconds", "rings_at", "expected"),
    [
        (30.0, None, 30.0),
        (30.0, 10.0, 10.0),
        (30.0, 0.1, 0.25),
        (30.0, -1.0, 0.25),
        (0.1, None, 0.1),
        (0.1, -1.0, 0.1),
    ],
    ids=["in peace", "rung", "rung early", "rung before", "a short one", "a short one, rung"],
)
def test_a_rest_ends_when_it_rings_but_is_never_a_hot_loop(
    seconds: float, rings_at: float | None, expected: float
) -> None:
    """And what rang by itself in the end is no ring for the next rest."""

    async def rest() -> tuple[float, float]:
        bell = a_bell()
        if rings_at is not None and rings_at < 0.0:
            bell.ring()
        elif rings_at is not None:
            asyncio.get_running_loop().call_later(rings_at, bell.ring)
        return await lasted(bell, seconds), await lasted(bell, 20.0)

    assert pytest.approx((expected, 20.0)) == run_virtually(rest)


def test_a_rest_that_was_left_rings_no_later_one() -> None:
    """Its alarm ends with it."""

    async def rest() -> float:
        bell = a_bell()
        with anyio.move_on_after(5.0):
            await bell.rest(30.0, 0.25)
        return await lasted(bell, 40.0)

    assert pytest.approx(40.0) == run_virtually(rest)
