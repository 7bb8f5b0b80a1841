"""What is written down of a life of healer: how it began, and every step since."""

from dataclasses import dataclass

from healer.core.facts import Decision, Fact
from healer.core.ledger import Ledger
from healer.core.machine import begin
from healer.core.policy import Policy
from healer.core.world import World


@dataclass(frozen=True, slots=True)
class Begun:
    """A life began with what the journal knew."""

    ledger: Ledger
    now: float
    policy: Policy
    alive: frozenset[str]
    """Acts of an earlier life, by id, whose process lived on."""

    def world(self, policy: Policy) -> World:
        """What was known then, under this or another policy."""
        return begin(self.ledger, self.now, policy, self.alive)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was known at one instant of a life."""

    known: World
    now: float
    """When the step before it was, or the first after it when nobody knows."""
    policy: Policy

    def world(self, policy: Policy) -> World:
        """What was known then."""
        del policy
        return self.known


Beginning = Begun | Checkpoint


@dataclass(frozen=True, slots=True)
class Taken:
    """One step as it was: all that `step` was told besides the world, and what it decided."""

    fact: Fact
    now: float
    policy: Policy
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class KeptBeginning:
    """A beginning as bytes."""

    body: bytes
    run: str
    version: str
    """Of the healer that wrote it."""
    follows: bool
    """Whether the steps before it, of the same life, were kept up to it."""
    lost: bool
    """Whether decisions before it could not be kept, in this life."""


@dataclass(frozen=True, slots=True)
class KeptSteps:
    """Steps in a row as bytes, which follow a beginning or other steps."""

    body: bytes
    policies: tuple[tuple[str, bytes], ...]
    """Digest and bytes of each policy that is named in them or in their beginning."""
    incidents: tuple[str, ...]
    """Those that were open before them, or opened by one."""
    count: int
    decisions: int


@dataclass(frozen=True, slots=True)
class KeptSegment:
    """A beginning and the steps since, as they were found again."""

    number: int
    beginning: KeptBeginning
    steps: tuple[tuple[int, float, bytes], ...]
    """Of each bundle of steps: its row, when it was kept (epoch seconds), and its bytes."""
