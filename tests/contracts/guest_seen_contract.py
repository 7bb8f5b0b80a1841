"""What ports.GuestEyes promises of a VM, whether it is a real sshd's or a simulated one."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import pytest

from healer.ports import GuestEyes, PortError, TargetIll


class World(Protocol):
    """A healthy VM whose Talos container runs; what else it can do happens behind healer."""

    @property
    def eyes(self) -> GuestEyes:
        """What is under test."""
        ...

    async def lose_engine(self) -> None:
        """dockerd is dead."""
        ...

    async def stop_container(self) -> None:
        """The container is down."""
        ...

    async def lose_modules(self) -> None:
        """The kernel's modules are gone."""
        ...

    async def close_door(self) -> None:
        """Nobody listens on the ssh port any more."""
        ...


Check = Callable[[World], Awaitable[None]]


async def sshd_introduces_itself(world: World) -> None:
    """With the words that prove that it is one."""
    assert (await world.eyes.banner()).startswith("SSH-2.0-")


async def one_question_tells_everything(world: World) -> None:
    """Engine, container, API and kernel, by clocks that agree."""
    facts = await world.eyes.facts()
    assert (True, True, True) == (facts.engine_answers, facts.api_answers, facts.bridge_netfilter)
    assert "running" == facts.container_status
    assert facts.api_port
    assert abs(facts.clock - facts.asked_at) < 5.0
    assert facts.uptime > 0.0


async def a_dead_engine_is_told_from_a_dead_vm(world: World) -> None:
    """The VM answers, and nothing is known of what only the engine knows."""
    await world.lose_engine()
    facts = await world.eyes.facts()
    assert (False, "", None, None) == (
        facts.engine_answers,
        facts.container_status,
        facts.api_answers,
        facts.api_port,
    )


async def a_container_that_is_down_publishes_nothing(world: World) -> None:
    """And has no API to be asked."""
    await world.stop_container()
    facts = await world.eyes.facts()
    assert (True, "exited", None) == (facts.engine_answers, facts.container_status, facts.api_port)


async def a_missing_module_is_seen(world: World) -> None:
    """At the next question."""
    assert (await world.eyes.facts()).bridge_netfilter
    await world.lose_modules()
    assert not (await world.eyes.facts()).bridge_netfilter


async def a_closed_port_is_ill(world: World) -> None:
    """In the kernel's own words."""
    await world.close_door()
    for look in (world.eyes.banner, world.eyes.facts):
        with pytest.raises(PortError) as caught:
            await look()
        assert TargetIll is caught.type
        assert "refused" in caught.value.detail


CHECKS: Final[tuple[Check, ...]] = (
    sshd_introduces_itself,
    one_question_tells_everything,
    a_dead_engine_is_told_from_a_dead_vm,
    a_container_that_is_down_publishes_nothing,
    a_missing_module_is_seen,
    a_closed_port_is_ill,
)
