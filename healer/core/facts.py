"""What the core can be told, and what it answers: two closed unions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healer.core.ladders import Remedy
from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.word import Word

if TYPE_CHECKING:
    # A ledger is made of acts, and a fact may bring a ledger: the cycle is one of types only.
    from healer.core.ledger import Ledger


class Outcome(Word):
    """How an act ended, as far as the act itself can tell; only probes say `cured`."""

    DONE = "done"
    NOT_NEEDED = "not_needed"
    """`needed()` found the world changed; nothing was done and nothing is counted."""
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    """healer died or was stopped in the middle; what it did is unknown (I10)."""


@dataclass(frozen=True, slots=True)
class Act:
    """An intent: run this remedy once. It is written to the journal before it runs."""

    id: str
    remedy: Remedy
    layer: Layer
    reason: Reason
    evidence: str
    target: str = ""
    event: str = ""
    owner: str = ""
    fingerprint: str = ""
    incident: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A human's word that healer must not act; it ends by itself."""

    scope: Layer | None
    """The one layer, or None for the whole tower."""
    until: float | None
    """On the same clock as `now`; None = until `resume`."""
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A probe answered."""

    observation: Observation


@dataclass(frozen=True, slots=True)
class Finished:
    """An act ended."""

    act: Act
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time went by."""


@dataclass(frozen=True, slots=True)
class Woke:
    """The Mac slept, has just booted, or its clock was set.

    What looks bad now may be on its way back, or look so by that clock alone.
    """

    grace: float
    """Seconds for which badness is expected."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A human paused healer."""

    pause: Pause


@dataclass(frozen=True, slots=True)
class Resumed:
    """A human took back the pauses of this scope; None takes back all."""

    scope: Layer | None


@dataclass(frozen=True, slots=True)
class WasReset:
    """A human re-armed a layer that was held or given up; None re-arms all."""

    layer: Layer | None


@dataclass(frozen=True, slots=True)
class Remembered:
    """The journal was read anew: somebody else wrote to it, or it could be read again."""

    ledger: "Ledger"


Fact = Observed | Finished | Ticked | Woke | Paused | Resumed | WasReset | Remembered


class State(Word):
    """What a person is shown of a layer."""

    OK = "ok"
    SUSPECT = "suspect"
    FAILING = "failing"
    HEALING = "healing"
    VERIFYING = "verifying"
    BLOCKED = "blocked"
    GRACE = "grace"
    PAUSED = "paused"
    HELD = "held"
    GAVE_UP = "gave_up"
    UNKNOWN = "unknown"


class Rule(Word):
    """Why an act was refused; a metric label and a line of `healer explain`."""

    UNKNOWN = "unknown"
    NOT_CONFIRMED = "not_confirmed"
    BLOCKED = "blocked"
    REQUIREMENT_UNSEEN = "requirement_unseen"
    PAUSED = "paused"
    GRACE = "grace"
    YIELDING = "yielding"
    HUMAN_STOPPED = "human_stopped"
    NOT_RIPE = "not_ripe"
    WITNESS_ALIVE = "witness_alive"
    WITNESSES_MISSING = "witnesses_missing"
    EVENT_USED = "event_used"
    NOT_NEEDED = "not_needed"
    """Its own last look found it not needed; asked again after a while, a few times."""
    COOLDOWN = "cooldown"
    BACKOFF = "backoff"
    BUDGET = "budget"
    TOTAL_BUDGET = "total_budget"
    BUSY_LAYER = "busy_layer"
    BUSY_DISRUPTIVE = "busy_disruptive"
    STORM_BRAKE = "storm_brake"
    OWNER_BUSY = "owner_busy"
    NO_PLACE = "no_place"
    """A pod would be replaced, and a human's cordon leaves its successor no node."""
    HELD = "held"
    GAVE_UP = "gave_up"
    DISABLED = "disabled"
    CRASH_LOOP = "crash_loop"
    DEADLINE = "deadline"
    UNACCOUNTED = "unaccounted"
    """This run can account for no act: no journal, or no writer's lock (design §6)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that did not happen, and by which rule; said once per change."""

    layer: Layer
    remedy: Remedy
    reason: Reason
    target: str
    rule: Rule
    detail: str
    until: float | None = None
    """When the rule may let it through; None when time alone will not."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A layer is shown in another state than before."""

    layer: Layer
    was: State
    now: State
    why: str


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """A root cause was confirmed."""

    incident: str
    layer: Layer
    reason: Reason
    evidence: str


@dataclass(frozen=True, slots=True)
class IncidentResolved:
    """Every layer that the incident touched is verified well."""

    incident: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Verified:
    """An act was followed by recovery that lasted its window."""

    act: Act
    seconds: float


@dataclass(frozen=True, slots=True)
class NotVerified:
    """An act's effect did not show in time; the next rung follows."""

    act: Act
    detail: str


@dataclass(frozen=True, slots=True)
class Held:
    """The ladder or a budget is spent: no acts on this layer until then."""

    layer: Layer
    reason: Reason
    until: float
    detail: str
    target: str = ""
    """The one target that is held; '' = the whole layer."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A human is needed; told once per incident."""

    layer: Layer
    reason: Reason
    detail: str
    advice: str
    target: str = ""
    """The one target that was given up; '' = the whole layer."""


@dataclass(frozen=True, slots=True)
class Rearmed:
    """A layer that was given up has been well for long enough: it may be acted on again."""

    layer: Layer
    detail: str


@dataclass(frozen=True, slots=True)
class Reported:
    """Something that healer only reports; once per fingerprint."""

    layer: Layer
    reason: Reason
    target: str
    evidence: str
    advice: str


@dataclass(frozen=True, slots=True)
class VmBooted:
    """A boot of the VM was seen for the first time; kept for the crash-loop detector."""

    at: float
    """On the clock of `now`."""


Decision = (
    VmBooted
    | Act
    | Refused
    | Changed
    | IncidentOpened
    | IncidentResolved
    | Verified
    | NotVerified
    | Held
    | GaveUp
    | Rearmed
    | Reported
)
