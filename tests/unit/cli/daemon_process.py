"""A real daemon process in a home of its own, on a machine that has no tower."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.patience import PATIENCE


@dataclass
class DaemonProcess:
    """`healer run` as launchd would start it; its words are read line by line."""

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    heard: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """A bare machine: no tool of the tower, no Docker, no cluster."""
        return {"HOME": str(self.home), "PATH": "/usr/bin:/bin", **self.more}

    def start(self) -> "DaemonProcess":
        """Start it, and wait until it has looked at every layer."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "healer", "run"],
            env=self.environment,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.hear("every layer was looked at")
        return self

    def hear(self, words: str) -> str:
        """Wait for a line that holds these words; the daemon's end ends the wait."""
        assert self.process is not None
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.heard.append(line.rstrip())
            if words in line:
                return line.rstrip()
        raise AssertionError(f"{words!r} was never said; it said: {self.heard}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; how it ended."""
        assert self.process is not None
        self.send(number)
        _, words = self.process.communicate(timeout=PATIENCE)
        self.heard += words.splitlines()
        return self.process.returncode

    def cli(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Another `healer` beside it, with more variables in its environment."""
        return subprocess.run(
            [sys.executable, "-m", "healer", *words],
            env={**os.environ, **self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
