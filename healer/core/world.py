"""What the core knows at one instant; never changed, only followed by a new one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from healer.core.facts import Act, Refused, State
from healer.core.ledger import Incident, Ledger
from healer.core.observation import Finding, ForeignOperation, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer, above

TroubleKey = tuple[Reason, str]
RefusalKey = tuple[Layer, str, str]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A finding that is being followed from look to look."""

    finding: Finding
    since: float
    """The first bad look."""
    counted_since: float
    """Since when it has been seen bad and could be judged; confirmation counts from here."""
    seen: float
    samples: int
    """Bad looks since then; 0 while nothing is counted."""

    def seen_again(self, finding: Finding, now: float, judged_since: float) -> "Trouble":
        """After one more bad look, at a layer that could be judged since then."""
        counted_since = self.counted_since if self.samples else judged_since
        return Trouble(finding, self.since, counted_since, now, self.samples + 1)

    def doubted(self) -> "Trouble":
        """With nothing counted: what was seen so far may be the fault of what lies below."""
        return Trouble(self.finding, self.since, self.counted_since, self.seen, 0)

    @property
    def key(self) -> TroubleKey:
        """What makes it the same trouble in the next look."""
        return (self.finding.reason, self.finding.target)


@dataclass(frozen=True, slots=True)
class View:
    """The last look at a layer, and what is being followed there."""

    observation: Observation
    at: float
    troubles: Mapping[TroubleKey, Trouble] = field(default_factory=dict)
    """In the order in which they are answered."""

    @property
    def gating(self) -> tuple[Trouble, ...]:
        """Troubles that make the layer ill, in the order in which they are answered."""
        return tuple(one for one in self.troubles.values() if one.finding.reason.gating)

    @property
    def ordered(self) -> tuple[Trouble, ...]:
        """All troubles, in the order in which they are answered."""
        return tuple(self.troubles.values())


@dataclass(frozen=True, slots=True)
class SeenSign:
    """A sign, and since when it has been saying the same."""

    sign: Sign
    since: float
    at: float


@dataclass(frozen=True, slots=True)
class Verification:
    """The wait after an act for the looks that prove or disprove recovery."""

    act: Act
    began: float
    deadline: float
    """When trouble that is still there means that the act did not help."""
    good_since: float | None = None
    passes: int = 0


@dataclass(frozen=True, slots=True)
class Foreign:
    """Somebody else's operation, when it was last seen running."""

    operation: ForeignOperation
    at: float
    since: float
    """When it began: by its age at the first look, and by the clock of `now` from then on."""

    def touches(self, layer: Layer) -> bool:
        """Whether it may change this layer: its own, and all that stand on it."""
        return layer is self.operation.layer or layer in above(self.operation.layer)


@dataclass(frozen=True, slots=True)
class World:
    """Views, signs, memory of acts, and what is under way."""

    views: Mapping[Layer, View] = field(default_factory=dict)
    signs: Mapping[str, SeenSign] = field(default_factory=dict)
    """By what was asked."""
    foreign: tuple[Foreign, ...] = ()
    foreign_ended: tuple[Foreign, ...] = ()
    """Operations that ran lately and were no longer seen at that time."""
    ledger: Ledger = field(default_factory=Ledger)
    acting: tuple[Act, ...] = ()
    verifying: tuple[Verification, ...] = ()
    incidents: tuple[Incident, ...] = ()
    states: Mapping[Layer, State] = field(default_factory=dict)
    since: Mapping[Layer, float] = field(default_factory=dict)
    """Since when each layer has been shown in its state."""
    refusals: Mapping[RefusalKey, Refused] = field(default_factory=dict)
    reported: frozenset[tuple[Reason, str, str]] = frozenset()
    grace_until: float = 0.0
    """End of the grace after a boot or a wake."""
    last_progress: float = 0.0
    """When an act last ended or a layer last got better."""
    recovered_at: float | None = None
    """When a layer that had been seen ill was last seen well again."""
    serial: int = 0

    @property
    def troubled(self) -> Mapping[Layer, View]:
        """The views in which something is being followed; of most layers there is nothing."""
        return {layer: view for layer, view in self.views.items() if view.troubles}

    def observation(self, layer: Layer) -> Observation | None:
        """The last look at a layer."""
        view = self.views.get(layer)
        return None if view is None else view.observation

    def uptime(self, layer: Layer, now: float) -> float | None:
        """How long what the layer runs in has been up, brought forward to now."""
        view = self.views.get(layer)
        if view is None or view.observation.uptime is None:
            return None
        return view.observation.uptime + (now - view.at)

    def acting_on(self, layer: Layer) -> Act | None:
        """The act in progress on a layer."""
        return next((act for act in self.acting if act.layer is layer), None)

    def verifying_of(self, layer: Layer) -> tuple[Verification, ...]:
        """Recoveries of a layer that are not proved yet."""
        return tuple(one for one in self.verifying if one.act.layer is layer)

    def with_state(self, layer: Layer, state: State, now: float) -> "World":
        """Another state to show."""
        states, since = {**self.states, layer: state}, {**self.since, layer: now}
        return replace(self, states=states, since=since)
