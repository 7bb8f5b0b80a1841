"""A pass of our own over the tower: `healer --once` without a daemon, its dry run, `check`."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyio import CancelScope, move_on_after

from healer.cli.running import run_async, run_pass
from healer.cli.talking import INTERRUPTED, load_settings, tell
from healer.core.judging import judge
from healer.core.policy import Policy
from healer.engine.passing import Ended, Mode
from healer.engine.telling import Both, Listener
from healer.settings import Settings
from healer.telemetry.plain import PlainLines
from healer.telemetry.report import Report, document, report_text
from healer.telemetry.spelling import VERDICT
from healer.wiring.real import Prepared, prepare

_CLOSE_SECONDS = 2.0


def one_pass(arguments: argparse.Namespace) -> int:
    """A pass of our own; with `--dry-run` it only says what it would do."""
    mode = Mode.REHEARSE if arguments.dry_run else Mode.HEAL
    return run(load_settings(), mode, as_json=arguments.json, deadline=arguments.deadline)


def check(arguments: argparse.Namespace) -> int:
    """One look at every layer; nothing is changed."""
    return run(load_settings(), Mode.LOOK, as_json=arguments.json, deadline=None)


def run(settings: Settings, mode: Mode, *, as_json: bool, deadline: float | None) -> int:
    """Run one pass and print what came of it."""
    seconds = settings.once.deadline if deadline is None else deadline
    report = Report()
    with faces(report, as_json=as_json) as listener:
        prepared = prepare(settings, listener, mode, progress=_progress(as_json=as_json))
        for warning in prepared.warnings:
            tell(f"healer: {warning}")
        ended = run_async(lambda: _pass(prepared, seconds))
    if ended is None:
        return INTERRUPTED
    _print(report, ended, prepared.policy, mode, as_json=as_json)
    if ended.journal_error and ended.journal_error not in prepared.warnings:
        tell(f"healer: {ended.journal_error}")
    return INTERRUPTED if ended.why == "interrupted" else int(ended.exit_code)


async def _pass(prepared: Prepared, deadline: float) -> Ended | None:
    try:
        return await run_pass(prepared.one_pass, deadline)
    finally:
        with CancelScope(shield=True), move_on_after(_CLOSE_SECONDS):
            await prepared.close()


def _progress(*, as_json: bool) -> Callable[[str], None]:
    """What a long start says, for somebody who reads lines; the drawn tower shows time instead."""
    quiet = as_json or (sys.stderr.isatty() and sys.stdout.isatty())
    return (lambda _: None) if quiet else (lambda line: tell(f"           {line}"))


@contextmanager
def faces(report: Report, *, as_json: bool) -> Iterator[Listener]:
    """The report, and beside it what a person watches: the drawn tower, lines, or nothing."""
    if as_json:
        yield report
    elif sys.stderr.isatty() and sys.stdout.isatty():
        from rich.console import Console  # noqa: PLC0415  (only a terminal pays for rich)

        from healer.telemetry.drawing import DrawnTower  # noqa: PLC0415  (as above)

        with DrawnTower(Console(stderr=True)) as drawn:
            yield Both(report, drawn)
    else:
        yield Both(report, PlainLines(tell))


def _print(report: Report, ended: Ended, policy: Policy, mode: Mode, *, as_json: bool) -> None:
    dry_run = mode is not Mode.HEAL
    judged = judge(ended.world, report.now, policy)
    if as_json:
        told = document(report, ended.world, judged, exit_code=ended.exit_code, dry_run=dry_run)
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    verdict = VERDICT[ended.exit_code]
    if ended.why != "settled":
        verdict += f" ({ended.why})"
    sys.stdout.write(report_text(report, ended.world, judged, verdict, dry_run=dry_run) + "\n")
