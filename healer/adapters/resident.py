"""A program that lives on and is asked again and again over its stdin and stdout."""

import socket
import subprocess
from asyncio import get_running_loop
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

import anyio

from healer.adapters.process import Child, place_of
from healer.adapters.process_output import Reading
from healer.ports import CannotLook, TargetIll

_STDERR_BYTES: Final = 4096
_GRACE: Final = 0.25
"""Seconds between TERM and KILL: it holds nothing that a TERM could save."""
_LAST_WORDS: Final = 1.0
"""Seconds for a program whose stdout has ended to end itself, so that its code is known."""


class Gone(TargetIll):
    """It has ended, or said too much; `code` is None when it had to be ended by us."""

    def __init__(self, place: str, detail: str, code: int | None, stderr: str) -> None:
        super().__init__(place, detail)
        self.code = code
        self.stderr = stderr


@dataclass(frozen=True, slots=True)
class Program:
    """What is started."""

    argv: Sequence[str]
    env: Mapping[str, str]
    limit: int
    """Bytes of one answer."""


class Resident:
    """One such program, in a group of its own; whoever makes it closes it."""

    def __init__(self, program: Program, on_end: Callable[["Resident"], None]) -> None:
        """Start it; `on_end` hears when it has ended. Raises CannotLook when it cannot start."""
        self._place = place_of(program.argv)
        self._limit = program.limit
        self.answered = False
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(0.0)
        try:
            popen = _started(program, theirs.fileno(), self._place)
        except BaseException:
            self._ours.close()
            raise
        finally:
            theirs.close()
        self._child = Child(popen, lambda: on_end(self))
        self._stderr = Reading(_piped(popen), _STDERR_BYTES)
        self._rest = b""

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.popen.pid

    async def ask(self, words: bytes, mark: bytes) -> bytes:
        """Say a line, and hear everything up to a line that is the mark. Raises Gone."""
        loop = get_running_loop()
        end = b"\n" + mark + b"\n"
        heard = self._rest
        try:
            await loop.sock_sendall(self._ours, words + b"\n")
            while end not in heard:
                chunk = await loop.sock_recv(self._ours, 1 << 16)
                if not chunk:
                    raise await self._gone("ended")
                heard += chunk
                if len(heard) > self._limit:
                    raise await self._gone(f"said more than {self._limit} bytes")
        except OSError as error:
            raise await self._gone(error.strerror or type(error).__name__) from error
        answer, _, self._rest = heard.partition(end)
        self.answered = True
        return answer

    async def close(self) -> None:
        """End it and all of its group; also when the caller is being cancelled."""
        with anyio.CancelScope(shield=True):
            self._ours.close()
            await self._child.end(_GRACE)
        self._stderr.close()

    async def _gone(self, detail: str) -> Gone:
        with anyio.move_on_after(_LAST_WORDS):
            await self._child.exited.wait()
            await self._stderr.ended.wait()
        code = self._child.popen.returncode if self._child.exited.is_set() else None
        return Gone(self._place, detail, code, self._stderr.text())


def _piped(popen: "subprocess.Popen[bytes]") -> IO[bytes]:
    if popen.stderr is None:
        raise RuntimeError("a resident is always started with a pipe for its stderr")
    return popen.stderr


def _started(program: Program, end: int, place: str) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            list(program.argv),
            bufsize=0,
            env=dict(program.env),
            stdin=end,
            stdout=end,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        detail = f"cannot start {program.argv[0]}: {error.strerror}"
        raise CannotLook(place, detail) from error
