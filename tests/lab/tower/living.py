"""A daemon that lives on the lab's Mac, and what its log tells of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from healer.cli.asking import AskError, ask
from healer.model.whereabouts import CONTROL
from tests.lab.tower.tower import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.tower.tower import Tower

LOOK_EVERY: Final = 0.1
FLANNEL: Final = "/standin flanneld"
"""Its command line in the lab's pod."""
HEALED_WITHIN: Final = 420.0
"""Seconds: the longest way is a VM's start with its 90 s of proof, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    event: str
    at: float
    """Epoch seconds."""
    fields: dict[str, Any]


@dataclass
class LivingDaemon:
    """`healer run` as a subprocess on the tower's Mac."""

    tower: Tower
    process: subprocess.Popen[bytes] | None = None
    words: Path | None = field(default=None)

    def start(self) -> LivingDaemon:
        """Start it, and wait until it has looked at every layer and found it well."""
        mac = self.tower.mac
        self.words = mac.root / "healer.out"
        with self.words.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "healer", "run"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                cwd=REPOSITORY,
                env=mac.environment,
                start_new_session=True,
            )
        self.wait("ready", lambda: self.status().get("ready", False))
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal; how it ended."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def status(self) -> dict[str, Any]:
        """What it says of itself, asked as `healer status` asks; {} while it says nothing.

        A process for each of ten looks a second would take a core from what is being tested.
        """
        control = self.tower.mac.home / ".local" / "state" / "healer" / CONTROL
        try:
            return ask(control, "status")
        except AskError:
            return {}

    def log(self, since: float = 0.0) -> list[Line]:
        """Its log since then."""
        path = self.tower.mac.home / ".local" / "log" / "healer.log"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line for line in map(_line, lines) if line.at >= since]

    def acts(self, since: float = 0.0) -> list[str]:
        """Remedies that were begun since then, in their order."""
        return [one.fields["remedy"] for one in self.log(since) if one.event == "act_begun"]

    def wait(self, what: str, look: Callable[[], object], deadline: float = HEALED_WITHIN) -> None:
        """Wait until a look finds something true; a daemon that ended ends the wait."""
        until = time.monotonic() + deadline
        while not look():
            assert self.process is not None
            assert self.process.poll() is None, f"the daemon ended: {self._said()}"
            assert time.monotonic() < until, f"not in {deadline:.0f} s: {what}\n{self._said()}"
            time.sleep(LOOK_EVERY)

    def crash_flannel(self) -> float:
        """Kill flannel as often as the kubelet restarts it, until healer answers; when it began.

        Its first end may be mended by the kubelet at once: only a row of them is a crash loop.
        """
        struck = time.time()

        def answered() -> list[str]:
            self.tower.mac.guest(["pkill", "-KILL", "-f", FLANNEL])
            return self.acts(struck)

        self.wait("flannel's pod is deleted", answered)
        return struck

    def healed(self, since: float) -> None:
        """Wait until an incident of that time is resolved and every layer is well."""
        self.wait(
            "resolved",
            lambda: any(one.event == "incident_resolved" for one in self.log(since)),
        )
        self.wait("well", lambda: self.status().get("exit_code") == 0)

    def _said(self) -> str:
        assert self.words is not None
        status = self.tower.healer("status", deadline=60).out
        return self.words.read_text(encoding="utf-8")[-6000:] + status


def _line(text: str) -> Line:
    fields = json.loads(text)
    at = datetime.fromisoformat(fields.pop("timestamp")).timestamp()
    return Line(fields.pop("event"), at, fields)
