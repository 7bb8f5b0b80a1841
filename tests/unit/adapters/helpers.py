"""Small real parts for the tests of adapters: programs, pipes that tell of an event, counts."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import psutil
from anyio import to_thread


def python(code: str, *arguments: str | Path) -> list[str]:
    """The argument list of a Python program."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def write_tool(folder: Path, name: str, script: str) -> Path:
    """Make an executable `sh` script."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def fifo(folder: Path, name: str = "told") -> Path:
    """A named pipe through which a child tells that it has come so far."""
    path = folder / name
    os.mkfifo(path)
    return path


async def told(path: Path) -> str:
    """Wait until somebody writes into the named pipe and closes it."""
    return await to_thread.run_sync(path.read_text)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state of the machine that sends no event; the test's time limit ends it."""
    while not condition():  # noqa: ASYNC110 - a process that is not our child sends no event
        await anyio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process, or its zombie, is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children() -> set[str]:
    """The pids of this process's children, zombies among them."""
    return {str(one.pid) for one in psutil.Process().children()}


def open_files() -> set[str]:
    """Descriptors of this process and what they are."""
    found = set()
    for one in Path("/dev/fd").iterdir():
        try:
            found.add(f"{one.name} {one.readlink()}")
        except OSError:  # the one that reads this very folder
            continue
    return found
