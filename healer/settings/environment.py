"""Settings from the environment: HEALER_ONCE_DEADLINE=5m and the like."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, get_args, get_origin, get_type_hints

from healer.settings.decoding import did_you_mean, form_of, inner_of
from healer.settings.forms import Bounds
from healer.settings.tree import Settings

_PREFIX: Final = "HEALER_"
_NOT_KEYS: Final = frozenset({"HEALER_CONFIG"})
_LONGEST: Final = 18
"""Digits of a number that fits in 64 bits."""
_OF_THE_TESTS: Final = "HEALER_LAB"
"""The lab's own variables reach the healer that it starts."""
_SCALARS: Final = (
    "tower",
    "livekit",
    "pods",
    "files",
    "once",
    "daemon",
    "calm",
    "http",
    "engine",
    "grace",
)
"""Sections whose keys the environment may give."""


def given_by_environment(
    environment: Mapping[str, str], said: list[str], holders: Collection[str] = ()
) -> dict[str, tuple[str, Any]]:
    """Variable and value by dotted key; a name of ours that means nothing is a problem.

    An empty variable counts as unset; `holders` are variables that hold a secret.
    """
    known = {name: (key, hint) for name, key, hint in _variables()}
    given = {}
    for name, text in sorted(environment.items()):
        ours = name.startswith(_PREFIX) and not name.startswith(_OF_THE_TESTS)
        if not ours or name in _NOT_KEYS or name in holders or not text:
            continue
        if name not in known:
            said.append(f"environment {name}: unknown{did_you_mean(name, known)}")
            continue
        key, hint = known[name]
        given[key] = (name, _from_text(text, hint))
    return given


def secret_holders(table: Mapping[str, Any]) -> frozenset[str]:
    """The variables that a settings file names as holding its secrets."""
    notices = table.get("notices")
    if not isinstance(notices, dict):
        return frozenset()
    return frozenset(str(name) for key, name in notices.items() if key.endswith("_env"))


def _variables() -> Iterator[tuple[str, str, Any]]:
    """Each variable, its key and the key's type."""
    sections = get_type_hints(Settings)
    for section in _SCALARS:
        for name, hint in get_type_hints(sections[section], include_extras=True).items():
            yield f"{_PREFIX}{section}_{name}".upper(), f"{section}.{name}", hint


def _from_text(text: str, hint: Any) -> Any:  # noqa: ANN401  (any setting's type)
    """As TOML would have it; what does not fit stays text, and is told by the decoder."""
    hint = inner_of(hint)
    if get_origin(hint) is tuple:
        return [_from_text(one, get_args(hint)[0]) for one in text.split(":") if one]
    if hint is bool and text in {"true", "false"}:
        return text == "true"
    whole = hint is int or isinstance(form_of(hint), Bounds)
    digits = text.isascii() and text.isdigit() and len(text) <= _LONGEST
    return int(text) if whole and digits else text
