"""What an engine is made of; wiring fills it in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from healer.core.ladders import Remedy
from healer.core.ledger import Attempt
from healer.engine.telling import Listener, Stepped
from healer.engine.watching import Probe
from healer.ports import Clock, Journal, Remedial
from healer.replay.records import Begun


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a pass looks, and how long one look may take; seconds."""

    every: float = 2.0
    deadline: float = 20.0


async def _nobody(attempt: Attempt) -> bool:
    """No process outlives its healer."""
    del attempt
    return False


def _unwritten(one: Begun | Stepped) -> None:
    """Nobody writes the steps down."""
    del one


@dataclass(frozen=True, slots=True)
class Parts:
    """Eyes, hands and memory of one engine."""

    probes: Sequence[Probe]
    remedies: Mapping[Remedy, Remedial]
    journal: Journal
    clock: Clock
    listener: Listener
    pace: Pace = field(default_factory=Pace)
    still_running: Callable[[Attempt], Awaitable[bool]] = _nobody
    """Whether the process of an unfinished act lives on (a `colima start` outlives us)."""
    after_act: Callable[[], None] = lambda: None
    """Called when an act has ended: what was cached of the world before it is void."""
    began: Callable[[Begun], None] = _unwritten
    """Told what the run begins with, before its first step; must neither block nor raise."""
    stepped: Callable[[Stepped], None] = _unwritten
    """Told of each step before its decisions are carried out; must neither block nor raise.
    That of the first parts goes on after a reload."""
