"""A probe's life: look, send what was seen, rest, and survive its own faults."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

import anyio

from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.outside import cleaned, observed
from healer.ports import Clock

Send = Callable[[Observation, float], Awaitable[None]]
"""Takes an observation and the time at which its look began."""


class Probe(Protocol):
    """Looks at one layer and changes nothing."""

    layer: Layer

    async def look(self) -> Observation:
        """Look once."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What one look brought."""

    observation: Observation
    broke: bool = False
    """The probe raised or never ended: the fault is the probe's own."""


async def look_once(probe: Probe, deadline: float) -> Look:
    """One bounded look; a probe that breaks or hangs is ignorant, not its layer ill (I1).

    Here what others wrote becomes evidence, so here it is cleaned, and nowhere after it.
    """
    why = f"the probe did not end within {deadline:.0f} s"
    try:
        with anyio.move_on_after(deadline):
            seen = observed(await probe.look())
            return Look(seen if seen.layer is probe.layer else replace(seen, layer=probe.layer))
    except Exception as error:  # noqa: BLE001  (a broken probe must not end its siblings)
        why = f"the probe broke: {type(error).__name__}: {error}"
    return Look(Observation(probe.layer, unknown=cleaned(why)), broke=True)


async def watch(probe: Probe, clock: Clock, send: Send, *, every: float, deadline: float) -> None:
    """Look again and again until cancelled; the rest is counted from the end of a look."""
    while True:
        began = clock.now()
        look = await look_once(probe, deadline)
        await send(look.observation, began)
        await clock.sleep(every)
