"""The simulated engine as one of the contract's worlds."""

from dataclasses import dataclass, field

import anyio

from healer.simulation.engine_ports import SimulatedEngine, SimulatedEngineHands
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.physics import Tower


@dataclass(slots=True)
class SimulatedEngineWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedEngine = field(init=False)
    hands: SimulatedEngineHands = field(init=False)

    def __post_init__(self) -> None:
        """Join eyes and hands to the one tower."""
        self.tower.box.restart_policy = "no"
        self.eyes = SimulatedEngine(self.tower)
        self.hands = SimulatedEngineHands(self.tower)

    async def stop_by_hand(self) -> None:
        """With Docker's ten seconds."""
        HAPPENINGS["docker_stop"].befall(self.tower)
        await anyio.sleep(11.0)

    async def kill(self) -> None:
        """At once."""
        HAPPENINGS["docker_kill"].befall(self.tower)

    async def remove(self) -> None:
        """With all that was in it."""
        HAPPENINGS["container_missing"].befall(self.tower)

    async def refuse_starts(self, words: str) -> None:
        """As a VM with too few CPUs does."""
        HAPPENINGS["container_start_refused"].befall(self.tower, message=words)

    async def end_engine(self) -> None:
        """And its containers with it."""
        HAPPENINGS["engine_dies"].befall(self.tower)
