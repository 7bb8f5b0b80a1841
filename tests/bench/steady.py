"""The daemon over a healthy tower: what it costs a minute, beside the old script's loop."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.once import old_script, timed
from tests.lab.tower.living import LivingDaemon

if TYPE_CHECKING:
    from tests.lab.tower.tower import Tower

SETTLING: Final = 90.0
"""Seconds until the first looks, imports and watches are over."""
OLD_EVERY: Final = 180.0
"""Seconds between two ticks of the old script (design §9)."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def steady(tower: Tower, seconds: float) -> None:
    """Measure for so long, and print a table."""
    daemon = LivingDaemon(tower).start()
    assert daemon.process is not None
    pid = daemon.process.pid
    time.sleep(SETTLING)
    before, switches = cpu_of(pid), woken(pid)
    time.sleep(seconds)
    minutes = seconds / 60.0
    ours = (cpu_of(pid) - before) / minutes
    wakeups = (woken(pid) - switches) / seconds
    resident, largest = memory(pid)
    acts = daemon.acts()
    daemon.end()
    ticks = [timed(old_script(tower), tower.mac.environment)[1] for _ in range(5)]
    theirs = statistics.median(ticks) * 60.0 / OLD_EVERY
    print(f"healthy tower for {seconds:.0f} s, acts: {acts}")
    print(f"healer       {ours:.3f} CPU s a minute with children (goal 0.05)")
    print(f"old script   {theirs:.3f} CPU s a minute at one tick each {OLD_EVERY:.0f} s")
    print(f"ratio        {ours / theirs:.2f}")
    print(f"resident     {resident:.1f} MB, at most {largest:.1f} MB (goal 60, bound 100)")
    print(f"wake-ups     {wakeups:.1f} a second")


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, its ended children and its living ones."""
    own = _stat(pid)
    return own + sum(_stat(child) for child in children(pid))


def _stat(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(int(one) for one in fields[11:15]) / _TICKS


def children(pid: int) -> list[int]:
    """Its living children, over all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        words = (task / "children").read_text(encoding="ascii").split()
        found += [int(one) for one in words]
    return found


def woken(pid: int) -> int:
    """How often it has waited and was woken."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text(encoding="ascii").splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def memory(pid: int) -> tuple[float, float]:
    """Resident now and at most, in MB."""
    found = {}
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(("VmRSS", "VmHWM")):
            found[line.split(":")[0]] = int(line.split()[1]) / 1024
    return found["VmRSS"], found["VmHWM"]
