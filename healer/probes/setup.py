"""A look now and then at how the cluster was set up, carried by the probe of a layer.

All that it finds is advisory. What it cannot look at is simply not looked at: it makes no layer
unknown, and holds none up for longer than `PATIENCE`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import anyio

from healer.core.observation import Finding, Observation
from healer.ports import PortError
from healer.probes.resync import Resync

PATIENCE: Final = 3.0
"""Seconds for all questions of one layer together."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, and what follows from its answer."""

    name: str
    ask: Callable[[], Awaitable[tuple[Finding, ...]]]
    """Raises PortError when it cannot be looked at."""


class SetupLook:
    """What is asked for one layer; between two looks the last answers stand."""

    def __init__(self, checks: Sequence[Check], resync: Resync) -> None:
        self._checks = tuple(checks)
        self._resync = resync
        self._found: dict[str, tuple[Finding, ...]] = {}
        self._unseen: tuple[str, ...] = ()

    async def added_to(self, seen: Observation) -> Observation:
        """What was seen of the layer, and what is to be said of its set-up.

        Only a layer that is well is asked for more.
        """
        if seen.unknown or not self._checks:
            return seen
        if seen.well and self._resync.due():
            # Stamped before it is asked: a server that hangs is not asked again at once.
            self._resync.done()
            await self._look()
        findings = tuple(one for check in self._checks for one in self._found.get(check.name, ()))
        unseen = f"not looked at: {', '.join(self._unseen)}" if self._unseen else ""
        return replace(
            seen,
            findings=(*seen.findings, *findings),
            summary="; ".join(one for one in (seen.summary, unseen) if one),
        )

    async def _look(self) -> None:
        """All at once; whoever did not answer in time keeps what was known of it."""
        answered: dict[str, tuple[Finding, ...]] = {}

        async def ask(check: Check) -> None:
            try:
                answered[check.name] = await check.ask()
            except PortError:
                return

        with anyio.move_on_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                for one in self._checks:
                    tasks.start_soon(ask, one, name=f"set-up: {one.name}")
        self._found.update(answered)
        self._unseen = tuple(one.name for one in self._checks if one.name not in answered)


NOTHING: Final = SetupLook((), Resync())
"""For a probe that is asked for its layer alone."""
