"""A status document, as a healthy tower's daemon would send it."""

from typing import Any

from healer.core.observation import Observation
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import View, World
from healer.telemetry.status import About, status_document


def document_of(world: World, now: float = 100.0, **about: Any) -> dict[str, Any]:  # noqa: ANN401  (fields of About)
    """What a daemon of 40 s would say of that world."""
    given = About(**{"version": "0.1.0", "pid": 812, "up": 40.0, **about})
    return status_document(world, now, Policy(run="t"), given)


def healthy(at: float = 100.0) -> World:
    """Every layer looked at, and well."""
    return World(
        views={one: View(Observation(one, summary="as it should be"), at) for one in Layer}
    )


STATUS = document_of(healthy())
