"""One daemon after another over the same tower, each begun from what the one before wrote."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import anyio
from anyio import CancelScope

from healer.core.facts import Act, Fact
from healer.drills.recording import Recorder
from healer.engine.daemon import Daemon, Senses, Surroundings
from healer.engine.telling import Listener
from healer.ports import Journal
from healer.probes.fresh_news import FreshNews
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.simulation.mac_ports import OURS
from healer.simulation.physics import Tower
from healer.wiring.paces import paces_of
from healer.wiring.parts import Looks, OurChildren, parts_of
from healer.wiring.simulated import simulated_outside

LAUNCHD_WAITS = 10.0
"""Seconds until launchd starts a job anew (facts/peers.md §6.2: its throttle)."""


class Steady:
    """A pulse that nobody listens to."""

    def beat(self, name: str, within: float) -> None:
        """Unheard."""

    def ended(self, name: str) -> None:
        """Unheard."""


@dataclass(frozen=True, slots=True)
class _Told:
    """Both the journal and the history hear of an act's process."""

    children: OurChildren
    recorder: Recorder

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember it."""
        self.children.spawned(act, pid, started)
        self.recorder.spawned(act, pid, started)


@dataclass(frozen=True, slots=True)
class Crash:
    """The end of a healer without any farewell: SIGKILL, or the Mac's own end."""

    at: float | None = None
    """Seconds since the drill began …"""
    turn: int | None = None
    """… or how often all its tasks had come to an await."""
    down: float = LAUNCHD_WAITS
    """Seconds until the next one begins."""


@dataclass(slots=True)
class Lives:
    """Runs one healer after another until it is cancelled."""

    tower: Tower
    journal: Callable[[], Journal]
    """Opens it anew, as each healer does."""
    settings: Settings
    recorder: Recorder
    listener: Listener
    seed: int = 0
    daemon: Daemon | None = None
    """The one that lives now."""
    back_at: float = 0.0
    """When the one after the last crash begins, on the clock of `now`."""
    _scope: CancelScope = field(default_factory=CancelScope)
    _down: float = LAUNCHD_WAITS

    async def run(self) -> None:
        """One life after another."""
        while True:
            self.recorder.life_begins()
            self.daemon = self._born()
            with CancelScope() as self._scope:
                await self.daemon.run()
            self.daemon = None
            self.recorder.life_ended()
            await anyio.sleep(self._down)

    def crash(self, down: float = LAUNCHD_WAITS) -> None:
        """End the one that lives at the await at which each of its tasks stands."""
        if self.daemon is None:
            return
        self._down, self.back_at = down, self.now() + down
        self.recorder.dying = True
        self._scope.cancel()

    def now(self) -> float:
        """The time on the clock of `now`."""
        return self.tower.now()

    async def tell(self, fact: Fact) -> None:
        """Tell the one that lives; a dead one reads the journal when it comes back."""
        if self.daemon is not None:
            await self.daemon.tell(fact)

    def _born(self) -> Daemon:
        life = self.recorder.life
        self.recorder.journal = journal = self.journal()
        children = OurChildren(journal, OURS)
        outside = simulated_outside(self.tower, _Told(children, self.recorder))
        looks = Looks.over(outside, resident=True)
        parts = parts_of(outside, self.settings, journal, self.listener, children, looks)
        recorder = self.recorder
        parts = replace(parts, remedies=recorder.wrapped(parts.remedies), stepped=recorder.stepped)
        policy = policy_of(self.settings, run=f"life{life}", one_pass=False)
        policy = replace(policy, seed=self.seed)
        news = tuple(FreshNews(one, looks.forget_moment) for one in outside.news)
        senses = Senses(parts, policy, paces_of(self.settings, outside), news)
        chance = Random(f"{self.seed} {life}")  # noqa: S311  (rests, not secrets)
        return Daemon(senses, Surroundings(Steady(), chance.random))
