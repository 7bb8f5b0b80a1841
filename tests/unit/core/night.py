"""A night in a plain loop: feed facts to `step` at given times, and read what it decided."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from healer.core.facts import Act, Decision, Fact, Finished, Observed, Outcome, Refused, Ticked
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.machine import begin, step
from healer.core.observation import Component, Finding, Observation, Sign
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World

D = TypeVar("D", bound=Decision)

POLICY = Policy(run="t", one_pass=True)


def well(layer: Layer, *, uptime: float | None = 3600.0) -> Observation:
    """A layer that was seen to be well, in something that has been up for an hour."""
    return Observation(layer, uptime=uptime)


def ill(reason: Reason, *, evidence: str = "seen", **details: object) -> Observation:
    """A layer with one finding."""
    finding = replace(Finding(reason, evidence), **details)  # type: ignore[arg-type]
    return Observation(reason.layer, findings=(finding,))


BY_SSH = frozenset({Component.USERNET, Component.SSHD, Component.DRIVER, Component.GUEST})
BY_MUX = frozenset(
    {Component.MUX, Component.USERNET, Component.DRIVER, Component.GUEST, Component.DOCKERD}
)
BY_PORT = frozenset(
    {
        Component.HOSTAGENT,
        Component.PORT_FORWARDER,
        Component.DRIVER,
        Component.GUEST,
        Component.DOCKERD,
        Component.CONTAINER,
    }
)
BY_API = BY_PORT | {Component.API_SERVER}


def dead(depends_on: frozenset[Component], what: str) -> Sign:
    """A sign of death."""
    return Sign(what, depends_on, alive=False)


def alive(depends_on: frozenset[Component], what: str) -> Sign:
    """A sign of life."""
    return Sign(what, depends_on, alive=True)


@dataclass
class Night:
    """A world, its time, what is seen of each layer, and everything decided so far."""

    policy: Policy = POLICY
    ledger: Ledger = field(default_factory=Ledger)
    now: float = 1000.0
    seen: dict[Layer, Observation] = field(default_factory=dict)
    decided: list[tuple[float, Decision]] = field(default_factory=list)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.world = begin(self.ledger, self.now, self.policy)
        for layer in Layer:
            self.seen.setdefault(layer, well(layer))

    def tell(self, fact: Fact) -> None:
        """Hand one fact to the core."""
        taken = step(self.world, fact, self.now, self.policy)
        self.world = taken.world
        self.decided += [(self.now, decision) for decision in taken.decisions]

    def see(self, *observations: Observation) -> Self:
        """From now on these are what the probes answer."""
        self.seen |= {one.layer: one for one in observations}
        return self

    def look(self) -> None:
        """Every probe looks once, lowest layer first."""
        for layer in Layer:
            self.tell(Observed(self.seen[layer]))

    def run(self, seconds: float, every: float = 2.0) -> Self:
        """Let time go by with looks; the first look is now."""
        until = self.now + seconds
        self.look()
        while self.now + every <= until:
            self.now += every
            self.tell(Ticked())
            self.look()
        return self

    def finish(self, outcome: Outcome = Outcome.DONE) -> Self:
        """End every act under way."""
        for act in self.world.acting:
            self.tell(Finished(act, outcome, "ended by the test"))
        self.now += 0.1
        return self

    def said(self, kind: type[D]) -> list[D]:
        """Every decision of that kind so far."""
        return [one for _, one in self.decided if isinstance(one, kind)]

    @property
    def acts(self) -> list[Remedy]:
        """The remedies begun so far."""
        return [act.remedy for act in self.said(Act)]

    def rules(self, remedy: Remedy) -> list[str]:
        """The rules that refused a remedy so far, in order."""
        return [one.rule.value for one in self.said(Refused) if one.remedy is remedy]


def everything_dead() -> Iterable[Sign]:
    """Two witnesses that say the VM is dead, and the one part that could silence both lives."""
    yield dead(BY_SSH, "ssh")
    yield dead(BY_MUX, "docker.sock /_ping")
    yield alive(frozenset({Component.USERNET}), "usernet")
