"""A night of the real core, and what a human hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from healer.core.facts import Fact
from healer.model.notice import Kind, Notice
from healer.notices.deciding import Desk, decide
from healer.notices.rules import Rules
from healer.notices.scene import Moment, Scene
from tests.unit.core.night import Night

WALL = 1_700_000_000.0
DAY = 86_400.0


@dataclass
class Watched(Night):
    """Every step of the core is told, as the daemon tells it."""

    when: Rules = field(default_factory=Rules)
    desk: Desk = field(default_factory=Desk)
    problems: Mapping[str, str] = field(default_factory=dict)
    heard: list[tuple[float, Notice]] = field(default_factory=list)
    slept: float = 0.0
    """Seconds that the Mac has slept so far."""

    @property
    def scene(self) -> Scene:
        """What is so now; a day begins with the clock."""
        day = f"day-{self.now // DAY:.0f}"
        moment = Moment(self.now, self.now - self.slept, WALL + self.now, day, 12)
        return Scene(self.world, moment, self.desk.told)

    def sleep(self, seconds: float) -> None:
        """The Mac sleeps; nothing is told meanwhile."""
        self.now += seconds
        self.slept += seconds

    def tell(self, fact: Fact) -> None:
        """Hand a fact to the core, and what follows to the notices."""
        before = len(self.decided)
        super().tell(fact)
        new = [one for _, one in self.decided[before:]]
        decided = decide(self.desk, self.scene, new, self.problems, self.when)
        self.desk = decided.desk
        self.heard += [(self.now, one) for one in decided.notices]

    @property
    def kinds(self) -> list[Kind]:
        """What was heard, by kind."""
        return [one.kind for _, one in self.heard]

    def one(self, kind: Kind) -> Notice:
        """The only notice of that kind."""
        (found,) = (notice for _, notice in self.heard if notice.kind is kind)
        return found

    def at(self, kind: Kind) -> list[float]:
        """When notices of that kind were heard."""
        return [when for when, notice in self.heard if notice.kind is kind]
