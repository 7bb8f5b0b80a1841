"""From TOML's values to a dataclass: every problem is collected, none is guessed away."""

import difflib
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from healer.settings.forms import Bounds, Form, Text, Unit
from healer.toml import shown

T = TypeVar("T")
Json = Any
"""Whatever TOML can hold."""


@dataclass(slots=True)
class Problems:
    """What is wrong with the settings."""

    source: Callable[[str], str]
    """Where a dotted key was given, as a person names it: file and line, or a variable."""
    found: list[str] = field(default_factory=list)

    def add(self, key: str, words: str) -> None:
        """Note a problem with its place."""
        told = f"{self.source(key)}: {key}: {words}"
        self.found.append(told if told.isprintable() else ascii(told)[1:-1])


class IncompleteError(ValueError):
    """A table lacks a key that has no default; it has been noted already."""


def decode(kind: type[T], given: Mapping[str, Json], key: str, problems: Problems) -> T:
    """A dataclass from a table; what is wrong is left at its default and noted."""
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for name, value in given.items():
        place = f"{key}.{name}" if key else name
        if name not in hints:
            problems.add(place, "unknown key" + did_you_mean(name, hints))
            continue
        try:
            values[name] = _value(hints[name], value, place, problems)
        except ValueError as error:
            problems.add(place, str(error))
    missing = [name for name in _required(kind) if name not in values]
    if unsaid := [name for name in missing if name not in given]:
        problems.add(key, f"needs {', '.join(unsaid)}")
    if missing:
        raise IncompleteError
    return kind(**values)


def _required(kind: type[Any]) -> list[str]:
    return [one.name for one in fields(kind) if one.default is one.default_factory]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean "profile"?`, or what there is."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known here: {', '.join(sorted(known))}"


def inner_of(hint: Any) -> Any:  # noqa: ANN401  (any setting's type)
    """What stands in an optional type."""
    if get_origin(hint) in {types.UnionType, Union}:
        return next(one for one in get_args(hint) if one is not type(None))
    return hint


def form_of(hint: Any) -> Form | None:  # noqa: ANN401  (any setting's type)
    """The form that an annotated type asks for."""
    marks = getattr(inner_of(hint), "__metadata__", ())
    return next((one for one in marks if isinstance(one, Unit | Bounds | Text)), None)


def _value(hint: Any, value: Json, place: str, problems: Problems) -> Any:  # noqa: ANN401  (any setting's type)
    hint = inner_of(hint)
    form = form_of(hint)
    if form is not None:
        return form.read(value)
    if is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, _table(value), place, problems)
    if get_origin(hint) is dict:
        return _keyed(get_args(hint), value, place, problems)
    if get_origin(hint) is tuple:
        return _listed(get_args(hint)[0], value, place, problems)
    return _scalar(hint, value)


def _table(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} should be a table of keys")  # noqa: TRY004  (a wrong value of a setting)
    return value


def _keyed(kinds: tuple[Any, ...], value: Json, place: str, problems: Problems) -> dict[Any, Any]:
    """A table by remedy or reason: its keys are a closed list too."""
    key_kind, value_kind = kinds
    known = [one.value for one in key_kind]
    decoded = {}
    for name, inner in _table(value).items():
        where = f"{place}.{name}"
        if name not in known:
            problems.add(where, "unknown key" + did_you_mean(name, known))
            continue
        try:
            decoded[key_kind(name)] = _value(value_kind, inner, where, problems)
        except ValueError as error:
            problems.add(where, str(error))
    return decoded


def _listed(kind: Any, value: Json, place: str, problems: Problems) -> tuple[Any, ...]:  # noqa: ANN401  (any setting's type)
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} should be a list")  # noqa: TRY004  (a wrong value of a setting)
    decoded = []
    for number, one in enumerate(value, 1):
        where = f"{place}[{number}]"
        try:
            decoded.append(_value(kind, one, where, problems))
        except IncompleteError:
            continue
        except ValueError as error:
            problems.add(where, str(error))
    return tuple(decoded)


_WANTED = {bool: "true or false", int: "a whole number", str: "text"}


def _scalar(kind: type[Any], value: Json) -> Json:
    if type(value) is not kind:
        raise ValueError(f"{shown(value)} should be {_WANTED[kind]}")
    return value
