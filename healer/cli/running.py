"""Running a pass or a daemon: the one event loop, under signals."""

import signal
from collections.abc import Callable
from typing import Any

import anyio
import anyio.abc

from healer.cli.talking import Interrupted, tell
from healer.engine.passing import Ended, Pass


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
