"""What ports.EngineEyes and ports.EngineHands promise, whoever stands behind them."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import pytest

from healer.ports import ActFailed, EngineEyes, EngineHands, NotThere, TargetIll

REFUSAL: Final = "range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available"


class World(Protocol):
    """An engine with the one container, which runs without a restart policy.

    What it can do besides happens behind healer's back.
    """

    @property
    def eyes(self) -> EngineEyes:
        """What is under test."""
        ...

    @property
    def hands(self) -> EngineHands:
        """What is under test."""
        ...

    async def stop_by_hand(self) -> None:
        """Somebody's `docker stop`, to its end."""
        ...

    async def kill(self) -> None:
        """Somebody's `docker kill`."""
        ...

    async def remove(self) -> None:
        """The container is gone for good."""
        ...

    async def refuse_starts(self, words: str) -> None:
        """The container is down, and Docker cannot start it."""
        ...

    async def end_engine(self) -> None:
        """dockerd is gone; the socket's listener accepts and resets."""
        ...


Check = Callable[[World], Awaitable[None]]


async def a_living_engine_says_so(world: World) -> None:
    """No word of it but that it answered."""
    await world.eyes.ping()


async def the_container_is_told_as_it_is(world: World) -> None:
    """It runs, since when, and what it publishes the API on."""
    found = await world.eyes.container()
    assert (True, "running", "no") == (found.running, found.status, found.restart_policy)
    assert found.id
    assert (found.started_ago or 0.0) > 0.0
    assert found.started_at.endswith("Z")
    assert 6443 == found.host_port(6443)


async def a_container_that_is_gone_is_not_there(world: World) -> None:
    """Which is no illness of the engine."""
    await world.remove()
    with pytest.raises(NotThere):
        await world.eyes.container()


async def a_humans_stop_is_told_from_a_kill(world: World) -> None:
    """By the `stop` event alone (design §10)."""
    running = await world.eyes.container()
    assert None is await world.eyes.stopped_by_human_ago(running)
    await world.stop_by_hand()
    stopped = await world.eyes.container()
    assert (False, "exited", 137) == (stopped.running, stopped.status, stopped.exit_code)
    ago = await world.eyes.stopped_by_human_ago(stopped)
    assert ago is not None
    assert 0.0 <= ago < 60.0


async def a_kill_is_no_stop(world: World) -> None:
    """It leaves an exit code, and nobody who meant it to stay down."""
    await world.kill()
    killed = await world.eyes.container()
    assert (False, 137) == (killed.running, killed.exit_code)
    assert None is await world.eyes.stopped_by_human_ago(killed)


async def a_start_brings_it_back(world: World) -> None:
    """And ends what the human's stop had said."""
    await world.stop_by_hand()
    await world.hands.start((await world.eyes.container()).id)
    back = await world.eyes.container()
    assert back.running
    assert None is await world.eyes.stopped_by_human_ago(back)


async def a_start_of_what_runs_is_success(world: World) -> None:
    """304 raises nothing, and starts nothing anew."""
    before = await world.eyes.container()
    await world.hands.start(before.id)
    assert before.started_at == (await world.eyes.container()).started_at


async def a_refused_start_fails_in_dockers_words(world: World) -> None:
    """A human must mend what they name."""
    await world.refuse_starts(REFUSAL)
    with pytest.raises(ActFailed, match="range of CPUs"):
        await world.hands.start((await world.eyes.container()).id)
    assert not (await world.eyes.container()).running


async def an_update_sets_what_is_given_and_nothing_else(world: World) -> None:
    """Live, without a restart; memory takes swap along."""
    before = await world.eyes.container()
    await world.hands.update(before.id, restart_policy="unless-stopped")
    policy = await world.eyes.container()
    assert ("unless-stopped", before.memory) == (policy.restart_policy, policy.memory)
    await world.hands.update(before.id, memory=2**34)
    limit = await world.eyes.container()
    assert ("unless-stopped", 2**34, 2**34) == (
        limit.restart_policy,
        limit.memory,
        limit.memory_swap,
    )
    assert before.started_at == limit.started_at


async def a_dead_engine_is_ill_for_eyes_and_fails_hands(world: World) -> None:
    """Every look says TargetIll, and every act ActFailed."""
    container = await world.eyes.container()
    await world.end_engine()
    looks: tuple[Callable[[], Awaitable[object]], ...] = (
        world.eyes.ping,
        world.eyes.container,
        lambda: world.eyes.stopped_by_human_ago(container),
    )
    for look in looks:
        with pytest.raises(TargetIll):
            await look()
    acts: tuple[Callable[[], Awaitable[str]], ...] = (
        lambda: world.hands.start(container.id),
        lambda: world.hands.restart(container.id),
        lambda: world.hands.update(container.id, restart_policy="always"),
    )
    for act in acts:
        with pytest.raises(ActFailed):
            await act()


CHECKS: Final[tuple[Check, ...]] = (
    a_living_engine_says_so,
    the_container_is_told_as_it_is,
    a_container_that_is_gone_is_not_there,
    a_humans_stop_is_told_from_a_kill,
    a_kill_is_no_stop,
    a_start_brings_it_back,
    a_start_of_what_runs_is_success,
    a_refused_start_fails_in_dockers_words,
    an_update_sets_what_is_given_and_nothing_else,
    a_dead_engine_is_ill_for_eyes_and_fails_hands,
)
