"""`healer explain LAYER` and `healer table`: why, by which rule, and what would come next."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from healer.adapters.clock import SystemClock
from healer.adapters.journal import Remembered, SqliteJournal
from healer.cli.running import run_async, run_pass
from healer.cli.talking import load_settings, tell
from healer.core.facts import Act, Refused
from healer.core.judging import judge
from healer.core.table import render_table
from healer.core.tower import Layer, above, below
from healer.core.world import World
from healer.engine.passing import Ended, Mode
from healer.ports import JournalError
from healer.settings import Settings
from healer.settings.places import places_of
from healer.settings.policy import policy_of
from healer.telemetry.report import Report
from healer.telemetry.words import WHAT_IT_DOES, doing, duration
from healer.wiring.real import Prepared, prepare

_PAST_SECONDS = 7 * 86_400.0
_PAST_LINES = 15
_LOOK_SECONDS = 120.0


def table(arguments: argparse.Namespace) -> int:
    """Print every reason with its ladder and limits, as the settings have them."""
    del arguments
    policy = policy_of(load_settings(), run="table", one_pass=True)
    sys.stdout.write(render_table(policy) + "\n")
    return 0


def explain(arguments: argparse.Namespace) -> int:
    """Look until what is seen is confirmed, change nothing, and say what follows."""
    settings, layer = load_settings(), Layer(arguments.layer)
    report = Report()
    prepared = prepare(settings, report, Mode.REHEARSE)
    tell(f"looking at {layer} and what it stands on …")
    ended = run_async(lambda: _looked(prepared))
    if ended.journal_error:
        tell(f"healer: {ended.journal_error}")
    for line in _explained(layer, ended.world, report, prepared):
        sys.stdout.write(line + "\n")
    for line in _past(settings, layer):
        sys.stdout.write(line + "\n")
    return 0


async def _looked(prepared: Prepared) -> Ended:
    try:
        ended = await run_pass(prepared.one_pass, _LOOK_SECONDS)
    finally:
        await prepared.close()
    if ended is None:
        raise KeyboardInterrupt
    return ended


def _explained(layer: Layer, world: World, report: Report, prepared: Prepared) -> Iterator[str]:
    judged = judge(world, report.now, prepared.policy)
    own = judged[layer]
    yield f"{layer} is {own.state}" + (f": {own.why}" if own.why else "")
    stands = ", ".join(f"{one} {judged[one].state}" for one in below(layer)) or "nothing"
    yield f"it stands on: {stands}"
    carried = ", ".join(f"{one} {judged[one].state}" for one in above(layer)) or "nothing"
    yield f"on it stand: {carried}"
    observation = world.observation(layer)
    for finding in () if observation is None else observation.findings:
        kind = "makes it ill" if finding.reason.gating else "is only reported"
        yield f"seen: {finding.reason.word} ({kind}): {finding.evidence}"
    acts = [one.act for one in report.done if one.act.layer is layer]
    yield from _next(acts, [one for one in report.refused if one.layer is layer], report.now)


def _next(acts: list[Act], refused: list[Refused], now: float) -> Iterator[str]:
    for one in refused:
        later = f", at the earliest in {duration(one.until - now)}" if one.until else ""
        yield f"refused: {WHAT_IT_DOES[one.remedy]}: {one.rule} ({one.detail}{later})"
    for act in acts:
        yield f"next: `healer --once` would {doing(act)}"
    if not acts and not refused:
        yield "next: nothing"


def _past(settings: Settings, layer: Layer) -> Iterator[str]:
    """What the journal remembers of the layer in the last week."""
    places = places_of(settings, os.environ, Path.home())
    try:
        journal = SqliteJournal.for_reading(places.journal, SystemClock())
        if journal is None:
            return
        past = [one for one in journal.history(time.time() - _PAST_SECONDS) if one.layer == layer]
        journal.close()
    except JournalError as error:
        tell(f"healer: {error}")
        return
    if past:
        yield "the last days:"
    for one in past[-_PAST_LINES:]:
        yield f"  {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(one.wall))}  {_told(one)}"


def _told(one: Remembered) -> str:
    body = json.loads(one.body)
    fields = {**body.pop("act", {}), **body}
    keys = ("remedy", "reason", "rule", "now", "author", "outcome", "detail")
    words = [str(fields[key]) for key in keys if fields.get(key)]
    return f"{one.kind.lower()}: {', '.join(words)}"
