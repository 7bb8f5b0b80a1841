"""What thousands of pods cost a daemon: `python -m tests.bench.pods [COUNT]`, no lab needed.

The API server is the tests' own, in a process of its own; what is printed is this process alone.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from healer.adapters.clock import SystemClock
from healer.adapters.kubernetes import KubernetesCluster, Names
from healer.probes.flannel import FlannelProbe
from healer.probes.pods import PodsProbe
from tests.cluster_objects import NODE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from healer.core.tower import Layer
    from healer.engine.watching import Probe

USAGE: Final = 2
LOOKS: Final = 20
CHANGES: Final = 50
DEADLINE: Final = 120.0
"""Seconds for a list: the server is slow with so many, and so is a busy machine."""


def resident() -> float:
    """MB of this process now."""
    gc.collect()
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("VmRSS")) / 1024


@dataclass
class Bell:
    """Rings when the watch tells of something."""

    event: anyio.Event

    def __call__(self, layers: frozenset[Layer]) -> None:
        """Ring."""
        del layers
        self.event.set()

    async def rung(self) -> None:
        """Wait for it."""
        await self.event.wait()
        self.event = anyio.Event()


@contextmanager
def server(folder: str, count: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """A server with so many pods: its port, and what changes one of them."""
    argv = [sys.executable, "-m", "tests.bench.pods_server", folder, str(count)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin = process.stdin

        def change() -> None:
            stdin.write("\n")
            stdin.flush()

        yield int(process.stdout.readline()), change
        stdin.close()


async def measure(folder: Path, port: int, count: int, change: Callable[[], None]) -> None:
    """List and watch, then calm looks, then changes."""

    async def ports() -> int | None:
        return port

    cluster = KubernetesCluster(folder / "kubeconfig", Names(NODE), ports, deadline=DEADLINE)
    await cluster.node()
    watched, before = cluster.watched(SystemClock()), resident()
    (news,) = [one for one in watched.news if one.name.endswith("/pods")]
    bell = Bell(anyio.Event())
    async with anyio.create_task_group() as tasks:
        cpu, began = time.process_time(), time.monotonic()
        tasks.start_soon(news.listen, bell)
        await bell.rung()
        _say("list and keep", time.process_time() - cpu, time.monotonic() - began)
        after = resident()
        print(f"{'resident':<24} {before:.1f} MB, with {count} pods {after - before:+.1f} MB")
        probes: tuple[Probe, ...] = (PodsProbe(watched.eyes), FlannelProbe(watched.eyes))
        for probe in probes:
            await probe.look()
            await _each(f"a calm look at {probe.layer}", LOOKS, probe.look)

        async def changed() -> None:
            change()
            await bell.rung()

        await changed()
        await _each("a pod that changes", CHANGES, changed)
        print(f"{'resident in the end':<24} {resident() - before:+.1f} MB")
        await _each("a list instead", 1, cluster.pods)
        tasks.cancel_scope.cancel()
    await cluster.close()


async def _each(what: str, times: int, work: Callable[[], Awaitable[object]]) -> None:
    cpu, began = time.process_time(), time.monotonic()
    for _ in range(times):
        await work()
    _say(what, (time.process_time() - cpu) / times, (time.monotonic() - began) / times)


def _say(what: str, cpu: float, wall: float) -> None:
    print(f"{what:<24} {cpu * 1000:8.1f} ms CPU {wall * 1000:9.1f} ms wall", flush=True)


def main(words: list[str]) -> int:
    """Measure with that many pods, 5,000 unless said."""
    if len(words) > 1 or not all(one.isdigit() and int(one) for one in words):
        sys.stderr.write("usage: python -m tests.bench.pods [COUNT], from 1 on\n")
        return USAGE
    count = int(words[0]) if words else 5000
    with tempfile.TemporaryDirectory() as folder, server(folder, count) as (port, change):
        anyio.run(measure, Path(folder), port, count, change)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
