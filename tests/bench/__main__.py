"""`python -m tests.bench once`: a healthy pass beside a script of the old kind, on one lab.

Prints medians of whole-process wall and CPU seconds, children included, and their ratios. Runs
in turn, so that a machine that slows down slows both. Needs what the lab needs.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.kubernetes.node import Node
from tests.lab.tower.tower import REPOSITORY, Tower
from tests.lab.virtual.mac import Mac

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


def once(tower: Tower) -> None:
    """Both in turn, after one warm-up of each."""
    mac = tower.mac
    binaries = mac.layout.binaries / "kubectl"
    if not binaries.exists():
        shutil.copy(tower.node.kubectl_program, binaries)
    ours = [sys.executable, "-m", "healer", "--once", "--json"]
    config = str(mac.layout.ssh_config)
    theirs = [str(SCRIPT), str(mac.docker_socket), str(mac.home / ".kube" / "config"), config]
    runs: dict[str, list[tuple[float, float]]] = {"healer --once": [], "old script": []}
    for number in range(ROUNDS + 1):
        for name, argv in (("healer --once", ours), ("old script", theirs)):
            measured = timed(argv, mac.environment)
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


def main() -> int:
    """Build a tower, measure, take it down."""
    if sys.argv[1:] != ["once"]:
        sys.stderr.write("usage: python -m tests.bench once\n")
        return 2
    mac = Mac()
    try:
        mac.start_vm()
        kubeconfig = mac.home / ".kube" / "config"
        kubeconfig.parent.mkdir(exist_ok=True)
        tower = Tower(mac, Node(mac.docker_command, kubeconfig))
        tower.build()
        tower.mend()
        once(tower)
    finally:
        mac.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
