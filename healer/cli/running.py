"""What commands share: exit codes, talk on stderr, running a pass under signals."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, TextIO

import anyio
import anyio.abc

from healer.engine.passing import Ended, Pass
from healer.settings import Settings, SettingsError, load

USAGE: Final = 2
CONFIGURATION: Final = 78
"""EX_CONFIG of sysexits."""
INTERRUPTED: Final = 130


class Interrupted(Exception):
    """A human or the system ended us; carries the exit code."""

    def __init__(self, code: int = INTERRUPTED) -> None:
        super().__init__(f"interrupted ({code})")
        self.code = code


def tell(words: str) -> None:
    """Talk to the person: on stderr, so that stdout stays data."""
    _write(sys.stderr, words)


def put(words: str) -> None:
    """Print data: on stdout, line by line, so that a pipe shows it while it comes."""
    _write(sys.stdout, words)


def _write(stream: TextIO, words: str) -> None:
    """A reader who went away (`| head`) must not end an act half-way: nobody listens then."""
    try:
        stream.write(words + "\n")
        stream.flush()
    except BrokenPipeError:
        mute(stream)


def mute(stream: TextIO) -> None:
    """Let what is still written there vanish, so that the interpreter's last flush is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Misconfigured(Exception):
    """The settings are wrong; what and where has been said."""


def load_settings() -> Settings:
    """The settings in force; says every problem and raises Misconfigured when there is one."""
    try:
        return load().settings
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        raise Misconfigured from error


async def run_pass(one: Pass, deadline: float) -> Ended | None:
    """Run a pass; the first signal lets acts under way end, the second ends all at once.

    None when it was ended at once.
    """
    ended: Ended | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_mind_signals, one, tasks.cancel_scope, name="signals")
        ended = await one.run(deadline)
        tasks.cancel_scope.cancel()
    return ended


async def _mind_signals(one: Pass, scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        hurried = False
        async for _ in signals:
            if hurried:
                scope.cancel()
                return
            hurried = True
            one.hurry()
            tell("ending: nothing new is begun; once more to end at once")


def run_async(main: Callable[[], Any]) -> Any:  # noqa: ANN401  (whatever the coroutine returns)
    """The one place where an event loop is started."""
    try:
        return anyio.run(main)
    except KeyboardInterrupt:
        raise Interrupted from None
