"""What a human would have been told during a drill, by the rules of the daemon's notices."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from healer.drills.recording import Recorder
from healer.engine.telling import Told
from healer.model.notice import Notice
from healer.notices.deciding import Desk, decide
from healer.notices.rules import Rules
from healer.notices.scene import Moment, Scene
from healer.simulation.physics import Tower


@dataclass(slots=True)
class Letters:
    """engine.telling.Listener; what an earlier life had told is not told anew."""

    tower: Tower
    recorder: Recorder
    noticed: Callable[[Notice], None]
    rules: Rules = field(default_factory=Rules)
    sent: list[Notice] = field(default_factory=list)
    _desk: Desk = field(default_factory=Desk)
    _life: int = 0

    def told(self, told: Told) -> None:
        """Decide what a human must hear of this step."""
        if self._life != self.recorder.life:
            self._life = self.recorder.life
            self._desk = Desk().with_told(self.sent)
        scene = Scene(told.world, self._moment(told.at), self._desk.told)
        decided = decide(self._desk, scene, told.decisions, self._problems(), self.rules)
        self._desk = decided.desk
        for notice in decided.notices:
            self.sent.append(notice)
            self.noticed(notice)

    def _problems(self) -> dict[str, str]:
        trouble = self.recorder.trouble
        return {"journal": trouble} if trouble else {}

    def _moment(self, now: float) -> Moment:
        wall = self.tower.clock.wall(now)
        day = datetime.fromtimestamp(wall, UTC)
        return Moment(now, self.tower.clock.awake(), wall, day.date().isoformat(), day.hour)
