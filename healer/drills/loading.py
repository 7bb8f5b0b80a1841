"""Scenarios from TOML: every problem is named with its place, its value and its remedy."""

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar

from healer import toml
from healer.core.facts import Rule
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.drills.ourselves import OURSELVES
from healer.drills.scenario import Expect, Happens, Scenario
from healer.model.notice import Kind
from healer.settings.decoding import Problems, did_you_mean
from healer.settings.forms import Unit
from healer.settings.lines import line_of, lines_of
from healer.simulation.happenings import HAPPENINGS, Choice, Number, Parameter, Value
from healer.toml import read_text, shown

Json = Any
"""Whatever TOML can hold."""
Read = Callable[[Json], Any]
"""Reads a value; raises ValueError with what it should be."""
E_ = TypeVar("E_", bound=Enum)

_LONGEST: Final = 40 * 86_400.0
"""Seconds; a scenario of more days is a slip of the pen."""


class ScenarioError(Exception):
    """What is wrong with a scenario's file, all of it at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path) -> Scenario:
    """A scenario from a file of the reader's own. Raises ScenarioError."""
    try:
        text = read_text(path)
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise ScenarioError([f"{path}: {byte}"]) from error
    except OSError as error:
        raise ScenarioError([f"{path}: {error.strerror}; look with: ls -l {path}"]) from error
    return parse(text, path.stem, str(path))


def parse(text: str, name: str, source: str) -> Scenario:
    """A scenario from TOML. `source` is what errors call the file. Raises ScenarioError."""
    try:
        table = toml.parse(text)
    except ValueError as error:
        raise ScenarioError([f"{source}:{error}"]) from error
    lines = lines_of(text)

    def place(key: str) -> str:
        line = line_of(key, lines)
        return f"{source}:{line}" if line else source

    problems = Problems(place)
    for key, words in toml.unusable(table):
        problems.add(key, words)
    scenario = None if problems.found else _scenario(name, table, problems)
    if scenario is None or problems.found:
        raise ScenarioError(problems.found)
    return scenario


def _scenario(name: str, table: Mapping[str, Json], problems: Problems) -> Scenario:
    readers: dict[str, Read] = {
        "about": _text,
        "incidents": _rows,
        "lasts": _time,
        "happens": _tables,
        "expect": _table,
    }
    given = _read(readers, table, "", problems)
    if not given.get("about") and "about" not in table:
        problems.add("about", "is missing; say in a sentence or two what befalls the tower")
    happens = tuple(
        _happens(one, f"happens[{number}]", problems)
        for number, one in enumerate(given.get("happens", ()), 1)
    )
    expect = Expect(**_read(_EXPECT, given.get("expect", {}), "expect", problems))
    _contradictions(expect, problems)
    return Scenario(
        name=name,
        about=given.get("about", ""),
        happens=happens,
        expect=expect,
        incidents=given.get("incidents", ()),
        lasts=given.get("lasts", 0.0),
    )


def _contradictions(expect: Expect, problems: Problems) -> None:
    """A remedy that must or may run cannot be forbidden in the same drill."""
    for key, group in (
        ("acts", frozenset[Remedy]().union(*expect.acts or ())),
        ("may", expect.may),
    ):
        for one in sorted(expect.never & group):
            problems.add("expect.never", f"{one} is in {key} too; remove it from one of the two")


def _read(
    readers: Mapping[str, Read], table: Mapping[str, Json], key: str, problems: Problems
) -> dict[str, Any]:
    """The values that are right; what is wrong or unknown is noted."""
    read: dict[str, Any] = {}
    for name, value in table.items():
        place = f"{key}.{name}" if key else name
        if name not in readers:
            problems.add(place, "unknown key" + did_you_mean(name, readers))
            continue
        try:
            read[name] = readers[name](value)
        except ValueError as error:
            problems.add(place, str(error))
    return read


