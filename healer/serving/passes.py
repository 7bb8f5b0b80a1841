"""A pass that somebody hands to the running daemon: told live, and reported as its own would be."""

import os
from collections.abc import Mapping
from typing import Any, Final, Protocol

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from healer.core.judging import judge
from healer.core.policy import Policy
from healer.core.world import World
from healer.engine.guests import Guest
from healer.engine.passing import Ended
from healer.engine.telling import Both, Told, nothing_awaited
from healer.ports import Clock
from healer.serving.conversation import Say
from healer.telemetry.foresight import standing
from healer.telemetry.plain import PlainLines
from healer.telemetry.report import Report, document, report_text
from healer.telemetry.spelling import VERDICT

_LINES: Final = 1000
"""Lines that may wait for a slow reader; the engine waits for none, so what is beyond is lost."""


class Host(Protocol):
    """The daemon, as far as a pass needs it."""

    @property
    def world(self) -> World:
        """What is known now."""
        ...

    @property
    def policy(self) -> Policy:
        """What may be done now."""
        ...

    async def once(self, guest: Guest) -> Ended:
        """A look at everything, and all that follows from it."""
        ...


async def handed_pass(host: Host, clock: Clock, seconds: float, say: Say) -> Mapping[str, Any]:
    """Run it, telling `say` what happens; the answer has `exit_code`, `why`, `text`, `document`.

    `seconds`: after so long the pass ends when what is under way has ended. The daemon goes on
    by itself, whoever asked and whenever they leave.
    """
    await say({"line": f"the daemon (pid {os.getpid()}) looks at everything …"})
    report, now = Report(), clock.now()
    send, lines = anyio.create_memory_object_stream[str](_LINES)
    listener = Both(report, PlainLines(_Gutter(send).write))
    guest = Guest(listener, now, now + seconds)
    stands = standing(host.world, now, host.policy)
    listener.told(Told(now, None, stands, host.world, nothing_awaited, dry_run=False))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_tell_lines, lines, say, name="lines of a pass")
        with send:
            ended = await _until_over(host, guest, say)
    return pass_answer(report, ended, host.policy)


async def _until_over(host: Host, guest: Guest, say: Say) -> Ended:
    async def mind_hurry() -> None:
        await say.hurried.wait()
        guest.leave()

    async with anyio.create_task_group() as minding:
        minding.start_soon(mind_hurry, name="hurry of a pass")
        ended = await host.once(guest)
        minding.cancel_scope.cancel()
    return ended


def pass_answer(report: Report, ended: Ended, policy: Policy) -> dict[str, Any]:
    """What a pass of one's own would print and exit with."""
    judged = judge(ended.world, report.now, policy)
    verdict = VERDICT[ended.exit_code]
    verdict += "" if ended.why == "settled" else f" ({ended.why})"
    code = ended.exit_code
    return {
        "exit_code": code,
        "why": ended.why,
        "journal_error": ended.journal_error,
        "text": report_text(report, ended.world, judged, verdict, dry_run=False),
        "document": document(report, ended.world, judged, exit_code=code, dry_run=False),
    }


class _Gutter:
    """Takes lines without ever waiting, and says once how many a slow reader has missed."""

    def __init__(self, send: MemoryObjectSendStream[str]) -> None:
        self._send = send
        self._missed = 0

    def write(self, line: str) -> None:
        """Pass it on, if there is room."""
        try:
            if self._missed:
                self._send.send_nowait(f"… {self._missed} lines were not shown")
                self._missed = 0
            self._send.send_nowait(line)
        except anyio.WouldBlock:
            self._missed += 1


async def _tell_lines(lines: MemoryObjectReceiveStream[str], say: Say) -> None:
    async with lines:
        async for line in lines:
            await say({"line": line})
