"""What the tests of remedies share: an act, and an end in the middle of one."""

from collections.abc import Awaitable, Callable

import anyio

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.ports import Remedial
from tests.fakes.faulty import HANG, Faulty


def act_of(remedy: Remedy, reason: Reason, *, target: str = "", fingerprint: str = "") -> Act:
    """An intent."""
    return Act(
        "run-1", remedy, reason.layer, reason, "evidence", target=target, fingerprint=fingerprint
    )


async def heal(remedy: Remedial, act: Act) -> str:
    """Run it as the engine does: only when it is needed; why not, or what was done."""
    return await remedy.needed(act) or await remedy.act(act)


async def die_in(part: Faulty, method: str, call: Callable[[], Awaitable[object]]) -> None:
    """Run the call until that method is reached, then end it there, as a SIGKILL would."""
    part.faults[method] = HANG
    part.hanging = anyio.Event()

    async def run() -> None:
        await call()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await part.hanging.wait()
        tasks.cancel_scope.cancel()
    part.faults.pop(method)
