"""How long an answer takes, and whether it comes at all."""

from random import Random
from typing import Final, NoReturn

import anyio

from healer.ports import TargetIll, TargetSilent
from healer.simulation.forwards import Way
from healer.simulation.physics import Tower

STARVED: Final = 25.0
"""Seconds that an answer takes on a starved Mac: longer than a whole look may take (20 s)."""


async def answer(
    tower: Tower,
    place: str,
    takes: float,
    deadline: float = 5.0,
    chance: Random | None = None,
) -> None:
    """Wait as long as the answer takes. Raises TargetSilent when it gets lost on the way.

    `chance` is drawn from in place of the tower's own, by whoever asks beside the rest.
    """
    troubles = tower.troubles
    if troubles.on_every_answer:
        if troubles.starved:
            await anyio.sleep(STARVED)
        takes += troubles.delay()
        if takes > deadline or troubles.loses_this_one(chance):
            await silence(tower, place, deadline)
    await anyio.sleep(takes)
    tower.now()


async def silence(tower: Tower, place: str, deadline: float) -> NoReturn:
    """Wait in vain. Raises TargetSilent."""
    await anyio.sleep(deadline)
    tower.now()
    raise TargetSilent(place, f"no answer within {deadline:g} s")


async def get_in(tower: Tower, way: Way, place: str, deadline: float = 5.0) -> None:
    """Pass through a listener on the Mac. Raises TargetIll, TargetSilent."""
    if way is Way.REFUSED:
        raise TargetIll(place, "Connection refused")
    if way is Way.SILENT:
        await silence(tower, place, deadline)
