"""A tower of scripted probes and remedies on virtual time, and who writes down what happens."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import anyio

from healer.core.facts import Act, Decision, Outcome, Pause
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.parts import Parts
from healer.engine.passing import Mode, Pass
from healer.engine.telling import Told
from healer.ports import JournalError

POLICY = Policy(run="t", one_pass=True)


def act_of(remedy: Remedy, reason: Reason) -> Act:
    """An intent."""
    return Act("t-1", remedy, reason.layer, reason, "evidence")


class LoopClock:
    """The clock port over the loop's own time, which is virtual under `run_virtually`."""

    def now(self) -> float:
        """Seconds of the loop."""
        return anyio.current_time()

    def awake(self) -> float:
        """The same: this Mac never sleeps."""
        return anyio.current_time()

    def wall(self) -> float:
        """Epoch seconds."""
        return 1_700_000_000.0 + anyio.current_time()

    def boot_id(self) -> str:
        """One boot."""
        return "boot"

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await anyio.sleep(seconds)


@dataclass
class Scribe:
    """A journal that notes every call in order, and refuses those that are named."""

    kept: Ledger = field(default_factory=Ledger)
    refuses: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)
    by_others: bool = False

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name.partition(" ")[0] in self.refuses:
            raise JournalError("journal: disk full; free space")

    def ledger(self) -> Ledger:
        """What limits need."""
        self._called("ledger")
        return self.kept

    def learn(self, word: str, value: str) -> None:
        """A single fact."""
        self._called(f"learn {word} {value}")

    def known(self, word: str) -> str | None:
        """Nothing is known."""
        self._called(f"known {word}")
        return None

    def begin(self, act: Act) -> None:
        """An intent."""
        self._called(f"begin {act.remedy}")

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """A child."""
        del started
        self._called(f"spawned {act.remedy} {pid}")

    def end(self, act: Act, outcome: Outcome, detail: str) -> None:
        """A result."""
        del detail
        self._called(f"end {act.remedy} {outcome}")

    def record(self, decision: Decision) -> None:
        """A decision."""
        self._called(f"record {type(decision).__name__}")

    def pause(self, pause: Pause) -> None:
        """A pause."""
        self._called(f"pause {pause.author}")

    def resume(self, scope: Layer | None) -> int:
        """An end of pauses."""
        self._called(f"resume {scope}")
        return 0

    def reset(self, layer: Layer | None) -> int:
        """A reset."""
        self._called(f"reset {layer}")
        return 0

    def check(self) -> None:
        """A write that keeps nothing."""
        self._called("check")

    def written_by_others(self) -> bool:
        """As it was told, once."""
        by_others, self.by_others = self.by_others, False
        return by_others


@dataclass
class Cure:
    """A remedy that does what it was given to do, and notes it."""

    remedy: Remedy
    does: Callable[[], Awaitable[str]]
    why_not: str = ""
    log: list[str] = field(default_factory=list)

    async def needed(self, act: Act) -> str:
        """As it was told."""
        del act
        self.log.append(f"needed {self.remedy}")
        return self.why_not

    async def act(self, act: Act) -> str:
        """As it was told."""
        del act
        self.log.append(f"act {self.remedy}")
        return await self.does()


@dataclass
class ScriptedProbe:
    """A probe that answers what a function says of its layer now."""

    layer: Layer
    sees: Callable[[], Awaitable[Observation]]
    looks: int = 0

    async def look(self) -> Observation:
        """Look once."""
        self.looks += 1
        return await self.sees()


@dataclass
class Ears:
    """A listener that remembers all it was told."""

    told_all: list[Told] = field(default_factory=list)
    then: Callable[[Told], None] = lambda _: None

    def told(self, told: Told) -> None:
        """Remember."""
        self.told_all.append(told)
        self.then(told)

    def said(self, kind: type[Decision]) -> list[Decision]:
        """Every decision of that kind."""
        return [one for told in self.told_all for one in told.decisions if isinstance(one, kind)]


@dataclass
class SmallTower:
    """Every layer well, but those that are said to be ill; a remedy mends its layer."""

    ill: dict[Layer, Reason] = field(default_factory=dict)
    takes: float = 1.0
    """How long each act takes; seconds."""
    look_takes: float = 0.1
    probes: dict[Layer, ScriptedProbe] = field(default_factory=dict)
    journal: Scribe = field(default_factory=Scribe)
    ears: Ears = field(default_factory=Ears)
    log: list[str] = field(default_factory=list)

    def one_pass(
        self,
        mode: Mode = Mode.HEAL,
        policy: Policy = POLICY,
        **parts: object,
    ) -> Pass:
        """A pass over this tower; `parts` replaces some of its parts."""
        self.probes = {layer: self._probe(layer) for layer in Layer}
        made: dict[str, object] = {
            "probes": tuple(self.probes.values()),
            "remedies": self.remedies(),
            "journal": self.journal,
            "clock": LoopClock(),
            "listener": self.ears,
        }
        return Pass(Parts(**{**made, **parts}), policy, mode)  # type: ignore[arg-type]

    def remedies(self) -> Mapping[Remedy, Cure]:
        """Each ends every illness of the tower's one ill layer it is used on."""
        return {one: Cure(one, self._mended, log=self.log) for one in Remedy}

    async def _mended(self) -> str:
        await anyio.sleep(self.takes)
        self.ill.clear()
        return "mended"

    def _probe(self, layer: Layer) -> ScriptedProbe:
        async def sees() -> Observation:
            reason = self.ill.get(layer)
            await anyio.sleep(self.look_takes)
            findings = () if reason is None else (Finding(reason, "seen"),)
            return Observation(layer, findings=findings, uptime=3600.0)

        return ScriptedProbe(layer, sees)
