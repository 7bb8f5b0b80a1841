"""What is wrong with answers, and with nothing else: slow, lost, old, refused, or silent."""

from dataclasses import dataclass, field
from random import Random

from healer.simulation.clockwork import Clockwork


@dataclass(slots=True)
class Troubles:
    """Each is over at a time of its own, on the clock of `now`; 0 = there is none."""

    clock: Clockwork
    random: Random
    slow_until: float = 0.0
    slow_by: float = 0.0
    """Seconds that each answer takes longer."""
    starved_until: float = 0.0
    """The Mac is so busy that an answer comes after whoever asked has given up."""
    noise_until: float = 0.0
    noise: float = 0.0
    """Share of answers that get lost."""
    deaf_until: float = 0.0
    """Docker's events and the API's watches say nothing (talos-kubernetes.md §7, §9)."""
    stale_until: float = 0.0
    """The API answers from an old cache."""
    api_silent_until: float = 0.0
    api_errors_until: float = 0.0
    silent_ports: set[int] = field(default_factory=set)

    @property
    def on_every_answer(self) -> bool:
        """Whether answers are touched at all."""
        at = self.clock.at
        return max(self.slow_until, self.noise_until, self.starved_until) > at

    @property
    def starved(self) -> bool:
        """Whether answers outlast every deadline."""
        return self.starved_until > self.clock.at

    def delay(self) -> float:
        """Seconds that the next answer takes longer."""
        return self.slow_by if self.slow_until > self.clock.at else 0.0

    def loses_this_one(self, chance: Random | None = None) -> bool:
        """Whether the next answer gets lost."""
        return self.noise_until > self.clock.at and (chance or self.random).random() < self.noise

    @property
    def deaf(self) -> bool:
        """Whether news is lost now."""
        return self.deaf_until > self.clock.at

    @property
    def stale(self) -> bool:
        """Whether the API's lists are old ones."""
        return self.stale_until > self.clock.at

    @property
    def api_silent(self) -> bool:
        """Whether the API accepts and says nothing."""
        return self.api_silent_until > self.clock.at

    @property
    def api_errors(self) -> bool:
        """Whether the API answers 500."""
        return self.api_errors_until > self.clock.at
