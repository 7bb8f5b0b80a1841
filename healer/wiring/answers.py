"""What the daemon answers over its control socket, and what a human's word changes."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import anyio

from healer import __version__
from healer.core.facts import Fact, Pause, Paused, Resumed, WasReset
from healer.core.tower import Layer
from healer.outside import cleaned
from healer.ports import JournalError
from healer.serving.conversation import Answer, Refused, Say
from healer.serving.passes import handed_pass
from healer.settings.forms import LONGEST_TIME
from healer.telemetry.explaining import told_by_a_daemon
from healer.telemetry.status import About, status_document
from healer.toml import shown
from healer.wiring.daemon import Household

T = TypeVar("T")
_HEARD_WITHIN = 5.0
"""Seconds for the engine to take a word; the journal has it anyway."""


def answers_of(house: Household) -> Mapping[str, Answer]:
    """Every verb."""
    human = _Human(house)
    memory = _Memory(house)
    return {
        "status": memory.status,
        "explain": memory.explain,
        "pause": human.pause,
        "resume": human.resume,
        "reset": human.reset,
        "once": _once(house),
    }


def status_of(house: Household) -> dict[str, Any]:
    """The status document, from memory."""
    about = About(
        __version__,
        os.getpid(),
        house.clock.now() - house.began,
        house.watchdog.stalled(),
        {part: cleaned(why) for part, why in {**house.without, **house.ears.broken}.items()},
    )
    daemon = house.daemon
    return status_document(daemon.world, house.clock.now(), daemon.policy, about)


class _Memory:
    """What is known, without a look."""

    def __init__(self, house: Household) -> None:
        self._house = house

    async def status(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """Everything at once."""
        del arguments, say
        return status_of(self._house)

    async def explain(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """One layer in depth."""
        del say
        layer, daemon = _layer(arguments), self._house.daemon
        if layer is None:
            raise Refused("explain needs a layer")
        now = self._house.clock.now()
        return {"lines": list(told_by_a_daemon(layer, daemon.world, now, daemon.policy))}


class _Human:
    """A human's words: to the journal first, then to the engine, which heeds them at once."""

    def __init__(self, house: Household) -> None:
        self._house = house

    async def pause(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """Do nothing for a while."""
        del say
        seconds = arguments.get("seconds")
        until = None if seconds is None else self._house.clock.now() + _number(seconds)
        author, reason = _text(arguments, "author"), _text(arguments, "reason")
        word = Pause(_layer(arguments), until, author, reason)
        self._keep(lambda: self._house.journal.pause(word))
        await self._tell(Paused(word))
        return {}

    async def resume(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """End pauses; how many."""
        del say
        layer = _layer(arguments)
        ended = self._keep(lambda: self._house.journal.resume(layer))
        await self._tell(Resumed(layer))
        return {"ended": ended}

    async def reset(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """Re-arm a layer; how many holds ended."""
        del say
        layer = _layer(arguments)
        ended = self._keep(lambda: self._house.journal.reset(layer))
        await self._tell(WasReset(layer))
        return {"ended": ended}

    def _keep(self, write: Callable[[], T]) -> T:
        try:
            return write()
        except JournalError as error:
            raise Refused(str(error)) from error

    async def _tell(self, fact: Fact) -> None:
        """What the journal has, the engine must hear, though the client goes away meanwhile."""
        with anyio.move_on_after(_HEARD_WITHIN, shield=True):
            await self._house.daemon.tell(fact)


def _once(house: Household) -> Answer:
    async def once(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """A pass that `healer --once` hands over."""
        seconds = _number(arguments.get("deadline", house.settings.once.deadline))
        return await handed_pass(house.daemon, house.clock, seconds, say)

    return once


def _layer(arguments: Mapping[str, Any]) -> Layer | None:
    name = arguments.get("layer")
    try:
        return None if name is None else Layer(name)
    except ValueError as error:
        known = ", ".join(Layer)
        raise Refused(f"unknown layer {name!r}; known: {known}") from error


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not cleaned(value):
        raise Refused(f"{name} should be some text, not {value!r}")
    return cleaned(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{value!r} should be a number of seconds")
    if not 0 <= value <= LONGEST_TIME:
        raise Refused(f"{shown(value)} should be a number of seconds, at most {LONGEST_TIME:.0f}")
    return float(value)
