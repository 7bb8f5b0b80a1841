"""The verdict on a drill: what was expected of it, and every promise."""

from dataclasses import dataclass

from healer.drills.expecting import Missed, missed
from healer.drills.playing import Played
from healer.promises.history import Violation
from healer.promises.table import broken


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a drill, and whether it is as it should be."""

    played: Played
    missed: tuple[Missed, ...]
    broken: tuple[Violation, ...]

    @property
    def passed(self) -> bool:
        """Whether all expectations were met and all promises kept."""
        return not (self.missed or self.broken or self.harm)

    @property
    def harm(self) -> tuple[str, ...]:
        """What was done that should never be done, as physics tells it."""
        return tuple(one.what for one in self.played.harm)

    @property
    def healed_in(self) -> float | None:
        """Seconds from the last fault until the tower was truly well; None when it is ill."""
        since = self.played.well_since
        return None if since is None else max(0.0, since - self.played.struck)


def judge(played: Played) -> Verdict:
    """Compare what came with what was expected and promised."""
    return Verdict(played, missed(played), broken(played.history))
