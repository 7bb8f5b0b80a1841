"""What a child says and is told: bounded pipes, and the log of a detached child."""

import os
import subprocess
from asyncio import get_running_loop
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

import anyio

CHUNK: Final = 1 << 16
ROUNDS: Final = 16
"""Chunks read in one go: as much as a pipe can hold (1 MiB, /proc/sys/fs/pipe-max-size)."""
LINE: Final = 4096
"""Bytes of one line that are passed on."""
LOG_LIMIT: Final = 8 << 20
"""Bytes that a log may hold before it is emptied; a whole `colima start` writes some 10 KB."""


class Reading:
    """One stream of a child: the first `limit` bytes are kept, the rest is read and dropped."""

    def __init__(
        self, pipe: IO[bytes], limit: int, whole: Callable[[bytes], bool] | None = None
    ) -> None:
        """`whole` tells whether what was said so far is all that is asked for."""
        self._pipe = pipe
        self._limit = limit
        self._whole = whole
        self.answered = anyio.Event()
        self._kept = bytearray()
        self.truncated = False
        self.ended = anyio.Event()
        os.set_blocking(pipe.fileno(), False)
        get_running_loop().add_reader(pipe.fileno(), self._read)

    def _read(self) -> bool:
        """Take one chunk; whether there may be more."""
        try:
            chunk = os.read(self._pipe.fileno(), CHUNK)
        except BlockingIOError:
            return False
        room = self._limit - len(self._kept)
        self._kept += chunk[:room]
        self.truncated = self.truncated or len(chunk) > room
        if self._whole is not None and self._whole(bytes(self._kept)):
            self.answered.set()
        if not chunk:
            self._close()
        return bool(chunk)

    def close(self) -> None:
        """Take what is in the pipe already, then let go of it, whoever still holds it."""
        for _ in range(ROUNDS):
            if self.ended.is_set() or not self._read():
                break
        if not self.ended.is_set():
            self._close()

    def _close(self) -> None:
        get_running_loop().remove_reader(self._pipe.fileno())
        self._pipe.close()
        self.ended.set()

    def text(self) -> str:
        """What was kept."""
        return self._kept.decode("utf-8", "replace")


class Writing:
    """A child's stdin: it may read slowly, in part or not at all."""

    def __init__(self, pipe: IO[bytes], data: bytes) -> None:
        self._pipe = pipe
        self._left = memoryview(data)
        os.set_blocking(pipe.fileno(), False)
        get_running_loop().add_writer(pipe.fileno(), self._write)

    def _write(self) -> None:
        try:
            written = os.write(self._pipe.fileno(), self._left[:CHUNK])
        except BlockingIOError:
            return
        except BrokenPipeError:  # it has closed its stdin, which is its own business
            written = len(self._left)
        self._left = self._left[written:]
        if not self._left:
            self.close()

    def close(self) -> None:
        """Let go of it, written or not."""
        if not self._pipe.closed:
            get_running_loop().remove_writer(self._pipe.fileno())
            self._pipe.close()


class Pipes:
    """All pipes of one child."""

    def __init__(
        self,
        popen: subprocess.Popen[bytes],
        stdin: bytes,
        limit: int,
        whole: Callable[[bytes], bool] | None = None,
    ) -> None:
        if popen.stdout is None or popen.stderr is None:
            raise ValueError("both output streams must be pipes")
        self.stdout = Reading(popen.stdout, limit, whole)
        self.stderr = Reading(popen.stderr, limit)
        self._stdin = None if popen.stdin is None else Writing(popen.stdin, stdin)

    async def finish(self, seconds: float) -> None:
        """Wait for the end of both outputs, but no longer than `seconds`."""
        with anyio.move_on_after(seconds):
            await self.stdout.ended.wait()
            await self.stderr.ended.wait()

    def close(self) -> None:
        """Let go of all of them."""
        self.stdout.close()
        self.stderr.close()
        if self._stdin is not None:
            self._stdin.close()


def open_log(path: Path) -> int:
    """Open the log of a detached child, empty and private. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Appending lets us empty it under the writer: its next line then stands at the top.
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


class LogTail:
    """Follows a log that another process writes, line by line."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._offset = 0
        self._rest = b""
        self.truncated = False

    def lines(self, *, ended: bool) -> list[str]:
        """The lines that are new; with `ended`, the unfinished last one too.

        Of a writer that is faster than we look, only the newest lines.
        """
        self._skip()
        found: list[bytes] = []
        for _ in range(ROUNDS + 1):
            chunk = os.pread(self._descriptor, CHUNK, self._offset)
            self._offset += len(chunk)
            *whole, rest = (self._rest + chunk).split(b"\n")
            found += whole
            self._rest = rest[:LINE]
        if ended and self._rest:
            found.append(self._rest)
            self._rest = b""
        self._bound()
        return [line[:LINE].decode("utf-8", "replace").rstrip("\r") for line in found]

    def _skip(self) -> None:
        newest = os.fstat(self._descriptor).st_size - ROUNDS * CHUNK
        if self._offset < newest:
            self._offset, self._rest = newest, b""
            self.truncated = True

    def _bound(self) -> None:
        if os.fstat(self._descriptor).st_size > LOG_LIMIT:
            kept = self.last(CHUNK)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, kept.encode())
            self._offset = os.fstat(self._descriptor).st_size
            self.truncated = True

    def last(self, limit: int) -> str:
        """The last `limit` bytes of the log."""
        size = os.fstat(self._descriptor).st_size
        data = os.pread(self._descriptor, limit, max(0, size - limit))
        return data.decode("utf-8", "replace")
