"""What the daemon answers over its control socket, and what a human's word changes."""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from healer import __version__
from healer.core.facts import Pause, Paused, Resumed, WasReset
from healer.core.judging import judge
from healer.core.tower import Layer
from healer.engine.guests import Guest
from healer.engine.telling import Both
from healer.ports import JournalError
from healer.serving.control import Answer, Refused, Say
from healer.telemetry.plain import PlainLines
from healer.telemetry.report import Report, document, report_text
from healer.telemetry.status import VERDICT, About, status_document
from healer.wiring.daemon import Household

_LINES: Final = 1000
"""Lines that may wait for a slow reader; what comes beyond is left out for it."""


def answers_of(house: Household) -> Mapping[str, Answer]:
    """Every verb."""
    human = _Human(house)
    return {
        "status": _Status(house),
        "pause": human.pause,
        "resume": human.resume,
        "reset": human.reset,
        "once": _Once(house),
    }


def status_of(house: Household) -> dict[str, Any]:
    """The status document, from memory."""
    about = About(
        __version__,
        os.getpid(),
        house.clock.now() - house.began,
        house.watchdog.stalled(),
        {**house.problems, **house.ears.broken},
    )
    daemon = house.daemon
    return status_document(daemon.world, house.clock.now(), daemon.policy, about)


class _Status:
    def __init__(self, house: Household) -> None:
        self._house = house

    async def __call__(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        del arguments, say
        return status_of(self._house)


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
        try:
            self._house.journal.pause(word)
        except JournalError as error:
            raise Refused(str(error)) from error
        await self._house.daemon.tell(Paused(word))
        return {}

    async def resume(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """End pauses."""
        del say
        layer = _layer(arguments)
        try:
            ended = self._house.journal.resume(layer)
        except JournalError as error:
            raise Refused(str(error)) from error
        await self._house.daemon.tell(Resumed(layer))
        return {"ended": ended}

    async def reset(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        """Re-arm a layer."""
        del say
        layer = _layer(arguments)
        try:
            ended = self._house.journal.reset(layer)
        except JournalError as error:
            raise Refused(str(error)) from error
        await self._house.daemon.tell(WasReset(layer))
        return {"ended": ended}


class _Once:
    """A pass that `healer --once` hands over; its lines are told as they come."""

    def __init__(self, house: Household) -> None:
        self._house = house

    async def __call__(self, arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        house, report = self._house, Report()
        await say(f"the daemon (pid {os.getpid()}) looks at everything …")
        send, lines = anyio.create_memory_object_stream[str](_LINES)
        now = house.clock.now()
        listener = Both(report, PlainLines(_into(send)))
        guest = Guest(listener, now, now + _number(arguments.get("deadline", 0)))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_tell_lines, lines, say)
            async with send:
                ended = await house.daemon.once(guest)
        judged = judge(ended.world, house.clock.now(), house.daemon.policy)
        verdict = VERDICT[ended.exit_code]
        verdict += "" if ended.why == "settled" else f" ({ended.why})"
        told = document(report, ended.world, judged, exit_code=ended.exit_code, dry_run=False)
        text = report_text(report, ended.world, judged, verdict, dry_run=False)
        return {"exit_code": ended.exit_code, "document": told, "text": text}


def _into(send: MemoryObjectSendStream[str]) -> Callable[[str], None]:
    def write(line: str) -> None:
        try:
            send.send_nowait(line)
        except anyio.WouldBlock:
            return

    return write


async def _tell_lines(lines: MemoryObjectReceiveStream[str], say: Say) -> None:
    async with lines:
        async for line in lines:
            await say(line)


def _layer(arguments: Mapping[str, Any]) -> Layer | None:
    name = arguments.get("layer")
    try:
        return None if name is None else Layer(name)
    except ValueError as error:
        known = ", ".join(Layer)
        raise Refused(f"unknown layer {name!r}; known: {known}") from error


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{name} should be some text, not {value!r}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise Refused(f"{value!r} should be a number of seconds")
    return float(value)
