"""A human's word over the control socket: to the journal first, then to the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest

from healer.core.facts import Fact, Paused, Resumed, WasReset
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import World
from healer.serving.conversation import Refused
from healer.wiring.answers import answers_of
from tests.unit.engine.tower import LoopClock, Scribe
from tests.unit.serving.ear import Ear, say_to

if TYPE_CHECKING:
    from healer.wiring.daemon import Household


@dataclass
class Engine:
    """Hears facts; slow to take them, if told so."""

    busy: float = 0.0
    heard: list[Fact] = field(default_factory=list)
    world: World = field(default_factory=World)
    policy: Policy = field(default_factory=lambda: Policy(run="t"))

    async def tell(self, fact: Fact) -> None:
        """Take one."""
        await anyio.sleep(self.busy)
        self.heard.append(fact)


@dataclass
class Small:
    """As much of a household as a word needs."""

    journal: Scribe = field(default_factory=Scribe)
    daemon: Engine = field(default_factory=Engine)
    clock: LoopClock = field(default_factory=LoopClock)

    async def asked(self, verb: str, **arguments: object) -> Mapping[str, Any]:
        """Ask as a client does."""
        answer = answers_of(cast("Household", self))[verb]
        return await answer(arguments, say_to(Ear()))


async def test_a_word_is_kept_and_then_heeded() -> None:
    """Each of the three, with its scope."""
    small = Small()
    await small.asked("pause", layer="pods", seconds=60, author="joel", reason="moving")
    resumed = await small.asked("resume", layer=None)
    await small.asked("reset", layer="talos")

    assert ["pause joel", "resume None", "reset talos"] == small.journal.calls
    paused, all_resumed, was_reset = small.daemon.heard
    assert isinstance(paused, Paused)
    assert (Layer.PODS, "moving") == (paused.pause.scope, paused.pause.reason)
    assert (Resumed(None), WasReset(Layer.TALOS)) == (all_resumed, was_reset)
    assert {"ended": 0} == resumed


async def test_a_word_that_cannot_be_kept_is_not_heeded() -> None:
    """Who asked is told why; nothing is remembered that the next life would not know."""
    small = Small(journal=Scribe(refuses=frozenset({"pause", "resume", "reset"})))
    for verb in ("pause", "resume", "reset"):
        with pytest.raises(Refused, match="disk full; free space"):
            await small.asked(verb, author="joel", reason="moving")

    assert [] == small.daemon.heard


async def test_a_word_that_was_kept_is_heeded_though_its_client_goes_away() -> None:
    """Journal and engine never differ."""
    small = Small(daemon=Engine(busy=0.05))
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            await small.asked("pause", author="joel", reason="moving")

        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert ["pause joel"] == small.journal.calls
        tasks.cancel_scope.cancel()

    assert 1 == len(small.daemon.heard)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("pause", {"author": "joel"}),
        ("pause", {"author": "joel", "reason": 3}),
        ("pause", {"author": "joel", "reason": "x", "seconds": "1h"}),
        ("pause", {"author": "joel", "reason": "x", "seconds": True}),
        ("pause", {"author": "joel", "reason": "x", "seconds": float("inf")}),
        ("pause", {"author": "joel", "reason": "x", "seconds": 1e300}),
        ("pause", {"author": "joel", "reason": "x", "seconds": 10**1000}),
        ("pause", {"author": "joel", "reason": "\x1b\x07"}),
        ("pause", {"author": "joel", "reason": "x", "layer": "kitchen"}),
        ("resume", {"layer": "kitchen"}),
        ("reset", {"layer": 3}),
        ("explain", {}),
        ("explain", {"layer": "kitchen"}),
    ],
)
async def test_arguments_that_make_no_sense_change_nothing(
    verb: str, arguments: dict[str, object]
) -> None:
    """The socket is a door: what comes through it is not trusted."""
    small = Small()
    with pytest.raises(Refused):
        await small.asked(verb, **arguments)

    assert ([], []) == (small.journal.calls, small.daemon.heard)


async def test_a_layer_is_explained_from_memory() -> None:
    """Of a daemon that has not looked yet: that it has not."""
    told = await Small().asked("explain", layer="docker")

    assert "docker is unknown: not looked at yet" == told["lines"][0]
    assert "next: nothing" == told["lines"][-1]
