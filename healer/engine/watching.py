"""A probe's life: look, send what was seen, rest, and survive its own faults."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

import anyio

from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.ports import Clock

Send = Callable[[Observation, float], Awaitable[None]]
"""Takes an observation and the time at which its look began."""


class Probe(Protocol):
    """Looks at one layer and changes nothing."""

    layer: Layer

    async def look(self) -> Observation:
        """Look once."""
        ...


async def look_once(probe: Probe, deadline: float) -> Observation:
    """One bounded look; a probe that breaks or hangs is ignorant, not its layer ill (I1)."""
    try:
        with anyio.move_on_after(deadline):
            return await probe.look()
    except Exception as error:  # noqa: BLE001  (a broken probe must not end its siblings)
        broke = f"the probe broke: {type(error).__name__}: {error}"
        return Observation(probe.layer, unknown=broke)
    return Observation(probe.layer, unknown=f"the probe did not end within {deadline:.0f} s")


async def watch(probe: Probe, clock: Clock, send: Send, *, every: float, deadline: float) -> None:
    """Look again and again until cancelled; the rest is counted from the end of a look."""
    while True:
        began = clock.now()
        observation = await look_once(probe, deadline)
        await send(replace(observation, layer=probe.layer), began)
        await clock.sleep(every)
