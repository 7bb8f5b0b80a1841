"""`healer status` beside a bare interpreter and a command that reads all settings.

Medians of wall seconds, taken in turn on one machine, and their ratios; a daemon that answers at
once stands in for the real one, since its answer comes from memory.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.unit.cli.command import Machine
from tests.unit.serving.daemons import Canned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS: Final = 21
TARGET: Final = 0.15
"""Seconds (design §9)."""
HEALER: Final = (sys.executable, "-m", "healer")
COMMANDS: Final[Mapping[str, Sequence[str]]] = {
    "python -c pass": (sys.executable, "-c", "pass"),
    "healer status": (*HEALER, "status"),
    "healer paths": (*HEALER, "paths"),
}


def status() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="healer-") as folder:
        machine = Machine(Path(folder))
        with Canned(machine.home / ".local/state/healer/control.sock"):
            _print(_measured(machine.environment()))


def _measured(environment: dict[str, str]) -> dict[str, list[float]]:
    """The first round warms the disk up and is not counted."""
    runs: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(ROUNDS + 1):
        for name, argv in COMMANDS.items():
            began = time.monotonic()
            subprocess.run(argv, check=True, env=environment, capture_output=True)
            if number:
                runs[name].append(time.monotonic() - began)
    return runs


def _print(runs: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(measured) for name, measured in runs.items()}
    bare = medians["python -c pass"]
    print(f"{'':<16} {'wall s':>8} {'ratio':>7}   ({ROUNDS} runs each, medians)")
    for name, wall in medians.items():
        print(f"{name:<16} {wall:>8.3f} {wall / bare:>7.1f}")
    ours = medians["healer status"]
    print(f"healer status takes {ours / TARGET:.2f} of its {TARGET} s")
