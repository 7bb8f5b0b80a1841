"""The canned daemon as a real process, and raw clients of its socket."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from healer.serving.protocol import VERSION
from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]


class Canned:
    """The process; a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.serving.canned", str(self.path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert "ready" == self.hear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def process(self) -> subprocess.Popen[str]:
        """It, once it was started."""
        assert self._process is not None
        return self._process

    def hear(self) -> str:
        """The next thing it noted."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def hear_of(self, words: str) -> None:
        """Wait until it notes this; its end would end the wait."""
        while (noted := self.hear()) != words:
            assert noted, f"it ended before {words!r}"

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE)


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    """Connected, and has said nothing yet."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        yield connection


def request(verb: str, **arguments: Any) -> bytes:  # noqa: ANN401  (whatever JSON holds)
    """One request, as a good client says it."""
    asked = {"verb": verb, "arguments": arguments, "version": VERSION}
    return json.dumps(asked).encode() + b"\n"


def heard(connection: socket.socket) -> list[dict[str, Any]]:
    """All lines until the end, but the signs of life."""
    words = b""
    while True:
        try:
            chunk = connection.recv(65_536)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            break
        words += chunk
    said = [json.loads(line) for line in words.splitlines()]
    return [one for one in said if "event" not in one]


def spoken(path: Path, words: bytes) -> list[dict[str, Any]]:
    """What these bytes are answered."""
    with client(path) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(words)
        return heard(connection)
