"""The settings as TOML that reads back to the same settings, with their origins on request."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from healer.settings.tree import Settings, Unit
from healer.settings.units import format_duration, format_size


def show(settings: Settings, origins: Mapping[str, str] | None = None) -> str:
    """Every key that has a value; with `origins` each line says where its value comes from."""
    lines: list[str] = []
    for one in fields(settings):
        value = getattr(settings, one.name)
        if is_dataclass(value):
            lines += [f"[{one.name}]", *_keys(value, one.name, origins), ""]
        elif isinstance(value, dict):
            for key, inner in value.items():
                place = f'{one.name}."{key.value}"'
                dotted = f"{one.name}.{key.value}"
                lines += [f"[{place}]", *_keys(inner, dotted, origins), ""]
        else:
            for inner in value:
                lines += [f"[[{one.name}]]", *_keys(inner, "", None), ""]
    return "\n".join(lines).rstrip() + "\n"


def _keys(section: Any, before: str, origins: Mapping[str, str] | None) -> Iterator[str]:  # noqa: ANN401  (one of the settings' dataclasses)
    hints = get_type_hints(type(section), include_extras=True)
    for one in fields(section):
        value = getattr(section, one.name)
        origin = "" if origins is None else f"  # {origins.get(f'{before}.{one.name}', 'default')}"
        if value is None:
            if origins is not None:
                yield f"# {one.name} is not set{origin}"
            continue
        yield f"{one.name} = {_written(value, _unit(hints[one.name]))}{origin}"


def _unit(hint: Any) -> str:  # noqa: ANN401  (any setting's type)
    inner = [hint] if get_origin(hint) is None or hasattr(hint, "__metadata__") else get_args(hint)
    for one in inner:
        for mark in getattr(one, "__metadata__", ()):
            if isinstance(mark, Unit):
                return mark.name
    return ""


def _written(value: Any, unit: str) -> str:  # noqa: ANN401  (any setting's value)
    if unit == "duration":
        return f'"{format_duration(value)}"'
    if unit == "size":
        return f'"{format_size(value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_written(one, '') for one in value)}]"
    return str(value)


def _quoted(text: str) -> str:
    """TOML's basic string: JSON's escapes are a part of it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"' + "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in escaped) + '"'
    )
