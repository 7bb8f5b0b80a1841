"""One connection to the control socket, from its request to its one answer."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import anyio
from anyio import CancelScope
from anyio.abc import ByteStream

from healer import __version__
from healer.serving import protocol

_GONE: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError)


class Refused(Exception):
    """Why there is no answer, in words for a person; `code` is for a program."""

    def __init__(self, words: str, code: str = protocol.REFUSED) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client may take; seconds."""

    request: float = 5.0
    """Until its whole request is there."""
    write: float = 10.0
    """Until it has taken one line of ours."""
    working: float = protocol.WORKING_EVERY
    again: float = 30.0
    """Until a socket that could not be opened is tried again, and its file looked at."""
    connections: int = 16
    """At once; one more is told to come back."""


class Say:
    """Tells one client what happens meanwhile: `await say({"line": "…"})`.

    Cancels the answer that it was handed to when the client has gone or takes nothing more.
    """

    def __init__(self, stream: ByteStream, scope: CancelScope, within: float) -> None:
        self._stream = stream
        self._scope = scope
        self._within = within
        self._one_at_a_time = anyio.Lock()
        self.hurried = anyio.Event()
        """Set when the client wants nothing new begun (Ctrl-C), or has gone."""

    async def __call__(self, what: Mapping[str, Any]) -> None:
        """Send one line."""
        line = json.dumps(what, separators=(",", ":")).encode() + b"\n"
        async with self._one_at_a_time:
            with anyio.move_on_after(self._within):
                try:
                    await self._stream.send(line)
                except _GONE:
                    self._scope.cancel()
                return
            self._scope.cancel()


Answer = Callable[[Mapping[str, Any], Say], Awaitable[Mapping[str, Any]]]
"""Arguments in, answer out; may raise Refused. Cancelled when the client goes away, which
must end the telling and nothing else."""
Broke = Callable[[str, Exception], None]
"""Told which verb's answer broke, and how: a fault of ours."""


async def converse(
    stream: ByteStream, answers: Mapping[str, Answer], patience: Patience, broke: Broke
) -> None:
    """Hear one request, answer it, and be done."""
    with anyio.CancelScope() as scope:
        say = Say(stream, scope, patience.write)
        try:
            verb, arguments = await _heard(stream, patience.request)
            if verb not in answers:
                known = ", ".join(sorted(answers))
                words = f"{verb!r} is nothing this daemon ({__version__}) can be asked: {known}"
                raise Refused(words, protocol.UNKNOWN_VERB)  # noqa: TRY301  (one place says it)
        except Refused as error:
            await say(_error(error))
            return
        # A client that gave up before we came to it must not have its wish fulfilled late.
        await say({"event": {"name": "heard", "healer": __version__}})
        await anyio.lowlevel.checkpoint()
        await _answer(verb, answers[verb], arguments, say, (stream, patience, broke))


async def _answer(
    verb: str,
    answer: Answer,
    arguments: Mapping[str, Any],
    say: Say,
    around: tuple[ByteStream, Patience, Broke],
) -> None:
    stream, patience, broke = around
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_mind_the_end, stream, say, name="end of a client")
        tasks.start_soon(_show_life, say, patience.working, name="signs of life")
        try:
            last: Mapping[str, Any] = {"answer": await answer(arguments, say)}
        except Refused as error:
            last = _error(error)
        except Exception as error:  # noqa: BLE001  (an answer that breaks harms nobody else)
            broke(verb, error)
            words = f"the daemon could not answer {verb!r} ({type(error).__name__}); see its log"
            last = _error(Refused(words, protocol.BROKE))
        await say(last)
        tasks.cancel_scope.cancel()


def _error(error: Refused) -> Mapping[str, Any]:
    return {"error": {"code": error.code, "words": str(error)}}


async def _mind_the_end(stream: ByteStream, say: Say) -> None:
    """The end of its input is a client's word; the next line shows whether it is still there."""
    try:
        while True:
            await stream.receive()
    except (anyio.EndOfStream, *_GONE):
        say.hurried.set()
    await say({"event": {"name": "hurried"}})


async def _show_life(say: Say, every: float) -> None:
    while True:
        await anyio.sleep(every)
        await say({"event": {"name": "working"}})


async def _heard(stream: ByteStream, within: float) -> tuple[str, Mapping[str, Any]]:
    """The request; raises Refused for one that is no request."""
    with anyio.move_on_after(within):
        return _understood(await _line(stream))
    raise Refused(f"no whole request came within {within:g} s", protocol.TOO_SLOW)


async def _line(stream: ByteStream) -> bytes:
    heard = bytearray()
    while b"\n" not in heard:
        if len(heard) > protocol.LONGEST_REQUEST:
            words = f"a request may have {protocol.LONGEST_REQUEST} bytes"
            raise Refused(words, protocol.TOO_LONG)
        try:
            heard += await stream.receive()
        except (anyio.EndOfStream, *_GONE):
            raise Refused("half a request came", protocol.BAD_REQUEST) from None
    return bytes(heard.partition(b"\n")[0])


def _understood(line: bytes) -> tuple[str, Mapping[str, Any]]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise Refused("a request is one JSON object on a line", protocol.BAD_REQUEST)
    if asked.get("version") != protocol.VERSION:
        raise Refused(
            f"this daemon is healer {__version__} and speaks version {protocol.VERSION}, not "
            f"{asked.get('version')!r}: use the same healer, or restart the daemon",
            protocol.VERSION_DIFFERS,
        )
    verb, arguments = asked.get("verb"), asked.get("arguments", {})
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        raise Refused("a request has a verb and arguments by name", protocol.BAD_REQUEST)
    return verb, arguments
