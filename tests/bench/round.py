"""Full rounds of all probes through real adapters: what they cost, and where.

The measuring process is one of its own, with the daemon's wiring and nothing of the lab in it.
Time jumps a calm rest ahead between two rounds, so that what is remembered for a minute or for
ten is asked as often as in life.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import resource
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from healer.adapters.clock import SystemClock
from healer.adapters.guest_script import script
from healer.adapters.ssh import SshGuest
from healer.core.ledger import Ledger
from healer.engine.quiet import Snapshot
from healer.engine.watching import Probe, look_once
from healer.settings import Settings, load
from healer.settings.places import places_of
from healer.wiring.parts import Looks, OurChildren, Outside, probes_of
from healer.wiring.real import Manner, real_outside
from tests.bench.steady import children

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.tower.tower import Tower

WARM: Final = 4
REST: Final = 15.0
"""Seconds that pass between two rounds, as far as anybody asks the clock."""
DEADLINE: Final = 20.0
TOP: Final = 25
_MILLI: Final = 1000.0


def round_(tower: Tower, rounds: int) -> None:
    """Measure on this tower."""
    argv = [sys.executable, "-m", "tests.bench.round", str(rounds)]
    repository = Path(__file__).parents[2]
    subprocess.run(argv, check=True, env=tower.mac.environment, cwd=repository)


@dataclass
class Ahead(SystemClock):
    """The real clock, and how far it was put ahead."""

    by: float = 0.0

    def __post_init__(self) -> None:
        """As the real one is made."""
        super().__init__()

    def now(self) -> float:
        """Seconds on this boot's clock, and what was added."""
        return super().now() + self.by


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of this process and of its children, living and dead."""

    own: float
    children: float

    @classmethod
    def now(cls) -> Cost:
        """All until now."""
        own = resource.getrusage(resource.RUSAGE_SELF)
        dead = resource.getrusage(resource.RUSAGE_CHILDREN)
        living = sum(_exact(one) for one in children(os.getpid()))
        return cls(own.ru_utime + own.ru_stime, dead.ru_utime + dead.ru_stime + living)

    def since(self, before: Cost, number: int) -> str:
        """The difference, of one round."""
        own = _MILLI * (self.own - before.own) / number
        theirs = _MILLI * (self.children - before.children) / number
        return f"{own:8.2f} ms own  {theirs:8.2f} ms children"


def _exact(pid: int) -> float:
    """Finer than the ticks of `stat`: the scheduler counts nanoseconds."""
    try:
        words = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return int(words[0]) / 1e9


@dataclass
class Spawned:
    """Which programs were started."""

    programs: list[str] = field(default_factory=list)

    def hear(self, event: str, details: tuple[object, ...]) -> None:
        """An audit hook: it cannot be taken away again."""
        if event == "subprocess.Popen":
            argv = details[1]
            self.programs.append(str(argv[0] if isinstance(argv, list | tuple) else argv))

    def told(self) -> str:
        """Each program with its number."""
        names = [Path(one).name for one in self.programs]
        return ", ".join(f"{names.count(one)} {one}" for one in sorted(set(names))) or "none"


async def _all(probes: Sequence[Probe]) -> dict[str, str]:
    """One round; what each layer is worth telling of, so that a sick tower is not measured."""
    said: dict[str, str] = {}

    async def look(probe: Probe) -> None:
        seen = (await look_once(probe, DEADLINE)).observation
        gating = [one.evidence for one in seen.findings if one.reason.gating]
        if gating or seen.unknown:
            said[str(probe.layer)] = "; ".join((*gating, seen.unknown))

    async with anyio.create_task_group() as tasks:
        for one in probes:
            tasks.start_soon(look, one)
    return said


async def measure(rounds: int, spawned: Spawned) -> None:
    """Print the tables."""
    settings = load().settings
    clock = Ahead()
    outside = _outside(settings, clock)
    looks = Looks.over(outside, resident=True)
    probes = probes_of(outside, settings, looks, OurChildren(Snapshot(Ledger()), os.getpid()))
    try:
        for _ in range(WARM):
            print("healthy" if not (said := await _all(probes)) else said)
            clock.by += REST
        spawned.programs.clear()
        before, began = Cost.now(), time.monotonic()
        for _ in range(rounds):
            await _all(probes)
            clock.by += REST
        print(f"\na round      {Cost.now().since(before, rounds)}  (of {rounds})")
        print(f"wall         {(time.monotonic() - began) / rounds * _MILLI:8.2f} ms a round")
        print(f"spawned      {spawned.told()} in {rounds} rounds\n")
        for probe in probes:
            await _one(probe, rounds, clock, spawned)
        await _in_the_vm(outside)
        await _profiled(probes, rounds, clock)
    finally:
        await outside.close()


def _outside(settings: Settings, clock: SystemClock) -> Outside:
    home = Path(os.environ["HOME"])
    made = real_outside(
        settings,
        places_of(settings, os.environ, home),
        OurChildren(Snapshot(Ledger()), os.getpid()),
        Manner(os.environ, resident=True),
    )
    return replace(made, clock=clock)


async def _one(probe: Probe, rounds: int, clock: Ahead, spawned: Spawned) -> None:
    """A layer by itself, so that nothing is shared with the others."""
    spawned.programs.clear()
    before = Cost.now()
    for _ in range(rounds):
        await look_once(probe, DEADLINE)
        clock.by += REST
    print(f"{probe.layer!s:<12} {Cost.now().since(before, rounds)}  spawned {spawned.told()}")


async def _in_the_vm(outside: Outside) -> None:
    """What a question costs the VM, by its shell's own count of its children."""
    guest = outside.guest_hands
    assert isinstance(guest, SshGuest)
    words = shlex.join(("sh", "-s", "--", *guest._question.arguments))
    counted = f"for _ in 1 2 3 4 5; do sh -c {shlex.quote(_twice(words))}; done; times"
    done = await guest._ssh.run(counted, deadline=60.0)
    print(f"\nin the VM, five questions: {' '.join(done.stdout.split()[-2:])} (user, system)")


