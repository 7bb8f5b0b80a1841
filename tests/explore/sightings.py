"""What probes answered, told so coarsely that two worlds can be compared by it.

A sighting is a line of text. Those of the lab's real parts are kept in `records/seen-*.json`; those
that the explorer draws are counted in its own records. What was seen in reality and is never drawn
is where the simulation is kinder than the world.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from healer.core.facts import Observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healer.core.facts import Fact
    from healer.core.observation import Finding, Observation
    from healer.core.tower import Layer

_PARTICULAR: Final = re.compile(r"[:;([].*|\d+|/\S+|`[^`]*`")
"""What differs from one failed look to the next: its words after the colon, numbers, paths."""
_TOOLS: Final = frozenset({"docker", "docker.sock", "ssh"})
"""Of these the tool alone is told: which of its questions failed first is chance."""
_ORDER_WITHIN: Final = 30.0
"""Seconds within which one failure may have brought about the other."""


@dataclass
class Sightings:
    """Counts what the probes of one or many runs answered."""

    counts: Counter[str] = field(default_factory=Counter)
    _last: dict[Layer, str] = field(default_factory=dict)
    _failing: dict[Layer, float] = field(default_factory=dict)
    """Since when each layer has been failing."""

    def begin(self) -> None:
        """Another run, which follows nothing."""
        self._last, self._failing = {}, {}

    def heard(self, fact: Fact, at: float) -> None:
        """Count what one fact adds; `at` in seconds of the run's clock."""
        if not isinstance(fact, Observed):
            return
        seen = fact.observation
        said = answer_of(seen)
        self.counts[f"{seen.layer}: {said}"] += 1
        self.counts.update(_signs(seen))
        self.counts.update(_reports(seen))
        before = self._last.get(seen.layer)
        if before is not None and before != said:
            self.counts[f"{seen.layer}: {before} -> {said}"] += 1
        self._last[seen.layer] = said
        self._follow(seen, at)

    def _follow(self, seen: Observation, at: float) -> None:
        """Which layer began to fail after which other."""
        if not seen.gating:
            self._failing.pop(seen.layer, None)
        elif seen.layer not in self._failing:
            for layer, since in self._failing.items():
                if at - since <= _ORDER_WITHIN:
                    self.counts[f"{layer} fails, then {seen.layer}"] += 1
            self._failing[seen.layer] = at


def answer_of(seen: Observation) -> str:
    """Its gating reasons, `ok`, or what could not be looked at."""
    if seen.unknown:
        words = _PARTICULAR.sub("", seen.unknown).split()
        told = words[:1] if words[:1] and words[0] in _TOOLS else words
        return f"unknown ({' '.join(told) or 'unnamed'})"
    return "+".join(sorted({_name(one) for one in seen.gating})) or "ok"


def _name(one: Finding) -> str:
    return one.reason.value.partition(".")[2]


def _reports(seen: Observation) -> Iterator[str]:
    """What is only reported: each by itself, since it comes beside anything."""
    for name in {_name(one) for one in seen.findings if not one.reason.gating}:
        yield f"{seen.layer}: reported {name}"


def _signs(seen: Observation) -> Iterator[str]:
    for sign in seen.signs:
        word = "alive" if sign.alive else "dead"
        yield f"{seen.layer}: sign of {_PARTICULAR.sub('', sign.what).strip()} {word}"
