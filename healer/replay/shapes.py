"""How a type is spelled: made from its annotations, one pair of functions a type."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from healer.core.ledger import Ledger

Plain = Callable[[Any], Any]
Value = Callable[[object, str], Any]
"""Takes what JSON held and its place, for the message of an error."""


class CodecError(ValueError):
    """Bytes that cannot be read: where, and why."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}")
        self.place = place


@dataclass(frozen=True, slots=True)
class Shape:
    """Both ways of one type."""

    plain: Plain
    value: Value


@cache
def shape_of(kind: Any) -> Shape:  # noqa: ANN401  (a type may be written in many ways)
    """The spelling of a type. Raises TypeError for one that has none."""
    if kind in _SIMPLE:
        return _simple(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _record(kind)
    return _composed(kind, get_origin(kind), get_args(kind))


def _composed(kind: object, origin: Any, arguments: tuple[Any, ...]) -> Shape:  # noqa: ANN401  (a type)
    if origin in {Union, types.UnionType}:
        return _union(arguments)
    if origin is tuple:
        return _row(arguments[0]) if arguments[1:] == (...,) else _tuple(arguments)
    if origin is frozenset:
        return _set(arguments[0])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*arguments)
    raise TypeError(f"{kind!r} has no spelling")


_SIMPLE: Final[Mapping[Any, tuple[type, ...]]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
    type(None): (type(None),),
}


def _itself(value: Any) -> Any:  # noqa: ANN401  (as JSON has it)
    return value


def _simple(kind: type) -> Shape:
    """A whole number in a float's place stays whole: texts are made of it."""
    allowed = _SIMPLE[kind]

    def value(plain: object, place: str) -> object:
        if not isinstance(plain, allowed) or (isinstance(plain, bool) and kind is not bool):
            raise CodecError(place, f"{plain!r} is no {kind.__name__}")
        return plain

    return Shape(_itself, value)


def _enum(kind: type[Enum]) -> Shape:
    words = {one.value: one for one in kind}

    def value(plain: object, place: str) -> Enum:
        found = words.get(plain) if isinstance(plain, str) else None
        if found is None:
            raise CodecError(place, f"{plain!r} is no {kind.__name__}")
        return found

    return Shape(lambda one: one.value, value)


@dataclass(frozen=True, slots=True)
class _FieldShape:
    name: str
    shape: Shape
    required: bool
    empty: type | None
    """The type of its default, when that is an empty value and may be left out."""


def _record(kind: type) -> Shape:
    hints = get_type_hints(kind, localns={"Ledger": Ledger})
    shapes = tuple(
        _FieldShape(one.name, shape_of(hints[one.name]), _required(one), _empty(one))
        for one in fields(kind)
    )
    known = frozenset(one.name for one in shapes)

    def plain(one: Any) -> dict[str, Any]:  # noqa: ANN401  (of that class)
        said = {}
        for field in shapes:
            part = getattr(one, field.name)
            if field.empty is None or part or not isinstance(part, field.empty):
                said[field.name] = field.shape.plain(part)
        return said

    def value(found: object, place: str) -> Any:  # noqa: ANN401  (as above)
        if not isinstance(found, dict) or not found.keys() <= known:
            raise CodecError(place, f"no {kind.__name__}: {_short(found)}")
        for field in shapes:
            if field.required and field.name not in found:
                raise CodecError(place, f"a {kind.__name__} without {field.name}")
        return kind(
            **{
                one.name: one.shape.value(found[one.name], f"{place}.{one.name}")
                for one in shapes
                if one.name in found
            }
        )

    return Shape(plain, value)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _empty(field: Field[Any]) -> type | None:
    """Numbers are always said: 0, 0.0 and -0.0 are equal, and spelled differently."""
    default = field.default if field.default_factory is MISSING else field.default_factory()
    if default is False or default is None or default in ("", (), frozenset()):
        return type(default)
    if isinstance(default, Mapping) and not default:
        return Mapping
    if is_dataclass(default) or default is MISSING or default or isinstance(default, int | float):
        return None
    raise TypeError(f"{field.name}: a default {default!r} has no spelling")


def _union(kinds: tuple[Any, ...]) -> Shape:
    others = tuple(one for one in kinds if one is not type(None))
    if len(others) == 1:
        return _optional(shape_of(others[0]))
    return _tagged({one.__name__: one for one in others})


def _optional(shape: Shape) -> Shape:
    def value(plain: object, place: str) -> Any:  # noqa: ANN401  (of that type)
        return None if plain is None else shape.value(plain, place)

    return Shape(lambda one: None if one is None else shape.plain(one), value)


def _tagged(kinds: Mapping[str, type]) -> Shape:
    """A closed union of classes: the name of one, then its fields."""
    shapes = {name: shape_of(kind) for name, kind in kinds.items()}

    def plain(one: object) -> list[Any]:
        name = type(one).__name__
        return [name, shapes[name].plain(one)]

    def value(found: object, place: str) -> Any:  # noqa: ANN401  (one of the union)
        match found:
            case [str() as name, said] if name in shapes:
                return shapes[name].value(said, f"{place}.{name}")
            case _:
                raise CodecError(place, f"{_short(found)} is none of {', '.join(shapes)}")

    return Shape(plain, value)


def _row(kind: Any) -> Shape:  # noqa: ANN401  (a type)
    shape = shape_of(kind)

    def value(found: object, place: str) -> tuple[Any, ...]:
        listed = _listed(found, place)
        return tuple(shape.value(one, f"{place}[{n}]") for n, one in enumerate(listed))

    return Shape(lambda some: [shape.plain(one) for one in some], value)


def _tuple(kinds: tuple[Any, ...]) -> Shape:
    shapes = tuple(shape_of(one) for one in kinds)

    def value(found: object, place: str) -> tuple[Any, ...]:
        listed = _listed(found, place)
        if len(listed) != len(shapes):
            raise CodecError(place, f"{len(listed)} values, not {len(shapes)}")
        numbered = enumerate(zip(shapes, listed, strict=True))
        return tuple(shape.value(one, f"{place}[{n}]") for n, (shape, one) in numbered)

    return Shape(
        lambda some: [shape.plain(one) for shape, one in zip(shapes, some, strict=True)], value
    )


def _set(kind: Any) -> Shape:  # noqa: ANN401  (a type)
    row = _row(kind)

    def value(found: object, place: str) -> frozenset[Any]:
        return frozenset(row.value(found, place))

    # What sets hold here is spelled as text or as rows of text, and both can be ordered.
    return Shape(lambda some: sorted(row.plain(some)), value)


def _mapping(key: Any, kind: Any) -> Shape:  # noqa: ANN401  (types)
    pairs = _row(tuple[key, kind])

    def value(found: object, place: str) -> dict[Any, Any]:
        return dict(pairs.value(found, place))

    return Shape(lambda some: pairs.plain(some.items()), value)


def _listed(found: object, place: str) -> list[Any]:
    if not isinstance(found, list):
        raise CodecError(place, f"no list: {_short(found)}")
    return found


def _short(found: object) -> str:
    words = repr(found)
    return words if len(words) <= 80 else f"{words[:80]}…"  # noqa: PLR2004  (a line of a terminal)
