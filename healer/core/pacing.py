"""How attentive to be: whether something in the tower is expected to change soon."""

from healer.core.facts import State
from healer.core.world import World

_MOVING = frozenset({State.SUSPECT, State.GRACE, State.HEALING, State.VERIFYING})
_NEWS_FOR = 180.0
"""A failure that nothing is done about is no news after so long; slow looks go on."""
_SOON = 60.0
"""A refusal that ends within this time is waited for with open eyes."""


def stirring(world: World, now: float) -> bool:
    """Whether to look often: something is ill and moving, or an act is soon to follow."""
    if world.acting or world.verifying:
        return True
    for layer, state in world.states.items():
        fresh = now - world.since.get(layer, now) < _NEWS_FOR
        if state in _MOVING or (state is State.FAILING and fresh):
            return True
    refusals = world.refusals.values()
    return any(one.until is not None and one.until - now <= _SOON for one in refusals)
