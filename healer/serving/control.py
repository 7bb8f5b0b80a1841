"""The daemon's control socket: a unix socket that only its owner may use (design §6)."""

import os
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketListener, SocketStream, TaskGroup

from healer.serving import protocol
from healer.serving.conversation import Answer, Broke, Patience, Refused, Say, converse
from healer.serving.peers import peer_uid, welcome

_LONGEST_PATH: Final = 103 if sys.platform == "darwin" else 107
"""Bytes that `sun_path` holds beside its NUL: 104 on macOS, 108 on Linux (unix(4), unix(7))."""
_NO_MORE: Final = 1.0
"""Rest after the system had no descriptor for one more connection."""


class ControlError(Exception):
    """The socket cannot be opened; the message names place, cause and remedy."""


def _nobody(verb: str, error: Exception) -> None:
    del verb, error


class ControlServer:
    """Serves `answers` by verb on a unix socket.

    `holds_lock` says whether this process holds the writer's lock: only then may a socket that
    a killed daemon left behind be replaced, since nobody else can be serving on it.
    """

    def __init__(
        self,
        path: Path,
        answers: Mapping[str, Answer],
        *,
        holds_lock: Callable[[], bool],
        patience: Patience | None = None,
        broke: Broke = _nobody,
    ) -> None:
        self._path = path
        self._answers = answers
        self._holds_lock = holds_lock
        self._patience = patience or Patience()
        self._broke = broke
        self._open = 0

    async def keep_open(self, said: Callable[[str], None]) -> None:
        """Serve until cancelled; `said` hears why it cannot, and '' as soon as it can again.

        The daemon lives on without its socket, and a socket whose file somebody has swept
        away is made anew.
        """
        while True:
            try:
                await self._serve_while_there(said)
            except ControlError as error:
                said(str(error))
                await anyio.sleep(self._patience.again)

    async def _serve_while_there(self, said: Callable[[str], None]) -> None:
        listener = await self._listen()
        ours = self._path.stat()
        said("")
        try:
            async with listener, anyio.create_task_group() as tasks:
                tasks.start_soon(self._accept, listener, tasks, name="control socket")
                await self._until_gone(ours)
                tasks.cancel_scope.cancel()
        finally:
            if self._is_there(ours):
                self._path.unlink()

    async def _listen(self) -> SocketListener:
        """Raises ControlError."""
        self._must_be_possible()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # It listens only after its mode is set, so there is no moment for a stranger.
            return await anyio.create_unix_listener(self._path, mode=0o600)
        except OSError as error:
            raise ControlError(
                f"control socket {self._path}: {error.strerror}; look at it with: "
                f"ls -ld {self._path.parent} {self._path}"
            ) from error

    def _must_be_possible(self) -> None:
        length = len(os.fsencode(self._path))
        if length > _LONGEST_PATH:
            raise ControlError(
                f"control socket {self._path}: {length} bytes, and a unix socket's path has at "
                f"most {_LONGEST_PATH} here; set files.state to a shorter folder"
            )
        if not self._holds_lock():
            raise ControlError(
                f"control socket {self._path}: not opened before the writer's lock is held; "
                "healer doctor says what keeps the lock"
            )
        if self._path.exists() and not self._path.is_socket():
            raise ControlError(
                f"control socket {self._path}: something else is there; look at it with: "
                f"ls -l {self._path}"
            )

    async def _until_gone(self, ours: os.stat_result) -> None:
        """Nothing tells of a file that was swept away, so it is looked for now and then."""
        while True:
            await anyio.sleep(self._patience.again)
            if not self._is_there(ours):
                return

    def _is_there(self, ours: os.stat_result) -> bool:
        try:
            now = self._path.stat()
        except OSError:
            return False
        return stat.S_ISSOCK(now.st_mode) and os.path.samestat(now, ours)

    async def _accept(self, listener: SocketListener, tasks: TaskGroup) -> None:
        while True:
            try:
                stream = await listener.accept()
            except anyio.BrokenResourceError:
                await anyio.sleep(_NO_MORE)
                continue
            if self._open >= self._patience.connections:
                await _refuse(stream, Refused("too many ask at once", protocol.BUSY))
                continue
            self._open += 1
            tasks.start_soon(self._serve, stream, name="control connection")

    async def _serve(self, stream: SocketStream) -> None:
        try:
            async with stream:
                await self._let_in(stream)
        except Exception as error:  # noqa: BLE001  (one connection never harms the daemon)
            self._broke("", error)
        finally:
            self._open -= 1

    async def _let_in(self, stream: SocketStream) -> None:
        peer = stream.extra_attributes[SocketAttribute.raw_socket]()
        if welcome(peer_uid(peer)):
            await converse(stream, self._answers, self._patience, self._broke)
            return
        words = f"only the user who runs the daemon (uid {os.geteuid()}) may ask it"
        await _refuse(stream, Refused(words, protocol.FORBIDDEN))


async def _refuse(stream: ByteStream, error: Refused) -> None:
    """One short line fits into any socket's buffer, so this never waits."""
    async with stream:
        with anyio.CancelScope() as scope:
            await Say(stream, scope, 1.0)({"error": {"code": error.code, "words": str(error)}})
