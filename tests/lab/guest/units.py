"""The guest's services and their states, as systemd would tell them."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

START_DEADLINE: Final = 30.0
STOP_DEADLINE: Final = 20.0
"""Seconds; dockerd gives a deaf container 10."""
LOOK: Final = 0.02


@dataclass(slots=True)
class Unit:
    """One service: a program, and the socket whose presence says that it is up."""

    name: str
    argv: Sequence[str]
    log: Path
    sockets: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    state: str = "inactive"
    result: str = "success"
    pid: int = 0
    inactive_since: float = 0.0
    """Microseconds on the guest's monotonic clock; 0 while it never was left active."""
    _ended: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> bool:
        """Start it unless it runs, and wait until its sockets are there."""
        with self._turn:
            return self.state == "active" or self._start()

    def stop(self) -> None:
        """TERM, wait, KILL; what it leaves behind is removed."""
        with self._turn:
            self._stop()

    def restart(self) -> bool:
        """Both, with nobody between them."""
        with self._turn:
            self._stop()
            return self._start()

    def kill(self, number: int = signal.SIGTERM) -> None:
        """Send a signal that nobody has asked systemd to send: the unit may fail of it."""
        if self.pid:
            os.kill(self.pid, number)

    def ended(self, status: int) -> None:
        """Its process is gone: told by whoever reaps."""
        stopping = self.state == "deactivating"
        clean = stopping or status == 0
        self.result = "success" if clean else _result(status)
        self.state = "inactive" if clean else "failed"
        self.inactive_since = time.monotonic() * 1e6
        self.pid = 0
        self._ended.set()

    def _start(self) -> bool:
        self._clear()
        self._ended.clear()
        self.state = "activating"
        self.pid = self._spawn()
        until = time.monotonic() + START_DEADLINE
        while not all(socket.is_socket() for socket in self.sockets):
            if self._ended.wait(LOOK) or time.monotonic() > until:
                return False
        # It may have ended meanwhile, and its end must have the last word.
        if not self._ended.is_set():
            self.state, self.result = "active", "success"
        return True

    def _stop(self) -> None:
        if not self.pid:
            return
        self.state = "deactivating"
        self._signal(signal.SIGTERM)
        if not self._ended.wait(STOP_DEADLINE):
            self._signal(signal.SIGKILL)
            self._ended.wait(STOP_DEADLINE)
        self._clear()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def _spawn(self) -> int:
        # Not subprocess: init reaps all children, so nobody else may wait for them.
        log = str(self.log)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        return os.posix_spawn(
            self.argv[0], list(self.argv), self.environment, file_actions=actions, setsid=True
        )

    def _clear(self) -> None:
        # Neither dockerd nor containerd removes what a killed one has left.
        for socket in self.sockets:
            socket.unlink(missing_ok=True)


def _result(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return "exit-code"
    return "core-dump" if os.WCOREDUMP(status) else "signal"
