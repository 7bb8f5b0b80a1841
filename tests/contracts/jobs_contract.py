"""What every launchd promises (ports.JobEyes and ports.JobHands), real or simulated."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import pytest

from healer.model.jobs import PlacedJob, Standing, WatchedJob, stands
from healer.model.launchd import DomainKind
from healer.ports import ActFailed, JobEyes, JobHands

CADDY: Final = "com.joel.caddy"
GATEWAY: Final = "com.joel.gateway"


class World(Protocol):
    """A Mac with Caddy in `gui/UID` and the gateway in `system`, both running."""

    @property
    def eyes(self) -> JobEyes:
        """What is seen of it."""
        ...

    @property
    def hands(self) -> JobHands:
        """What may be done to it."""
        ...

    def die(self, label: str) -> None:
        """Its process ends badly, and launchd leaves it so."""
        ...

    def boot_out(self, label: str) -> None:
        """It is loaded no more."""
        ...

    def disable(self, label: str) -> None:
        """It is switched off, and down."""
        ...


async def only(world: World, label: str) -> PlacedJob:
    """The one place of a label."""
    (place,) = await world.eyes.places(label)
    return place


async def a_running_job_is_found_where_it_lives(world: World) -> None:
    """With its process, in the user's domains and in the system's."""
    caddy, gateway = await only(world, CADDY), await only(world, GATEWAY)

    assert (DomainKind.GUI, DomainKind.SYSTEM) == (caddy.domain.kind, gateway.domain.kind)
    assert caddy.page.running
    assert not caddy.disabled
    assert world.eyes.available()


async def a_dead_job_is_down_and_may_be_started(world: World) -> None:
    """In its own domain; started, it has another process and counts one more run."""
    before = await only(world, CADDY)
    world.die(CADDY)
    dead = await only(world, CADDY)
    assert Standing.DOWN is stands(WatchedJob(CADDY), [dead]).how
    assert before.run == dead.run

    await world.hands.kickstart(dead)
    after = await only(world, CADDY)

    assert after.page.running
    assert dead.page.runs + 1 == after.page.runs


async def a_running_job_is_left_running(world: World) -> None:
    """A kickstart without `-k`: the same process, the same count (incident 32)."""
    before = await only(world, CADDY)
    await world.hands.kickstart(before)

    assert before == await only(world, CADDY)


async def a_job_that_was_booted_out_is_nowhere(world: World) -> None:
    """And cannot be started."""
    before = await only(world, CADDY)
    world.boot_out(CADDY)

    assert [] == list(await world.eyes.places(CADDY))
    with pytest.raises(ActFailed, match="Could not find service"):
        await world.hands.kickstart(before)


async def a_disabled_job_is_told_from_a_dead_one(world: World) -> None:
    """It is still loaded, and a human's."""
    world.disable(CADDY)
    place = await only(world, CADDY)

    assert place.disabled
    assert Standing.LEFT is stands(WatchedJob(CADDY), [place]).how


Check = Callable[[World], Awaitable[None]]
CHECKS: Final[tuple[Check, ...]] = (
    a_running_job_is_found_where_it_lives,
    a_dead_job_is_down_and_may_be_started,
    a_running_job_is_left_running,
    a_job_that_was_booted_out_is_nowhere,
    a_disabled_job_is_told_from_a_dead_one,
)
