"""What came of a drill, in words and as a document."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from healer.cli.drill_lines import clock
from healer.core.facts import IncidentOpened, Refused
from healer.core.judging import Judgements
from healer.core.judging import judge as judge_world
from healer.drills.judging import Verdict
from healer.drills.names import names
from healer.promises.table import PROMISES
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.telemetry.report import SCHEMA_VERSION, Report, report_text
from healer.telemetry.report import document as report_document
from healer.telemetry.spelling import counted, duration

Styled = tuple[str, str]
"""A line, and how it looks on a terminal."""

_GOOD: Final = "green"
_BAD: Final = "bold red"
_OUTCOME: Final = 22
"""Columns of the second column of `--all`."""


def report_lines(verdict: Verdict, report: Report, again: str) -> Iterator[Styled]:
    """The whole report of one drill; `again` is the command that plays it again."""
    well = verdict.played.well_since is not None
    words = "the tower is well again" if well else "the tower is still ill"
    judged = _judged(verdict, report)
    yield "", ""
    text = report_text(report, verdict.played.world, judged, words, dry_run=False)
    yield from ((line, "") for line in text.splitlines())
    yield "", ""
    yield from _verdict(verdict, again)


def _verdict(verdict: Verdict, again: str) -> Iterator[Styled]:
    played = verdict.played
    title = f"{played.scenario.name} (seed {played.seed})"
    if verdict.passed:
        yield f"✔ {title}: passed", f"bold {_GOOD}"
    else:
        yield f"✗ {title}: failed", _BAD
        yield from ((f"  {line}", "red") for line in failures(verdict))
        yield f"  again with: {again}", ""
    rows = (
        ("healed", _healed(verdict)),
        ("acts", _acts(verdict)),
        ("incidents", str(_opened(verdict))),
        ("told", ", ".join(one.kind.value for one in played.notices) or "nobody"),
        ("refused", _refused(verdict)),
        ("lives", counted(played.lives, "life") if played.lives == 1 else f"{played.lives} lives"),
        ("promises", _promises(verdict)),
    )
    yield from ((f"  {name:<10} {words}", "") for name, words in rows)


def failures(verdict: Verdict) -> list[str]:
    """Every expectation that was missed and every promise that was broken."""
    missed = [f"{one.key}: {one.what}" for one in verdict.missed]
    broken = [
        f"{one.promise} ({PROMISES[one.promise].words}) at {clock(one.at)}: {one.what}"
        for one in verdict.broken
    ]
    return [*missed, *broken, *(f"harm: {one}" for one in verdict.harm)]


def result_line(verdict: Verdict, again: str) -> Iterator[Styled]:
    """One line a drill; what failed, and how to see it again, stands below."""
    widest = max(len(one) for one in names())
    mark, style = ("✔", _GOOD) if verdict.passed else ("✗", _BAD)
    name = verdict.played.scenario.name
    yield f"{mark} {name:<{widest}}  {_healed(verdict):<{_OUTCOME}}  {_acts(verdict)}", style
    if not verdict.passed:
        yield from ((f"    {line}", "red") for line in failures(verdict))
        yield f"    again with: {again}", ""


def summary_lines(passed: Sequence[bool], acts: int, seconds: float) -> Iterator[Styled]:
    """All of them in two lines; `seconds` are the tower's."""
    style = f"bold {_GOOD}" if all(passed) else _BAD
    yield "", ""
    yield f"{sum(passed)} of {counted(len(passed), 'drill')} passed", style
    yield f"{counted(acts, 'act')} in {duration(seconds)} of the tower's time", ""


def document(verdict: Verdict, report: Report, again: str) -> dict[str, Any]:
    """One drill as a JSON document; it holds all that the document of a pass holds."""
    played, history = verdict.played, verdict.played.history
    code = 0 if verdict.passed else 1
    judged = _judged(verdict, report)
    return {
        **report_document(report, played.world, judged, exit_code=code, dry_run=False),
        "scenario": played.scenario.name,
        "about": played.scenario.about,
        "seed": played.seed,
        "passed": verdict.passed,
        "again": again,
        "missed": [{"key": one.key, "what": one.what} for one in verdict.missed],
        "broken": [
            {"promise": one.promise, "at": round(one.at, 3), "what": one.what}
            for one in verdict.broken
        ],
        "harm": list(verdict.harm),
        "happened": [
            {"at": one.at, "what": one.what, "parameters": dict(one.parameters)}
            for one in played.scenario.happens
        ],
        "well_at_end": history.well_at_end,
        "healed_in": None if verdict.healed_in is None else round(verdict.healed_in, 3),
        "incidents": _opened(verdict),
        "notices": [one.kind.value for one in played.notices],
        "lives": played.lives,
        "ended": round(history.ended, 3),
    }


def all_document(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every drill of `--all`."""
    passed = all(one["passed"] for one in documents)
    return {
        "schema_version": SCHEMA_VERSION,
        "exit_code": 0 if passed else 1,
        "passed": passed,
        "drills": list(documents),
    }


def _judged(verdict: Verdict, report: Report) -> Judgements:
    policy = policy_of(Settings(), run="drill", one_pass=False)
    return judge_world(verdict.played.world, report.now, policy)


def _healed(verdict: Verdict) -> str:
    if verdict.healed_in is None:
        return "a human is needed"
    if verdict.healed_in:
        return f"well after {duration(verdict.healed_in)}"
    since = verdict.played.well_since
    return "well all along" if since is not None and since < 0.0 else "well by then"


def _acts(verdict: Verdict) -> str:
    """`start_vm, untaint twice`, in their order."""
    done = [one.act.remedy.value for one in verdict.played.history.deeds]
    runs = [(name, len(list(same))) for name, same in groupby(done)]
    named = (f"{name} ({count} times)" if count > 1 else name for name, count in runs)
    return ", ".join(named) or "nothing was done"


def _opened(verdict: Verdict) -> int:
    moments = verdict.played.history.moments
    return sum(isinstance(one, IncidentOpened) for m in moments for one in m.decisions)


def _refused(verdict: Verdict) -> str:
    moments = verdict.played.history.moments
    refused = [one for m in moments for one in m.decisions if isinstance(one, Refused)]
    if not refused:
        return "nothing"
    rules = ", ".join(sorted({one.rule.value for one in refused}))
    return f"{counted(len(refused), 'time')}, by the rules: {rules}"


def _promises(verdict: Verdict) -> str:
    broken = {one.promise for one in verdict.broken}
    if not broken:
        return f"all {len(PROMISES)} kept"
    return f"{len(PROMISES) - len(broken)} of {len(PROMISES)} kept"
