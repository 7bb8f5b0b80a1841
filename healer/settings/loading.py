"""Reading the settings: flags over environment over file over defaults."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from healer.settings.checking import bad_pairs
from healer.settings.decoding import IncompleteError, Problems, decode
from healer.settings.tree import Settings

_PREFIX: Final = "HEALER_"
_NOT_KEYS: Final = frozenset({"HEALER_CONFIG"})
_SCALARS: Final = ("tower", "livekit", "pods", "files", "once", "engine")
"""Sections whose keys the environment may give, as HEALER_<SECTION>_<KEY>."""


class SettingsError(Exception):
    """What is wrong with the settings, all of it at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value that is not a default comes from."""

    settings: Settings
    origins: Mapping[str, str] = field(default_factory=dict)
    """By dotted key: `file PATH`, `environment NAME`."""
    path: Path | None = None
    """The file that was read, if there was one."""


def config_path(environment: Mapping[str, str], home: Path) -> Path:
    """The one file that counts: $HEALER_CONFIG, else the XDG place, else ~/.config."""
    if environment.get("HEALER_CONFIG"):
        return Path(environment["HEALER_CONFIG"]).expanduser()
    base = environment.get("XDG_CONFIG_HOME")
    return (Path(base) if base else home / ".config") / "healer" / "config.toml"


def load(
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
    path: Path | None = None,
) -> Loaded:
    """Read file and environment; raises SettingsError with every problem found."""
    environment = os.environ if environment is None else environment
    home = Path.home() if home is None else home
    named = path is not None or bool(environment.get("HEALER_CONFIG"))
    path = config_path(environment, home) if path is None else path
    problems: list[str] = []
    table = _read(path, problems, must_exist=named)
    origins = dict.fromkeys(_dotted(table), f"file {path}")
    given = _given_by_environment(environment, problems)
    for name, (section, key, value) in given.items():
        table.setdefault(section, {})[key] = value
        origins[f"{section}.{key}"] = f"environment {name}"
    settings = _decoded(table, str(path), problems)
    problems += bad_pairs(settings, str(path))
    if problems:
        raise SettingsError(problems)
    return Loaded(settings, origins, path if path.exists() else None)


def _read(path: Path, problems: list[str], *, must_exist: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            problems.append(f"{path}: no such file; name another with $HEALER_CONFIG, or create it")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path}: not valid TOML: {error}")
    except OSError as error:
        problems.append(f"{path}: {error.strerror}; look at it with: ls -l {path}")
    return {}


def _decoded(table: Mapping[str, Any], source: str, problems: list[str]) -> Settings:
    found = Problems(source, [])
    try:
        return decode(Settings, table, "", found)
    except IncompleteError:
        return Settings()
    finally:
        problems += found.found


def _given_by_environment(
    environment: Mapping[str, str], problems: list[str]
) -> dict[str, tuple[str, str, Any]]:
    """HEALER_ONCE_DEADLINE=5m and the like; anything else with our prefix is an error."""
    known = {
        f"{_PREFIX}{section}_{one.name}".upper(): (section, one.name, str(one.type))
        for section in _SCALARS
        for one in fields(_section(section))
    }
    given = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(_PREFIX) or name in _NOT_KEYS or name.startswith("HEALER_LAB"):
            continue
        if name not in known:
            problems.append(f"environment: {name}: unknown; `healer config show` lists the keys")
            continue
        section, key, kind = known[name]
        given[name] = (section, key, _from_text(text, kind))
    return given


def _section(name: str) -> Any:  # noqa: ANN401  (one of the settings' dataclasses)
    return getattr(Settings(), name)


def _from_text(text: str, kind: str) -> Any:  # noqa: ANN401  (any setting's type)
    """The environment knows only text: lists by colons, numbers and truths as TOML has them."""
    if "tuple[int" in kind:
        return [int(one) if one.isdigit() else one for one in text.split(":") if one]
    if "tuple" in kind:
        return [one for one in text.split(":") if one]
    if kind in {"bool", "<class 'bool'>"} and text in {"true", "false"}:
        return text == "true"
    if kind in {"int", "<class 'int'>"} and text.isdigit():
        return int(text)
    return text


def _dotted(table: Mapping[str, Any], before: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in table.items():
        dotted = f"{before}{name}"
        keys += _dotted(value, f"{dotted}.") if isinstance(value, dict) else [dotted]
    return keys
