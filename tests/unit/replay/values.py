"""Any value of a type of the core, for Hypothesis."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from healer.core.facts import Fact
from healer.core.ledger import Ledger
from healer.core.observation import Observation
from healer.core.tower import Layer

TEXTS = st.text(max_size=6) | st.sampled_from(["", "naïve\x00\n", "\ud800", '"]', "🗼"])
NUMBERS = (
    st.floats(allow_nan=False)
    | st.integers(-3, 10**12)
    | st.sampled_from([0, 0.0, -0.0, 1e-9, float("inf"), 0.1 + 0.2])
)
_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXTS,
    int: st.integers(),
    float: NUMBERS,
    bool: st.booleans(),
    type(None): st.none(),
}


def any_of(kind: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401  (a type)
    """Any value of that type, small where it repeats."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind, localns={"Ledger": Ledger})
        return st.builds(kind, **{one.name: any_of(hints[one.name]) for one in fields(kind)})
    return _composed(get_origin(kind), get_args(kind))


def _composed(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:  # noqa: ANN401  (a type)
    if origin in {Union, types.UnionType}:
        return st.one_of([any_of(one) for one in arguments])
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(any_of(arguments[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(any_of(one) for one in arguments))
    if origin is frozenset:
        return st.frozensets(any_of(arguments[0]), max_size=3)
    assert issubclass(origin, Mapping)
    return st.dictionaries(any_of(arguments[0]), any_of(arguments[1]), max_size=2)


FACTS: st.SearchStrategy[Fact] = any_of(Fact)
LOOKS: st.SearchStrategy[Observation] = any_of(Observation)


def looks_at(layers: tuple[Layer, ...]) -> st.SearchStrategy[Observation]:
    """Looks at a few layers, so that one layer is looked at again and again."""
    hints = get_type_hints(Observation)
    rest = {one.name: any_of(hints[one.name]) for one in fields(Observation)}
    return st.builds(Observation, **{**rest, "layer": st.sampled_from(layers)})
