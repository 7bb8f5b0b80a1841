"""Records of the same rules over different seeds, as one record."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Record = dict[str, Any]
_MOST: Final = frozenset({"awaits", "most_acts_an_hour", "states"})
"""Of these only the larger is known: how many states two records share is not."""
_HEAD: Final = ("level", "rules", "first_seed")


def merged(records: Iterable[Record]) -> Iterator[Record]:
    """One record for each level and rules, in the order in which they first come.

    Raises ValueError where two records of the same rules share a seed: it would count twice.
    """
    of_same_rules: dict[tuple[str, str], list[Record]] = {}
    for one in records:
        of_same_rules.setdefault(_rules(one), []).append(one)
    for same in of_same_rules.values():
        yield _added(sorted(same, key=lambda one: one["first_seed"]))


def _rules(record: Record) -> tuple[str, str]:
    """A record from before rules had a name is of its commit's."""
    return record["level"], str(record.get("rules") or record["commit"])


def _added(records: Sequence[Record]) -> Record:
    for one, after in pairwise(records):
        if one["first_seed"] + one["schedules"] > after["first_seed"]:
            seed = after["first_seed"]
            raise ValueError(f"two records of level {one['level']} hold seed {seed}; remove one")
    whole = dict(records[0])
    for other in records[1:]:
        for name, value in other.items():
            whole[name] = _sum(name, whole[name], value)
    whole["stretches"] = [(one["first_seed"], one["schedules"]) for one in records]
    return whole


def _sum(name: str, one: object, other: object) -> object:
    if name in _HEAD:
        return one
    match one, other:
        case str(), str():
            return one if other in one.split(" and ") else f"{one} and {other}"
        case dict(), dict():
            return dict((Counter(one) + Counter(other)).most_common())
        case list(), list():
            return one + other
        case int() | float(), int() | float():
            return max(one, other) if name in _MOST else one + other
        case _:
            raise ValueError(f"{name}: {one!r} and {other!r} cannot be added")
