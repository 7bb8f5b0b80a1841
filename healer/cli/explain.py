"""`healer explain LAYER` and `healer table`: why, by which rule, and what would come next."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.cli.asking import AskError, NoDaemon, ask
from healer.cli.history import entry_of
from healer.cli.running import run_async, run_pass
from healer.cli.talking import load_settings, put, tell
from healer.core.table import render_table
from healer.core.tower import Layer
from healer.engine.passing import Ended, Mode
from healer.ports import JournalError
from healer.settings import Settings
from healer.settings.places import places_of
from healer.settings.policy import policy_of
from healer.telemetry.explaining import next_of_a_look, seen_of
from healer.telemetry.history import condensed, of_layer, told
from healer.telemetry.report import Report
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
    """Say why a layer is so and what follows: the daemon knows, else we look and change nothing."""
    settings, layer = load_settings(), Layer(arguments.layer)
    known = _by_the_daemon(settings, layer)
    for line in _by_a_look(settings, layer) if known is None else known:
        put(line)
    for line in _past(settings, layer):
        put(line)
    return 0


def _by_the_daemon(settings: Settings, layer: Layer) -> list[str] | None:
    path = places_of(settings, os.environ, Path.home()).control
    try:
        return [str(one) for one in ask(path, "explain", {"layer": layer.value})["lines"]]
    except NoDaemon:
        return None
    except (AskError, KeyError, TypeError) as error:
        tell(f"healer: {error}")
        return None


def _by_a_look(settings: Settings, layer: Layer) -> Iterator[str]:
    """Look until what is seen is confirmed."""
    report = Report()
    prepared = prepare(settings, report, Mode.REHEARSE)
    tell(f"looking at {layer} and what it stands on …")
    ended = run_async(lambda: _looked(prepared))
    if ended.journal_error:
        tell(f"healer: {ended.journal_error}")
    yield from seen_of(layer, ended.world, report.now, prepared.policy)
    acts = [one.act for one in report.done if one.act.layer is layer]
    refused = [one for one in report.refused if one.layer is layer]
    yield from next_of_a_look(acts, refused, report.now)


async def _looked(prepared: Prepared) -> Ended:
    try:
        ended = await run_pass(prepared.one_pass, _LOOK_SECONDS)
    finally:
        await prepared.close()
    if ended is None:
        raise KeyboardInterrupt
    return ended


def _past(settings: Settings, layer: Layer) -> Iterator[str]:
    """What the journal remembers of the layer in the last week."""
    places = places_of(settings, os.environ, Path.home())
    try:
        journal = SqliteJournal.for_reading(places.journal, SystemClock())
        if journal is None:
            return
        past = [entry_of(one) for one in journal.history(time.time() - _PAST_SECONDS)]
        journal.close()
    except JournalError as error:
        tell(f"healer: {error}")
        return
    lines = [(one.wall, told(one)) for one in condensed(of_layer(past, layer))]
    lines = [(wall, words) for wall, words in lines if words]
    if lines:
        yield "the last days:"
    for wall, words in lines[-_PAST_LINES:]:
        yield f"  {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(wall))}  {words}"
