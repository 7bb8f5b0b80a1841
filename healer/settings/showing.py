"""The settings as TOML that reads back to the same settings, with their origins on request."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from healer.settings.decoding import form_of
from healer.settings.forms import Form, Unit
from healer.settings.tree import Settings
from healer.settings.units import format_duration, format_size

Origins = Mapping[str, str] | None


def show(settings: Settings, origins: Origins = None) -> str:
    """Every key that has a value; with `origins` each line says where its value comes from."""
    blocks: list[list[str]] = []
    for one in fields(settings):
        value = getattr(settings, one.name)
        if is_dataclass(value):
            blocks.append([f"[{one.name}]", *_keys(value, one.name, origins)])
        elif isinstance(value, dict):
            for key, inner in value.items():
                header = f'[{one.name}."{key.value}"]'
                blocks.append([header, *_keys(inner, f"{one.name}.{key.value}", origins)])
        elif value:
            for number, inner in enumerate(value, 1):
                lines = _keys(inner, f"{one.name}[{number}]", origins)
                blocks.append([f"[[{one.name}]]", *lines])
        else:
            blocks.insert(0, [f"{one.name} = []{_origin(one.name, origins)}"])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _keys(section: Any, before: str, origins: Origins) -> Iterator[str]:  # noqa: ANN401  (one of the settings' dataclasses)
    hints = get_type_hints(type(section), include_extras=True)
    for one in fields(section):
        value = getattr(section, one.name)
        origin = _origin(f"{before}.{one.name}", origins)
        if value is not None:
            yield f"{one.name} = {_written(value, form_of(hints[one.name]))}{origin}"
        elif origins is not None:
            yield f"# {one.name} is not set{origin}"


def _origin(key: str, origins: Origins) -> str:
    return "" if origins is None else f"  # {origins.get(key, 'default')}"


def _written(value: Any, form: Form | None) -> str:  # noqa: ANN401  (any setting's value)
    if isinstance(form, Unit):
        return f'"{format_duration(value) if form.name == "duration" else format_size(value)}"'
    if is_dataclass(value):
        pairs = ((one.name, getattr(value, one.name)) for one in fields(value))
        return f"{{ {', '.join(f'{name} = {_written(inner, None)}' for name, inner in pairs)} }}"
    if isinstance(value, tuple):
        return f"[{', '.join(_written(one, None) for one in value)}]"
    # JSON's numbers, truths and escapes are TOML's too, but for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
