"""A scripted tower with a daemon over it, on virtual time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import anyio

from healer.core.facts import Changed, State
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.daemon import Daemon, Paces, Senses, Surroundings
from healer.engine.parts import Parts
from healer.engine.telling import Looked
from healer.ports import Wake
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import POLICY, LoopClock, SmallTower

CALM = 60.0
DAEMON_POLICY = replace(POLICY, one_pass=False)
DOWN = {Layer.TALOS: Reason.TALOS_STOPPED}


class NappingClock(LoopClock):
    """A Mac that can be put to sleep: its own time goes on, the loop's stands still."""

    slept = 0.0
    ahead = 0.0
    """Seconds by which its wall clock was set."""

    def now(self) -> float:
        """Sleep included."""
        return anyio.current_time() + self.slept

    def wall(self) -> float:
        """Sleep included, and whatever it was set to."""
        return super().wall() + self.slept + self.ahead


@dataclass
class Rope:
    """News that somebody pulls by hand."""

    name: str = "rope"
    layers: frozenset[Layer] = frozenset()
    pull: Wake = lambda _: None

    async def listen(self, wake: Wake) -> None:
        """Until cancelled."""
        self.pull = wake
        await anyio.sleep_forever()


@dataclass
class Chest:
    """A pulse that remembers who beat, and who said that it ended."""

    beats: dict[str, float] = field(default_factory=dict)
    within: dict[str, float] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)

    def beat(self, name: str, within: float) -> None:
        """Remember."""
        self.beats[name] = anyio.current_time() + within
        self.within[name] = within

    def ended(self, name: str) -> None:
        """Remember."""
        self.over.append(name)


@dataclass
class House:
    """A tower, a daemon over it, and what was seen of both."""

    tower: SmallTower = field(default_factory=SmallTower)
    clock: NappingClock = field(default_factory=NappingClock)
    rope: Rope = field(default_factory=Rope)
    chest: Chest = field(default_factory=Chest)
    looks: list[Looked] = field(default_factory=list)
    broke: list[tuple[str, Exception | None]] = field(default_factory=list)
    jitter: float = 0.5
    paces: Paces = field(default_factory=lambda: Paces(dict.fromkeys(Layer, CALM)))

    def senses(self, **parts: object) -> Senses:
        """Probes of the tower."""
        self.tower.one_pass()
        made: dict[str, object] = {
            "probes": tuple(self.tower.probes.values()),
            "remedies": self.tower.remedies(),
            "journal": self.tower.journal,
            "clock": self.clock,
            "listener": self.tower.ears,
        }
        everything = Parts(**{**made, **parts})  # type: ignore[arg-type]
        return Senses(everything, DAEMON_POLICY, self.paces, (self.rope,))

    def daemon(self, **parts: object) -> Daemon:
        """A daemon over the tower."""
        around = Surroundings(self.chest, lambda: self.jitter, self.looks.append, self.heard)
        return Daemon(self.senses(**parts), around)

    def heard(self, name: str, error: Exception | None) -> None:
        """News that broke, or did so no more."""
        self.broke.append((name, error))

    def live(self, seconds: float, *then: Callable[[Daemon], Awaitable[None]]) -> Daemon:
        """Let it run so long, then do this, and so on; then stop it."""

        async def lived() -> Daemon:
            daemon = self.daemon()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(daemon.run)
                await anyio.sleep(seconds)
                for one in then:
                    await one(daemon)
                    await anyio.sleep(seconds)
                daemon.stop()
            return daemon

        return run_virtually(lived)

    @property
    def states(self) -> list[tuple[Layer, State]]:
        """Every change of state that was told, but those of the first looks."""
        said = [one for one in self.tower.ears.said(Changed) if isinstance(one, Changed)]
        return [(one.layer, one.now) for one in said if one.was is not State.UNKNOWN]
