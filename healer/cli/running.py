"""What commands share: exit codes, talk on stderr, running a pass under signals."""

import signal
import sys
from collections.abc import Callable
from typing import Any, Final

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
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


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
