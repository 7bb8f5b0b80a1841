"""`healer drill`: the real daemon over a simulated tower, on virtual time."""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping
from typing import Any, Final

from healer.cli.drill_all import Result, play_all
from healer.cli.drill_face import face_of, say
from healer.cli.drill_list import listed, listed_document
from healer.cli.drill_report import (
    all_document,
    document,
    report_lines,
    summary_lines,
)
from healer.cli.talking import USAGE, tell
from healer.drills.chance import drawn
from healer.drills.judging import judge
from healer.drills.library import find
from healer.drills.loading import ScenarioError
from healer.drills.playing import run
from healer.drills.scenario import Scenario
from healer.telemetry.report import Report

_SEEDS: Final = 1_000_000


def drill(arguments: argparse.Namespace) -> int:
    """Play what was asked for; 0 when all that was expected and promised is so, else 1."""
    asked = [bool(arguments.scenario), arguments.list, arguments.all, arguments.random]
    if sum(asked) != 1:
        tell("healer drill: name one scenario, or give one of --list, --all and --random")
        return USAGE
    try:
        return _asked(arguments)
    except ScenarioError as error:
        for problem in error.problems:
            tell(f"healer drill: {problem}")
        return USAGE


def _asked(arguments: argparse.Namespace) -> int:
    if arguments.list:
        return _list(as_json=arguments.json)
    if arguments.all:
        return _all(arguments.seed or 0, as_json=arguments.json)
    if arguments.random:
        seed = secrets.randbelow(_SEEDS) if arguments.seed is None else arguments.seed
        return _one(drawn(seed), seed, "--random", arguments)
    return _one(find(arguments.scenario), arguments.seed or 0, arguments.scenario, arguments)


def _list(*, as_json: bool) -> int:
    if as_json:
        _print(listed_document())
    else:
        say(listed())
    return 0


def _one(scenario: Scenario, seed: int, called: str, arguments: argparse.Namespace) -> int:
    """Play one, for all to see; `called` is how it is asked for again."""
    report = Report()
    as_json, speed = arguments.json, arguments.speed
    with face_of(scenario, seed, report, as_json=as_json, speed=speed) as manner:
        verdict = judge(run(scenario, seed=seed, manner=manner))
    again = f"healer drill {called} --seed {seed}"
    if as_json:
        _print(document(verdict, report, again))
    else:
        say(report_lines(verdict, report, again))
    return 0 if verdict.passed else 1


def _all(seed: int, *, as_json: bool) -> int:
    """Play every one that comes with healer, a line each."""
    results: list[Result] = []
    for one in play_all(seed):
        results.append(one)
        say(() if as_json else one.lines)
    passed = [one.passed for one in results]
    if as_json:
        _print(all_document([one.document for one in results]))
    else:
        acts, seconds = sum(one.acts for one in results), sum(one.seconds for one in results)
        say(summary_lines(passed, acts, seconds))
    return 0 if all(passed) else 1


def _print(document: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
