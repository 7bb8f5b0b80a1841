"""When healer itself is blind or lamed: nobody may go for six days without knowing.

A missing `limactl` once made every layer unknown; that is no incident, and nobody was told
(facts/incidents.md, 1).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from healer.core.facts import State
from healer.core.tower import LAYERS
from healer.core.world import World
from healer.model.notice import Kind, Notice
from healer.notices import wording
from healer.notices.rules import Rules
from healer.notices.scene import Scene

_ADVICE: Final = "run: healer doctor; healer status"


@dataclass(frozen=True, slots=True)
class Impairment:
    """Since when each part is lamed, on the clock that stands still in sleep, and why.

    A look that got lost just before the Mac slept would be a blindness of a night otherwise.
    """

    since: Mapping[str, float] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)

    def after(self, scene: Scene, problems: Mapping[str, str]) -> "Impairment":
        """What goes on keeps its beginning; what is over is forgotten."""
        why = {**_blind(scene.world), **_crashing(scene), **problems}
        if not why and not self.why:
            return self
        since = {part: self.since.get(part, scene.at.awake) for part in why}
        return Impairment(since, why)

    def notices(self, scene: Scene, rules: Rules) -> Iterator[Notice]:
        """One a part and day, for what has lasted too long."""
        for part, began in self.since.items():
            name = (f"impaired-{part}-{scene.at.day}", Kind.IMPAIRED)
            if scene.at.awake - began >= rules.impaired_after and name not in scene.told:
                yield wording.impaired(name[0], part, self.why[part], _ADVICE, scene.at)


def _crashing(scene: Scene) -> Mapping[str, str]:
    """The pause that healer gives itself after crashes: no incident opens while it lasts."""
    for one in scene.world.ledger.pauses:
        ends = float("inf") if one.until is None else one.until
        if one.author == "healer" and ends > scene.at.now:
            return {"healer": one.reason}
    return {}


def _blind(world: World) -> Mapping[str, str]:
    """The lowest layer that cannot be looked at: what is unknown above it follows from it."""
    for layer in LAYERS:
        view = world.views.get(layer)
        if view is not None and world.states.get(layer, State.UNKNOWN) is State.UNKNOWN:
            return {layer.value: view.observation.unknown}
    return {}
