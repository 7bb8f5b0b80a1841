"""Reading the settings: flags over environment over file over defaults."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from healer.files import UntrustedError
from healer.model.whereabouts import config_path
from healer.settings.checking import bad_pairs
from healer.settings.decoding import IncompleteError, Problems, decode
from healer.settings.environment import given_by_environment, secret_holders
from healer.settings.lines import line_of, lines_of
from healer.settings.tree import Settings
from healer.toml import parse, read_text, unusable

_NONE: Mapping[str, Any] = MappingProxyType({})


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
    """By dotted key: `file PATH:LINE`, `environment NAME`, `flag`."""
    path: Path | None = None
    """The file that was read, if there was one."""


def load(
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
    path: Path | None = None,
    flags: Mapping[str, Any] = _NONE,
) -> Loaded:
    """Read file and environment; `flags` are values of the command line by dotted key.

    Raises SettingsError with every problem found.
    """
    environment = os.environ if environment is None else environment
    home = Path.home() if home is None else home
    another = ""
    if path is not None:
        another = "name one that exists"
    elif environment.get("HEALER_CONFIG"):
        another = "name another with $HEALER_CONFIG"
    path = config_path(environment, home) if path is None else path
    said: list[str] = []
    text = _read(path, said, another)
    table, origins = _parsed(text or "", path, said)
    above = _over_the_file(environment, flags, said, secret_holders(table))
    for key, (origin, value) in above.items():
        _put(table, key, value)
        origins[key] = origin
    problems = Problems(lambda key: _source(key, origins, path), said)
    settings, strange = Settings(), list(unusable(table))
    for key, words in strange:
        problems.add(key, words)
    if not strange:
        settings = _decoded(table, problems)
        for key, words in bad_pairs(settings):
            problems.add(key, words)
    if problems.found:
        raise SettingsError(problems.found)
    return Loaded(settings, origins, None if text is None else path)


def check(path: Path) -> list[str]:
    """Everything that is wrong in a settings file, read by itself."""
    try:
        load(environment={}, path=path)
    except SettingsError as error:
        return error.problems
    return []


def _read(path: Path, said: list[str], another: str) -> str | None:
    """Its text; `another` is how to name another file, '' when this one need not exist."""
    try:
        return read_text(path, trusted=True)
    except (FileNotFoundError, NotADirectoryError):
        if another:
            said.append(f"{path}: no such file; {another}, or create it")
    except UnicodeDecodeError as error:
        said.append(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8")
    except UntrustedError as error:
        said.append(f"{path}: {error.strerror}")
    except OSError as error:
        said.append(f"{path}: {error.strerror}; look at it with: ls -l {path}")
    return None


def _parsed(text: str, path: Path, said: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The file's table, and the line of each key in it."""
    try:
        table = parse(text)
    except ValueError as error:
        said.append(f"{path}:{error}")
        return {}, {}
    lines = lines_of(text)
    return table, {key: f"file {path}:{line_of(key, lines) or 1}" for key in _dotted(table)}


def _over_the_file(
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
    said: list[str],
    holders: Collection[str],
) -> dict[str, tuple[str, Any]]:
    """What stands above the file: origin and value by key; a flag wins."""
    given = {
        key: (f"environment {name}", value)
        for key, (name, value) in given_by_environment(environment, said, holders).items()
    }
    return given | {key: ("flag", value) for key, value in flags.items()}


def _put(table: dict[str, Any], key: str, value: object) -> None:
    """A section that is no table in the file is noted there, and stays."""
    section, _, name = key.partition(".")
    inner = table.setdefault(section, {})
    if isinstance(inner, dict):
        inner[name] = value


def _source(key: str, origins: Mapping[str, str], path: Path) -> str:
    """Where a key, or the first that it holds, was given."""
    for one, origin in origins.items():
        if one == key or one.startswith((f"{key}.", f"{key}[")) or key.startswith(f"{one}["):
            return origin.removeprefix("file ")
    return str(path)


def _decoded(table: Mapping[str, Any], problems: Problems) -> Settings:
    try:
        return decode(Settings, table, "", problems)
    except IncompleteError:
        return Settings()


def _dotted(value: object, key: str = "") -> Iterator[str]:
    """Every leaf of a table; the n-th table of a list is `name[n]`."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _dotted(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for number, inner in enumerate(value, 1):
            yield from _dotted(inner, f"{key}[{number}]")
    elif key:
        yield key
