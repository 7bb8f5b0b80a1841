"""Ctrl-C, and SIGTERM as its equal, while a daemon works for us: once politely, then at once."""

import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Final, Self

from healer.cli.talking import Interrupted, tell

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Presses:
    """Makes signals something that `select` can wait for; a context manager.

    A handler that printed or raised could do so in the middle of another line.
    """

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._before: list[tuple[signal.Signals, Any]] = []
        self._wakeup_before = -1
        self.seen = 0

    def __enter__(self) -> Self:
        for end in (self._reading, self._writing):
            end.settimeout(0.0)
        self._wakeup_before = signal.set_wakeup_fd(
            self._writing.fileno(), warn_on_full_buffer=False
        )
        self._before = [(one, signal.signal(one, _ignored)) for one in _SIGNALS]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one, handler in self._before:
            signal.signal(one, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self._reading.close()
        self._writing.close()

    def fileno(self) -> int:
        """What `select` waits for."""
        return self._reading.fileno()

    def taken(self) -> None:
        """Answer what was pressed: the first time with a word, then with Interrupted."""
        self.seen += len(self._reading.recv(1024))
        if self.seen > 1:
            raise Interrupted
        tell("ending: nothing new is begun; once more to end at once")


def _ignored(number: int, frame: FrameType | None) -> None:
    """The wakeup descriptor has it already."""
    del number, frame
