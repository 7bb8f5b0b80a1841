"""What had been seen by a moment of a run, retold from the facts alone.

The predicates do not read the engine's own world, since a bug there would excuse itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from healer.core.facts import Act, Finished, Observed, Paused, Resumed, Woke
from healer.core.observation import Component, Finding, Observation
from healer.core.tower import Layer
from healer.promises.history import History, Moment


@dataclass(slots=True)
class Look:
    """One observation and its time."""

    at: float
    observation: Observation


@dataclass(slots=True)
class Word:
    """What one sign says, since when without a contrary word, and when it last said so."""

    what: str
    depends_on: frozenset[Component]
    alive: bool
    since: float
    at: float
    answered: float
    """When it was last a sign of life; -inf = never."""


@dataclass(slots=True)
class Seen:
    """What one life of healer has been told so far."""

    looks: dict[Layer, Look] = field(default_factory=dict)
    words: dict[str, Word] = field(default_factory=dict)
    pauses: list[tuple[Layer | None, float | None]] = field(default_factory=list)
    grace_until: float = 0.0
    under_way: dict[str, Act] = field(default_factory=dict)

    def hear(self, moment: Moment) -> None:
        """Take in the fact of a moment; decisions are heard later."""
        match moment.fact:
            case Observed(observation):
                self._look(observation, moment.at)
            case Finished(act, _, _):
                self.under_way.pop(act.id, None)
            case Paused(pause):
                self.pauses.append((pause.scope, pause.until))
            case Resumed(scope):
                self.pauses = [one for one in self.pauses if scope is not None and one[0] != scope]
            case Woke(grace):
                self.grace_until = max(self.grace_until, moment.at + grace)
            case _:
                pass

    def _look(self, observation: Observation, at: float) -> None:
        self.looks[observation.layer] = Look(at, observation)
        for sign in observation.signs:
            before = self.words.get(sign.what)
            same = before is not None and before.alive == sign.alive
            since = before.since if before is not None and same else at
            last = float("-inf") if before is None else before.answered
            self.words[sign.what] = Word(
                sign.what, sign.depends_on, sign.alive, since, at, at if sign.alive else last
            )

    def finding_of(self, act: Act) -> Finding | None:
        """What the last look at the act's layer said of its trouble; None when it said nothing."""
        look = self.looks.get(act.layer)
        if look is None:
            return None
        mine = (one for one in look.observation.findings if one.reason is act.reason)
        return next((one for one in mine if one.target == act.target), None)


def told(history: History) -> Iterator[tuple[Moment, Seen]]:
    """Each moment with all that its life had seen by then, its own fact included.

    Acts of earlier moments are under way; those of the moment itself are not yet.
    """
    seen, life = Seen(), 0
    for moment in history.moments:
        if moment.life != life:
            seen, life = _awake(moment), moment.life
        seen.hear(moment)
        yield moment, seen
        for act in moment.acts:
            seen.under_way[act.id] = act


def _awake(first: Moment) -> Seen:
    """At the start of a life: only what the journal tells of pauses and acts under way."""
    ledger = first.before.ledger
    return Seen(
        pauses=[(one.scope, one.until) for one in ledger.pauses],
        under_way={one.id: one for one in first.before.acting},
    )
