"""The control socket: one request a connection, as JSON lines, from this user only.

A request is `{"version": 1, "verb": "status", "arguments": {}}`; the answer is any number of
`{"line": "…"}`, then one `{"answer": {…}}` or `{"error": "…"}`.
"""

import json
import os
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.abc
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

VERSION: Final = 1
_LARGEST: Final = 64 * 1024
"""Bytes of a request: a reason of some lines."""
_ASK_WITHIN: Final = 5.0
"""Seconds for a client to say what it wants."""
_HEAR_WITHIN: Final = 10.0
"""Seconds for a client to take a line: who reads slower watches no more."""
_AT_ONCE: Final = 32
"""Clients at a time."""
_LONGEST_PATH: Final = 103 if sys.platform == "darwin" else 107
"""sun_path holds 104 bytes on macOS and 108 on Linux, the last of them 0."""

Say = Callable[[str], Awaitable[None]]
"""Tells the client a line while it waits."""
Answer = Callable[[Mapping[str, Any], Say], Awaitable[Mapping[str, Any]]]
"""Answers a verb; raises Refused for what it cannot take."""


class Refused(Exception):
    """The request cannot be answered; the message is for the person who asked."""


class ControlServer:
    """Listens on a unix socket of mode 0600; whoever makes it holds the writer's lock."""

    def __init__(self, path: Path, answers: Mapping[str, Answer]) -> None:
        self._path = path
        self._answers = answers
        self._limit = anyio.CapacityLimiter(_AT_ONCE)

    async def serve(self) -> None:
        """Serve until cancelled. Raises OSError when there can be no such socket."""
        if len(os.fsencode(self._path)) > _LONGEST_PATH:
            raise OSError(
                f"{self._path}: longer than the {_LONGEST_PATH} bytes of a socket's path; "
                "set a shorter files.state"
            )
        # Only the holder of the lock comes here: what lies there is a dead daemon's.
        with suppress(FileNotFoundError):
            self._path.unlink()
        listener = await anyio.create_unix_listener(self._path, mode=0o600)
        try:
            async with listener:
                await listener.serve(self._serve)
        finally:
            with suppress(OSError):
                self._path.unlink()

    async def _serve(self, stream: SocketStream) -> None:
        async with stream, self._limit:
            # Who goes away while it is told something has ended its own request, and no other.
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, TimeoutError):
                await self._answer(stream)

    async def _answer(self, stream: SocketStream) -> None:
        async def say(line: str) -> None:
            await _send(stream, {"line": line})

        verb = ""
        try:
            verb, arguments = await _asked(stream)
            answer = self._answer_to(verb)
            told = await _while_there(stream, lambda: answer(arguments, say))
        except Refused as error:
            await _send(stream, {"error": str(error)})
            return
        except Exception as error:  # noqa: BLE001  (a broken answer must not end the daemon)
            broke = f"the daemon could not answer {verb}: {type(error).__name__}: {error}"
            await _send(stream, {"error": broke})
            return
        if told is not None:
            await _send(stream, {"answer": told})

    def _answer_to(self, verb: str) -> Answer:
        answer = self._answers.get(verb)
        if answer is None:
            raise Refused(f"unknown verb {verb!r}; known: {', '.join(sorted(self._answers))}")
        return answer


async def _asked(stream: SocketStream) -> tuple[str, Mapping[str, Any]]:
    if not _is_ours(stream):
        raise Refused("this socket answers its own user only")
    try:
        with anyio.fail_after(_ASK_WITHIN):
            line = await BufferedByteReceiveStream(stream).receive_until(b"\n", _LARGEST)
    except (anyio.DelimiterNotFound, anyio.IncompleteRead) as error:
        raise Refused(f"no whole request within {_LARGEST} bytes") from error
    return _decoded(line)


def _decoded(line: bytes) -> tuple[str, Mapping[str, Any]]:
    try:
        asked = json.loads(line)
        version, verb, arguments = asked["version"], asked["verb"], asked.get("arguments", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("a request is a JSON object with version, verb and arguments") from error
    if version != VERSION:
        raise Refused(f"this daemon speaks version {VERSION}, not {version!r}: restart it")
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        raise Refused("verb should be text and arguments an object")
    return verb, arguments


async def _while_there(
    stream: SocketStream, work: Callable[[], Awaitable[Mapping[str, Any]]]
) -> Mapping[str, Any] | None:
    """Do the work unless the client goes away before its end; None then. Raises Refused."""
    told: Mapping[str, Any] | Refused | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_until_gone, stream, tasks.cancel_scope)
        try:
            told = await work()
        except Refused as error:
            told = error
        tasks.cancel_scope.cancel()
    if isinstance(told, Refused):
        raise told
    return told


async def _until_gone(stream: SocketStream, scope: anyio.CancelScope) -> None:
    """A client says nothing after its request: what comes next is its end."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        await stream.receive(1)
    scope.cancel()


async def _send(stream: SocketStream, words: Mapping[str, Any]) -> None:
    with anyio.fail_after(_HEAR_WITHIN):
        await stream.send(json.dumps(words, ensure_ascii=False).encode() + b"\n")


def _is_ours(stream: SocketStream) -> bool:
    """The file's mode keeps others out; this is the second lock on the same door."""
    raw: socket.socket = stream.extra(anyio.abc.SocketAttribute.raw_socket)  # noqa: S610  (no Django here)
    peer = _peer(raw)
    return peer in {os.getuid(), 0}


def _peer(raw: socket.socket) -> int:
    """The user at the other end."""
    if sys.platform == "darwin":
        # struct xucred of <sys/ucred.h>: version, uid, number of groups, groups.
        credentials = raw.getsockopt(0, 1, 76)
        return int(struct.unpack_from("=II", credentials)[1])
    credentials = raw.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("=iII", credentials)[1])
