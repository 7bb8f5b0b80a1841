"""Faults every few seconds for as long as one likes; what a daemon holds must stay level."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.faults import SETTINGS
from tests.bench.steady import children
from tests.lab.kubernetes.node import NAME
from tests.lab.tower.living import LivingDaemon

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.tower.tower import Tower

WARM: Final = 60.0
"""Seconds of faults before the first measure: imports, buffers and pools have grown by then."""
PAUSE: Final = (2.0, 6.0)


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds."""

    rss: float
    """MB."""
    descriptors: int
    threads: int
    children: int
    zombies: int


def held_by(pid: int) -> Held:
    """Now."""
    status = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    )
    living = children(pid)
    return Held(
        int(status["VmRSS"].split()[0]) / 1024,
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        int(status["Threads"]),
        len(living),
        sum(_is_zombie(one) for one in living),
    )


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"


def soak(tower: Tower, seconds: float, seed: int) -> tuple[Held, Held]:
    """What it held after a warm minute, and at the end, each when the tower was well."""
    print(f"soak of {seconds:.0f} s, seed {seed}; {os.uname().machine}")
    config = tower.mac.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(SETTINGS, encoding="utf-8")
    daemon, draw = LivingDaemon(tower).start(), random.Random(seed)
    try:
        _play(daemon, draw, WARM)
        before = _measured(daemon)
        _play(daemon, draw, seconds)
        return before, _measured(daemon)
    finally:
        config.unlink()
        daemon.end()


def _play(daemon: LivingDaemon, draw: random.Random, seconds: float) -> None:
    faults, until = _faults(daemon.tower), time.monotonic() + seconds
    while time.monotonic() < until:
        draw.choice(faults)()
        time.sleep(draw.uniform(*PAUSE))


def _faults(tower: Tower) -> list[Callable[[], object]]:
    def taint() -> None:
        if not any(one["key"].endswith("control-plane") for one in tower.node.taints()):
            tower.faults.taint()

    def stutter() -> None:
        tower.mac.stop_mux()
        time.sleep(1.0)
        tower.mac.cont_mux()

    def noise() -> None:
        tower.faults.annotate("lab.invalid/note", str(time.monotonic()))

    def pod() -> None:
        tower.node.kubectl("delete", "pod", "-n", "joelclaw", "-l", "app=redis", "--wait=false")

    def inspect() -> None:
        tower.mac.docker(["inspect", NAME])

    return [_whatever(one) for one in (taint, stutter, noise, pod, inspect, tower.mac.drop_module)]


def _whatever(fault: Callable[[], object]) -> Callable[[], object]:
    """A fault that cannot be played just now, since another one is on, is left out."""

    def play() -> None:
        try:
            fault()
        except Exception as error:  # noqa: BLE001  (whatever the lab's tools raise)
            print(f"left out: {error!r}"[:120])

    return play


def _measured(daemon: LivingDaemon) -> Held:
    daemon.wait("well", lambda: daemon.status().get("exit_code") == 0)
    assert daemon.process is not None
    pid = daemon.process.pid
    daemon.wait("calm", lambda: held_by(pid).zombies == 0)
    return held_by(pid)
