"""A healthy pass beside a script of the old kind: medians of wall and CPU seconds."""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.tower.tower import REPOSITORY, Tower

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS: Final = 7
SCRIPT: Final = Path(__file__).with_name("old_script.sh")


def timed(argv: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of one run, its children's included; it must succeed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(argv, check=True, env=environment, cwd=REPOSITORY, capture_output=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - began
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def old_script(tower: Tower) -> list[str]:
    """The old kind's command line on this tower."""
    mac = tower.mac
    kubectl = mac.layout.binaries / "kubectl"
    if not kubectl.exists():
        shutil.copy(tower.node.kubectl_program, kubectl)
    kubeconfig = mac.home / ".kube" / "config"
    return [str(SCRIPT), str(mac.docker_socket), str(kubeconfig), str(mac.layout.ssh_config)]


def once(tower: Tower) -> None:
    """Both in turn, after one warm-up of each."""
    ours, theirs = [sys.executable, "-m", "healer", "--once", "--json"], old_script(tower)
    runs: dict[str, list[tuple[float, float]]] = {"healer --once": [], "old script": []}
    for number in range(ROUNDS + 1):
        for name, argv in (("healer --once", ours), ("old script", theirs)):
            measured = timed(argv, tower.mac.environment)
            if number:
                runs[name].append(measured)
    _print(runs)


def _print(runs: dict[str, list[tuple[float, float]]]) -> None:
    medians = {
        name: [statistics.median(column) for column in zip(*measured, strict=True)]
        for name, measured in runs.items()
    }
    print(f"{'':<14} {'wall s':>8} {'CPU s':>8}   ({ROUNDS} runs each, medians)")
    for name, (wall, cpu) in medians.items():
        print(f"{name:<14} {wall:>8.2f} {cpu:>8.2f}")
    ours, theirs = medians["healer --once"], medians["old script"]
    print(f"{'ratio':<14} {ours[0] / theirs[0]:>8.2f} {ours[1] / theirs[1]:>8.2f}")
