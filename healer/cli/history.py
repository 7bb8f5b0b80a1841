"""`healer history`: what the journal remembers; needs no daemon and changes nothing."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

from healer.adapters.clock import SystemClock
from healer.adapters.journal import Remembered, SqliteJournal
from healer.cli.talking import load_settings, put, tell
from healer.ports import JournalError
from healer.settings.places import places_of
from healer.telemetry.history import Entry, history_document, history_text, of_layer

_FAILED = 1


def history(arguments: argparse.Namespace) -> int:
    """Print it; 1 when there is a journal that cannot be read."""
    path, clock = places_of(load_settings(), os.environ, Path.home()).journal, SystemClock()
    since = clock.wall() - arguments.since
    try:
        remembered = _read(path, clock, since)
    except JournalError as error:
        tell(f"healer: {error}")
        return _FAILED
    if remembered is None:
        tell(f"healer: {path}: there is no journal yet, since healer has done nothing here")
    entries = [entry_of(one) for one in remembered or ()]
    if arguments.layer is not None:
        entries = of_layer(entries, arguments.layer)
    if arguments.json:
        put(json.dumps(history_document(entries, since), indent=2))
    else:
        put(history_text(entries, length=arguments.since))
    return 0


def _read(path: Path, clock: SystemClock, since: float) -> Sequence[Remembered] | None:
    journal = SqliteJournal.for_reading(path, clock)
    if journal is None:
        return None
    try:
        return journal.history(since)
    finally:
        journal.close()


def entry_of(one: Remembered) -> Entry:
    """A line of the journal, decoded."""
    fields = json.loads(one.body)
    # Verified and NotVerified hold their act; its layer is the line's own.
    fields.pop("layer", None)
    return Entry(one.wall, one.kind, one.layer, fields)
