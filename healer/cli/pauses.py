"""`healer pause`, `resume`, `reset`: a human's word, kept in the journal without a daemon."""

import argparse
import getpass
import os
from pathlib import Path

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.cli.running import USAGE, load_settings, tell
from healer.core.facts import Pause
from healer.core.tower import Layer
from healer.ports import JournalError
from healer.settings.places import places_of
from healer.settings.units import parse_duration
from healer.telemetry.words import duration

_FAILED = 1


def pause(arguments: argparse.Namespace) -> int:
    """Do nothing for a while; it ends by itself, or with `healer resume`."""
    clock = SystemClock()
    try:
        seconds = parse_duration(arguments.length) if arguments.length else None
    except ValueError as error:
        tell(f"healer pause --for: {error}")
        return USAGE
    until = None if seconds is None else clock.now() + seconds
    word = Pause(_layer(arguments.layer), until, getpass.getuser(), arguments.reason)
    journal = _journal(clock)
    if journal is None:
        return _FAILED
    journal.pause(word)
    journal.close()
    length = "until `healer resume`" if seconds is None else f"for {duration(seconds)}"
    tell(f"paused {arguments.layer or 'everything'} {length}: {arguments.reason}")
    return 0


def resume(arguments: argparse.Namespace) -> int:
    """End pauses."""
    journal = _journal(SystemClock())
    if journal is None:
        return _FAILED
    ended = journal.resume(_layer(arguments.layer))
    journal.close()
    tell(f"ended {ended} pause{'' if ended == 1 else 's'}" if ended else "nothing was paused")
    return 0


def reset(arguments: argparse.Namespace) -> int:
    """Let a layer that was held or given up be tried again."""
    journal = _journal(SystemClock())
    if journal is None:
        return _FAILED
    ended = journal.reset(_layer(arguments.layer))
    journal.close()
    what = arguments.layer or "every layer"
    tell(f"{what} may be tried again; {ended} hold{'' if ended == 1 else 's'} ended")
    return 0


def _layer(name: str | None) -> Layer | None:
    return None if name is None else Layer(name)


def _journal(clock: SystemClock) -> SqliteJournal | None:
    settings = load_settings()
    places = places_of(settings, os.environ, Path.home())
    try:
        return SqliteJournal.open(places.journal, clock)
    except JournalError as error:
        tell(f"healer: {error}")
        return None
