"""Writing a run down as a history, whose promises can be checked afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from healer.core.facts import Act, Finished, Outcome
from healer.core.ladders import Remedy
from healer.core.tower import Layer
from healer.engine.telling import Stepped
from healer.ports import Journal, Remedial
from healer.promises.history import Deed, History, Moment
from healer.simulation.physics import Tower

_NOBODY_KNOWS: Mapping[Layer, float] = MappingProxyType({})


@dataclass(slots=True)
class Recorder:
    """Hears every step and every deed, through all lives of healer."""

    tower: Tower
    journal: Journal
    history: History = field(default_factory=History)
    life: int = 0
    dying: bool = False
    """This life is being cut off, and notes nothing any more."""
    decided_at: float = 0.0
    """When something was last decided."""
    _pids: dict[str, int] = field(default_factory=dict)

    @property
    def trouble(self) -> str:
        """Why this healer may do nothing, if so."""
        return self.history.moments[-1].policy.no_acts_because if self.history.moments else ""

    def stepped(self, stepped: Stepped) -> None:
        """Write a step down; what was truly well matters where something is done."""
        taken = stepped.taken
        if taken.decisions:
            self.decided_at = stepped.at
        if isinstance(stepped.fact, Finished):
            self._over(stepped.fact.act, stepped.at)
        moment = Moment(
            at=stepped.at,
            life=self.life,
            fact=stepped.fact,
            before=stepped.before,
            after=taken.world,
            decisions=taken.decisions,
            policy=stepped.policy,
            well=self.tower.truth(stepped.at) if _acts(stepped) else _NOBODY_KNOWS,
        )
        self.history.moments.append(moment)

    def begins(self, act: Act) -> Deed:
        """An act reaches the outside."""
        now = self.tower.now()
        if any(one.life != self.life for one in self.history.deeds if one.ended is None):
            self._close(now)
        since = self.tower.truth(now).get(act.layer)
        deed = Deed(
            act=act,
            life=self.life,
            began=now,
            journalled=any(one.act.id == act.id for one in self.journal.ledger().unfinished()),
            well_for=None if since is None else now - since,
        )
        self.history.deeds.append(deed)
        return deed

    def life_begins(self) -> None:
        """Another healer begins."""
        self.life += 1
        self.dying = False

    def life_ended(self) -> None:
        """Nobody knows how what this life had begun has ended; a start of the VM goes on."""
        self._close(self.tower.now())

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """An act has a process of its own, which outlives its healer (design §10)."""
        del started
        self._pids[act.id] = pid

    def _close(self, now: float) -> None:
        running = {one.pid for one in self.tower.mac.operations}
        for deed in self.history.deeds:
            if deed.ended is None and self._pids.get(deed.act.id) not in running:
                deed.ended = now

    def _over(self, act: Act, now: float) -> None:
        """Past its cap an act of an earlier life is nobody's any more, though its process hangs."""
        for deed in self.history.deeds:
            if deed.act.id == act.id and deed.ended is None:
                deed.ended = now

    def ends(self, deed: Deed, outcome: Outcome) -> None:
        """An act has ended, in the life that began it."""
        if not self.dying:
            deed.ended, deed.outcome = self.tower.now(), outcome

    def wrapped(self, remedies: Mapping[Remedy, Remedial]) -> dict[Remedy, Remedial]:
        """The same remedies, each of whose deeds is written down."""
        return {name: Recorded(real, self) for name, real in remedies.items()}


class Recorded:
    """A real remedy whose deeds are written down."""

    def __init__(self, real: Remedial, recorder: Recorder) -> None:
        self.remedy = real.remedy
        self._real = real
        self._recorder = recorder

    async def needed(self, act: Act) -> str:
        """Ask the real one."""
        return await self._real.needed(act)

    async def act(self, act: Act) -> str:
        """Let the real one do it."""
        deed = self._recorder.begins(act)
        try:
            said = await self._real.act(act)
        except BaseException as error:
            self._recorder.ends(deed, _outcome(error))
            raise
        self._recorder.ends(deed, Outcome.DONE)
        return said


def _outcome(error: BaseException) -> Outcome:
    """What the engine makes of it: whatever is no error of a remedy has ended it from outside."""
    return Outcome.FAILED if isinstance(error, Exception) else Outcome.TIMED_OUT


def _acts(stepped: Stepped) -> bool:
    return any(isinstance(one, Act) for one in stepped.taken.decisions)