def _happens(table: Mapping[str, Json], key: str, problems: Problems) -> Happens:
    """One thing that befalls; whatever is not `at` or `what` is one of its parameters."""
    what = table.get("what")
    known = parameters_of(what) if isinstance(what, str) else None
    if known is None:
        problems.add(f"{key}.what", _no_such_happening(what))
        return Happens(0.0, "")
    readers: dict[str, Read] = {"at": _time, "what": _text}
    readers |= {name: _reader(one) for name, one in known.items()}
    read = _read(readers, table, key, problems)
    parameters = {name: value for name, value in read.items() if name in known}
    return Happens(read.get("at", 0.0), str(what), parameters)


def parameters_of(what: str) -> Mapping[str, Parameter] | None:
    """What a happening may be given; None when there is no such happening."""
    if what in OURSELVES:
        return OURSELVES[what].parameters
    return HAPPENINGS[what].parameters if what in HAPPENINGS else None


def _no_such_happening(what: Json) -> str:
    if what is None:
        return "is missing; `healer drill --list` names everything that can happen"
    return f"{shown(what)} is nothing that can happen" + did_you_mean(str(what), _happening_names())


def _happening_names() -> list[str]:
    return [*HAPPENINGS, *OURSELVES]


def _reader(parameter: Parameter) -> Read:
    """A number may be written as a time, since most of them are."""

    def number(value: Json) -> Value:
        read = _number(value)
        if isinstance(parameter, Number) and not parameter.least <= read <= parameter.most:
            wanted = f"from {parameter.least:g} to {parameter.most:g}"
            raise ValueError(f"{shown(value)} should be a number {wanted} ({parameter.about})")
        return read

    def choice(value: Json) -> Value:
        if isinstance(parameter, Choice) and value not in parameter.values:
            known = ", ".join(str(one) for one in parameter.values)
            raise ValueError(f"{shown(value)} should be one of: {known} ({parameter.about})")
        return value if isinstance(value, str) else float(value)

    return number if isinstance(parameter, Number) else choice


def _number(value: Json) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(Unit("duration").read(value))


def _time(value: Json) -> float:
    seconds = float(Unit("duration").read(value))
    if seconds > _LONGEST:
        raise ValueError(f"{shown(value)} is longer than forty days: write it as 90s, 10m or 1h30m")
    return seconds


def _text(value: Json) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)} should be text")
    return " ".join(value.split())


def _whole(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{shown(value)} should be a whole number, 0 or more")
    return value


def _rows(value: Json) -> tuple[int, ...]:
    return tuple(_whole(one) for one in _list(value))


def _yes_or_no(value: Json) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} should be true or false")  # noqa: TRY004  (a wrong value in a file)
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} should be a list")  # noqa: TRY004  (a wrong value in a file)
    return value


def _table(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} should be a table of keys")  # noqa: TRY004  (a wrong value in a file)
    return value


def _tables(value: Json) -> list[Mapping[str, Json]]:
    return [_table(one) for one in _list(value)]


def _word(kind: type[E_], what: str) -> Callable[[Json], E_]:
    """A word of a closed list."""
    known = {one.value: one for one in kind}

    def read(value: Json) -> E_:
        if value not in known:
            raise ValueError(f"{shown(value)} is no {what}" + did_you_mean(str(value), known))
        return known[value]

    return read


def _words(kind: type[E_], what: str) -> Callable[[Json], frozenset[E_]]:
    read = _word(kind, what)
    return lambda value: frozenset(read(one) for one in _list(value))


def _acts(value: Json) -> tuple[frozenset[Remedy], ...]:
    """In order; what stands in a list of its own comes in any order."""
    read = _word(Remedy, "remedy")
    groups = [one if isinstance(one, list) else [one] for one in _list(value)]
    return tuple(frozenset(read(one) for one in group) for group in groups)


def _notices(value: Json) -> tuple[str, ...]:
    read = _word(Kind, "kind of notice")
    return tuple(read(one).value for one in _list(value))


_EXPECT: Final[Mapping[str, Read]] = {
    "acts": _acts,
    "may": _words(Remedy, "remedy"),
    "never": _words(Remedy, "remedy"),
    "untouched": _words(Layer, "layer"),
    "incidents": _whole,
    "notices": _notices,
    "reports": _words(Reason, "reason"),
    "refused": _words(Rule, "rule"),
    "gives_up": _words(Layer, "layer"),
    "well_within": _time,
    "ill": _yes_or_no,
}