def _twice(words: str) -> str:
    """The script inside of a command line, since stdin can be read once only."""
    return f"printf %s {shlex.quote(script().decode())} | {words} >/dev/null"


async def _profiled(probes: Sequence[Probe], rounds: int, clock: Ahead) -> None:
    profile = cProfile.Profile(time.thread_time)
    profile.enable()
    for _ in range(rounds):
        await _all(probes)
        clock.by += REST
    profile.disable()
    print()
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(TOP)


def resident() -> float:
    """MB of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


MODULES: Final = (
    "anyio",
    "asyncio",
    "healer.core.machine",
    "healer.settings",
    "healer.wiring.daemon",
    "aiohttp",
    "aiohttp.web",
    "aiodocker",
    "yaml",
    "tenacity",
    "prometheus_client",
    "structlog",
    "healer.cli.run",
    "healer.wiring.pages",
    "healer.adapters.kubernetes_client:_modules",
)
"""In the order in which a daemon comes to them; a function after a colon is called."""

_IMPORTING: Final = """
import importlib, sys, time
from pathlib import Path
def rss():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
before = rss()
print(f"{'interpreter':<44} {before:6.1f} MB")
for one in sys.argv[1:]:
    name, _, function = one.partition(":")
    began = time.process_time()
    module = importlib.import_module(name)
    if function:
        getattr(module, function)()
    took, now = time.process_time() - began, rss()
    print(f"{one:<44} {now:6.1f} MB  +{now - before:5.1f}  {1000 * took:6.1f} ms")
    before = now
"""


def imports() -> None:
    """What each library adds to a fresh interpreter."""
    subprocess.run([sys.executable, "-c", _IMPORTING, *MODULES], check=True)
    print()


def main(words: list[str]) -> None:
    """Within the environment of a Mac of the lab."""
    spawned = Spawned()
    sys.addaudithook(spawned.hear)
    imports()
    anyio.run(measure, int(words[0]), spawned)
    print(f"resident after all of it {resident():.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
