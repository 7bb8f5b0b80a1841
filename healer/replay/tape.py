"""Beginnings and steps as bytes: only what changed is written, and it is written exactly.

A look that says the same as the last one at its layer is the layer's name; another one names
the fields that differ. Times are steps of nanoseconds from the time before. The packer is given
the beginning as its dictionary, since steps repeat what stands there (names, targets, evidence).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from healer.core.facts import Fact, Observed, Ticked
from healer.core.observation import Observation
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.replay.codec import (
    DECISION,
    FACT,
    LEDGER,
    OBSERVATION,
    VERSION,
    WORLD,
    CodecError,
    read_json,
    spelled,
)
from healer.replay.policies import KnownPolicies, Policies
from healer.replay.records import Beginning, Begun, Checkpoint, Taken

_NANO: Final = 1e9
_COUNTED: Final = 1e12
"""Seconds; a time beyond, or one that is no number, is written as it is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tape stands: what the next step is told against."""

    now: float
    policy: Policy
    last: Mapping[Layer, Observation]
    """The last look at each layer."""

    @classmethod
    def after(cls, beginning: Beginning) -> "Place":
        """Before the first step."""
        views = beginning.known.views if isinstance(beginning, Checkpoint) else {}
        last = {layer: view.observation for layer, view in views.items()}
        return cls(beginning.now, beginning.policy, last)

    def past(self, taken: Taken) -> "Place":
        """After that step."""
        last = self.last
        if isinstance(taken.fact, Observed):
            last = {**last, taken.fact.observation.layer: taken.fact.observation}
        return Place(taken.now, taken.policy, last)


def write_beginning(beginning: Beginning, policies: Policies) -> bytes:
    """A beginning as plain bytes, which also serve as the dictionary of its steps."""
    terms = policies.terms(beginning.policy)
    match beginning:
        case Begun(ledger, now, _, alive):
            told = ["begin", now, terms, LEDGER.plain(ledger), sorted(alive)]
        case Checkpoint(known, now, _):
            told = ["world", now, terms, WORLD.plain(known)]
        case _:
            assert_never(beginning)
    return spelled([VERSION, *told])


def read_beginning(plain: bytes, policies: KnownPolicies) -> Beginning:
    """The beginning again. Raises CodecError."""
    match _of_this_version(plain, "beginning"):
        case ["begin", float() | int() as now, terms, ledger, [*alive]]:
            names = frozenset(str(one) for one in alive)
            return Begun(LEDGER.value(ledger, "ledger"), now, policies.policy(terms), names)
        case ["world", float() | int() as now, terms, world]:
            return Checkpoint(WORLD.value(world, "world"), now, policies.policy(terms))
        case _:
            raise CodecError("beginning", "neither the begin of a life nor a checkpoint")


def write_steps(place: Place, steps: Iterable[Taken], policies: Policies) -> tuple[bytes, Place]:
    """Steps in a row as plain bytes, and where the tape stands after them."""
    written = []
    for one in steps:
        line: list[Any] = [_time(place.now, one.now), _fact(place, one.fact)]
        changed = one.policy is not place.policy and one.policy != place.policy
        if one.decisions or changed:
            line.append([DECISION.plain(said) for said in one.decisions])
        if changed:
            line.append(policies.terms(one.policy))
        written.append(line)
        place = place.past(one)
    return spelled([VERSION, *written]), place


def read_steps(
    plain: bytes, place: Place, policies: KnownPolicies
) -> tuple[tuple[Taken, ...], Place]:
    """The steps again, and where the tape stands after them. Raises CodecError."""
    steps = []
    for number, line in enumerate(_of_this_version(plain, "steps")):
        taken = _taken(line, place, policies, f"step {number}")
        steps.append(taken)
        place = place.past(taken)
    return tuple(steps), place


def _taken(line: object, place: Place, policies: KnownPolicies, where: str) -> Taken:
    match line:
        case [time, fact, *more] if len(more) <= 2:  # noqa: PLR2004  (decisions, terms)
            said = more[0] if more else []
            if not isinstance(said, list):
                raise CodecError(where, "no decisions")
            decisions = tuple(DECISION.value(one, where) for one in said)
            policy = policies.policy(more[1]) if len(more) > 1 else place.policy
            now = _time_again(place.now, time, where)
            return Taken(_fact_again(place, fact, where), now, policy, decisions)
        case _:
            raise CodecError(where, "no step")


def _time(before: float, now: float) -> int | list[float]:
    """Nanoseconds since then where that is exact, as clocks count; else the time itself."""
    if not (abs(now) < _COUNTED and abs(before) < _COUNTED):
        return [now]
    passed = round(now * _NANO) - round(before * _NANO)
    return passed if repr(_later(before, passed)) == repr(now) else [now]


def _later(before: float, passed: int) -> float:
    return (round(before * _NANO) + passed) / _NANO


def _time_again(before: float, told: object, where: str) -> float:
    match told:
        case int() as passed if abs(before) < _COUNTED and abs(passed) < _COUNTED * _NANO:
            return _later(before, passed)
        case [float() | int() as now]:
            return now
        case _:
            raise CodecError(where, f"{told!r:.80} is no time")


def _fact(place: Place, fact: Fact) -> Any:  # noqa: ANN401  (whatever JSON can hold)
    if isinstance(fact, Ticked):
        return None
    if not isinstance(fact, Observed):
        return FACT.plain(fact)
    heard = fact.observation
    before = place.last.get(heard.layer)
    if heard is before:
        return heard.layer.value
    then, now = _said(before or Observation(heard.layer)), OBSERVATION.plain(heard)
    changed = {name: now.get(name) for name in {**then, **now} if _differ(then, now, name)}
    return [heard.layer.value, changed] if changed else heard.layer.value


def _said(observation: Observation) -> dict[str, Any]:
    said: dict[str, Any] = OBSERVATION.plain(observation)
    return said


def _differ(then: Mapping[str, Any], now: Mapping[str, Any], name: str) -> bool:
    """By their spelling: 5 and 5.0 are equal, and texts that are made of them are not."""
    before, after = then.get(name), now.get(name)
    return before is not after and (before != after or json.dumps(before) != json.dumps(after))


def _fact_again(place: Place, told: object, where: str) -> Fact:
    match told:
        case None:
            return Ticked()
        case str() as word if word in _LAYERS:
            return Observed(place.last.get(_LAYERS[word], Observation(_LAYERS[word])))
        case [str() as word, dict() as changed] if word in _LAYERS:
            before = place.last.get(_LAYERS[word], Observation(_LAYERS[word]))
            merged = {**_said(before), **changed}
            kept = {name: one for name, one in merged.items() if one is not None}
            return Observed(OBSERVATION.value(kept, f"{where}.{word}"))
        case _:
            return FACT.value(told, where)


_LAYERS: Final = {one.value: one for one in Layer}


def _of_this_version(plain: bytes, place: str) -> list[Any]:
    match read_json(plain, place):
        case [int() as version, *rest]:
            if version != VERSION:
                why = f"it is of version {version}, and this healer reads {VERSION}"
                raise CodecError(place, why)
            return rest
        case _:
            raise CodecError(place, "damaged: no version")
