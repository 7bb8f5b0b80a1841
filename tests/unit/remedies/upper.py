"""Runs a remedy for what a probe really found, as the engine does."""

from typing import Protocol

import anyio

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.observation import Finding, Observation
from healer.ports import Remedial
from tests.fakes.faulty import HANG, Faulty


class Probe(Protocol):
    """Anything that looks."""

    async def look(self) -> Observation:
        """Look once."""
        ...


def act_for(finding: Finding, remedy: Remedy) -> Act:
    """The act that the core makes of a finding."""
    return Act(
        id="t-1",
        remedy=remedy,
        layer=finding.reason.layer,
        reason=finding.reason,
        evidence=finding.evidence,
        target=finding.target,
        event=finding.event,
        owner=finding.owner,
        fingerprint=finding.fingerprint,
    )


async def intent(probe: Probe, remedial: Remedial) -> Act:
    """The act for the first thing that the probe finds."""
    return act_for((await probe.look()).findings[0], remedial.remedy)


async def perform(remedial: Remedial, act: Act) -> str:
    """Ask whether it is needed, and if so act; says what was done, or why nothing was."""
    why_not = await remedial.needed(act)
    return f"not needed: {why_not}" if why_not else await remedial.act(act)


async def hangs_until_cancelled(remedial: Remedial, act: Act, part: Faulty, method: str) -> bool:
    """Whether a silent part leaves the remedy waiting, and a cancellation ends it at once."""
    part.faults[method] = HANG
    part.hanging = anyio.Event()
    ended = False
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            nonlocal ended
            try:
                await perform(remedial, act)
            finally:
                ended = True

        tasks.start_soon(run, name="remedy")
        await part.hanging.wait()
        tasks.cancel_scope.cancel()
    del part.faults[method]
    return ended
