"""`healer drill --list`: the scenarios, the incidents that none of them plays, and the words."""

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from healer.cli.drill_report import Styled
from healer.drills.incidents import Incident, incidents
from healer.drills.library import packaged
from healer.drills.names import names
from healer.drills.ourselves import OURSELVES
from healer.drills.scenario import Scenario
from healer.simulation.happenings import HAPPENINGS, Number, Parameter

_WIDTH: Final = 100


def listed() -> Iterator[Styled]:
    """Everything there is, as lines."""
    yield "Scenarios: healer drill NAME", "bold"
    column = max(len(name) for name in names()) + 4
    for name in names():
        yield from _entry(name, _about(packaged(name)), column)
    yield "", ""
    yield "Incidents of the past that no scenario plays, and why", "bold"
    for one in incidents():
        if one.why_not:
            yield from _entry(f"{one.number:>2}", f"{one.what}. {one.why_not}", 4)
    yield "", ""
    yield "What can happen in a scenario of your own: healer drill PATH.toml", "bold"
    for what, about, parameters in _happenings():
        yield from _entry(what, about + _given(parameters))


def _entry(name: str, about: str, column: int = 30) -> Iterator[Styled]:
    lines = textwrap.wrap(about, _WIDTH - column) or [""]
    yield f"  {name:<{column - 2}}{lines[0]}".rstrip(), ""
    yield from ((" " * column + line, "") for line in lines[1:])


def _about(scenario: Scenario) -> str:
    if not scenario.incidents:
        return scenario.about
    rows = ", ".join(str(one) for one in scenario.incidents)
    return f"{scenario.about} (incident{'' if len(scenario.incidents) == 1 else 's'} {rows})"


def _happenings() -> Iterator[tuple[str, str, dict[str, Parameter]]]:
    for one in HAPPENINGS.values():
        yield one.name, one.about, dict(one.parameters)
    for name, ours in OURSELVES.items():
        yield name, ours.about, dict(ours.parameters)


def _given(parameters: dict[str, Parameter]) -> str:
    return "".join(f" {name} = {_allowed(one)};" for name, one in parameters.items())


def _allowed(parameter: Parameter) -> str:
    if isinstance(parameter, Number):
        spread = f"{parameter.least:g} to {parameter.most:g}"
        return f"{parameter.default:g} ({parameter.about}; {spread})"
    # As a scenario's file has them; repr() of an enum's member is Python's.
    words = ", ".join(repr(str(one)) for one in parameter.values)
    return f"{str(parameter.default)!r} ({parameter.about}; {words})"


def listed_document() -> dict[str, Any]:
    """The same for programs."""
    return {
        "schema_version": 1,
        "scenarios": [_scenario(packaged(name)) for name in names()],
        "incidents": [_incident(one) for one in incidents()],
        "happenings": [
            {"what": what, "about": about, "parameters": {k: _allowed(v) for k, v in given.items()}}
            for what, about, given in _happenings()
        ],
    }


def _scenario(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "about": scenario.about,
        "incidents": list(scenario.incidents),
        "happens": [one.what for one in scenario.happens],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "number": incident.number,
        "when": incident.when,
        "what": incident.what,
        "played_by": list(incident.played_by),
        "why_not": incident.why_not,
    }
