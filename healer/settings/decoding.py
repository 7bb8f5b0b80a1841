"""From TOML's values to a dataclass: every problem is collected, none is guessed away."""

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from healer.settings.tree import LIVEKIT_WHEN, Unit
from healer.settings.units import parse_duration, parse_size

T = TypeVar("T")
Json = Any
"""Whatever TOML can hold."""


@dataclass(slots=True)
class Problems:
    """What is wrong in one source of settings."""

    source: str
    """The file or the environment, as a person names it."""
    found: list[str]

    def add(self, key: str, words: str) -> None:
        """Note a problem with its place."""
        self.found.append(f"{self.source}: {key}: {words}")


def decode(kind: type[T], given: Mapping[str, Json], key: str, problems: Problems) -> T:
    """A dataclass from a table; what is wrong is left at its default and noted."""
    hints = get_type_hints(kind, include_extras=True)
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in given.items():
        place = f"{key}.{name}" if key else name
        if name not in hints or name not in names:
            problems.add(place, "unknown key" + did_you_mean(name, names))
            continue
        try:
            values[name] = _value(hints[name], value, place, problems)
        except ValueError as error:
            problems.add(place, str(error))
    try:
        return kind(**values)
    except TypeError:
        missing = [one for one in _required(kind) if one not in values]
        problems.add(key, f"needs {', '.join(missing)}")
        raise IncompleteError from None


class IncompleteError(ValueError):
    """A table lacks a key that has no default; it has been noted already."""


def _required(kind: type[Any]) -> list[str]:
    return [one.name for one in fields(kind) if one.default is one.default_factory]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean "profile"?`, or what there is."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known here: {', '.join(sorted(known))}"


def _value(hint: Any, value: Json, place: str, problems: Problems) -> Any:  # noqa: ANN401  (any setting's type)
    origin = get_origin(hint)
    if origin in {types.UnionType, Union}:
        inner = next(one for one in get_args(hint) if one is not type(None))
        return _value(inner, value, place, problems)
    if hasattr(hint, "__metadata__"):
        return _measured(hint.__metadata__[0], value)
    if is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, _table(value), place, problems)
    if origin is dict:
        return _keyed(get_args(hint), value, place, problems)
    if origin is tuple:
        return _listed(get_args(hint)[0], value, place, problems)
    return _scalar(hint, value, place)


def _measured(unit: Unit, value: Json) -> float | int:
    """A duration or a size, as a number or as people write it; never negative."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if unit.name == "duration":
        seconds = float(value) if number else parse_duration(_text(value))
        if seconds < 0:
            raise ValueError(f"{value!r} must not be negative")
        return seconds
    return int(value) if number else parse_size(_text(value))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} should be text")  # noqa: TRY004  (a wrong value of a setting)
    return value


def _table(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} should be a table of keys")  # noqa: TRY004  (as above)
    return value


def _keyed(kinds: tuple[Any, ...], value: Json, place: str, problems: Problems) -> dict[Any, Any]:
    """A table by remedy or reason: its keys are a closed list too."""
    key_kind, value_kind = kinds
    known = [one.value for one in key_kind]
    decoded = {}
    for name, inner in _table(value).items():
        if name not in known:
            problems.add(f"{place}.{name}", "unknown key" + did_you_mean(name, known))
            continue
        decoded[key_kind(name)] = _value(value_kind, inner, f"{place}.{name}", problems)
    return decoded


def _listed(kind: Any, value: Json, place: str, problems: Problems) -> tuple[Any, ...]:  # noqa: ANN401  (any setting's type)
    if not isinstance(value, list):
        raise ValueError(f"{value!r} should be a list")  # noqa: TRY004  (a wrong value of a setting)
    decoded = []
    for number, one in enumerate(value, 1):
        try:
            decoded.append(_value(kind, one, f"{place}[{number}]", problems))
        except IncompleteError:
            continue
    return tuple(decoded)


def _scalar(kind: Any, value: Json, place: str) -> Any:  # noqa: ANN401  (any setting's type)
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"{value!r} should be true or false")
    if kind is int and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError(f"{value!r} should be a whole number")
    if kind is str:
        _text(value)
    if place.endswith("livekit.when") and value not in LIVEKIT_WHEN:
        raise ValueError(f"{value!r} should be one of {', '.join(LIVEKIT_WHEN)}")
    return value
