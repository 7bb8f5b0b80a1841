"""`healer pause`, `resume`, `reset`: a human's word, kept in the journal without a daemon."""

import argparse
import getpass
import os
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.cli.asking import NoDaemon, Refused, Silent, ask
from healer.cli.talking import USAGE, load_settings, tell
from healer.core.facts import Pause
from healer.core.tower import Layer
from healer.outside import cleaned, line
from healer.ports import JournalError
from healer.settings.forms import DURATION
from healer.settings.places import Places, places_of
from healer.telemetry.spelling import duration

_FAILED = 1


class _Refused(Enum):
    """The journal would not take it."""

    REFUSED = "refused"


_REFUSED: Final = _Refused.REFUSED


def pause(arguments: argparse.Namespace) -> int:
    """Do nothing for a while; it ends by itself, or with `healer resume`."""
    clock = SystemClock()
    try:
        seconds = float(DURATION.read(arguments.length)) if arguments.length else None
    except ValueError as error:
        tell(f"healer pause --for: {error}")
        return USAGE
    until = None if seconds is None else clock.now() + seconds
    places = _places()  # first, since the settings say what else is secret
    reason = cleaned(arguments.reason)
    word = Pause(_layer(arguments.layer), until, _author(), reason)
    told = {
        "layer": arguments.layer,
        "seconds": seconds,
        "author": word.author,
        "reason": word.reason,
    }
    said = _said("pause", told, places, clock, lambda journal: _paused(journal, word))
    if said is _REFUSED:
        return _FAILED
    length = "until `healer resume`" if seconds is None else f"for {duration(seconds)}"
    tell(f"paused {arguments.layer or 'everything'} {length}: {reason}")
    return 0


def _paused(journal: SqliteJournal, word: Pause) -> int:
    journal.pause(word)
    return 0


def resume(arguments: argparse.Namespace) -> int:
    """End pauses."""
    layer = _layer(arguments.layer)
    told = {"layer": arguments.layer}
    ended = _said("resume", told, _places(), SystemClock(), lambda journal: journal.resume(layer))
    if ended is _REFUSED:
        return _FAILED
    tell(f"ended {ended} pause{'' if ended == 1 else 's'}" if ended else "nothing was paused")
    return 0


def reset(arguments: argparse.Namespace) -> int:
    """Let a layer that was held or given up be tried again."""
    layer = _layer(arguments.layer)
    told = {"layer": arguments.layer}
    ended = _said("reset", told, _places(), SystemClock(), lambda journal: journal.reset(layer))
    if ended is _REFUSED:
        return _FAILED
    what = arguments.layer or "every layer"
    tell(f"{what} may be tried again; {ended} hold{'' if ended == 1 else 's'} ended")
    return 0


def _author() -> str:
    """Who says so; a container's user may have no name."""
    try:
        return line(getpass.getuser())
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _places() -> Places:
    return places_of(load_settings(), os.environ, Path.home())


def _layer(name: str | None) -> Layer | None:
    return None if name is None else Layer(name)


def _said(
    verb: str,
    told: Mapping[str, Any],
    places: Places,
    clock: SystemClock,
    write: Callable[[SqliteJournal], int],
) -> int | _Refused:
    """How many the word ended, told to the running daemon, which heeds it at once.

    Without one, or when it does not answer, the journal takes it: a daemon reads what others
    wrote there, and the next run begins with it.
    """
    try:
        return int(ask(places.control, verb, told).get("ended", 0))
    except NoDaemon:
        pass
    except Silent as error:
        tell(f"healer: {error}; the journal takes it, and the daemon heeds it when it lives again")
    except Refused as error:
        tell(f"healer: {error}")
        return _REFUSED
    return _kept(places, clock, write)


def _kept(
    places: Places, clock: SystemClock, write: Callable[[SqliteJournal], int]
) -> int | _Refused:
    """Let the journal take a human's word; what keeps it from that is said."""
    try:
        journal = SqliteJournal.open(places.journal, clock)
        try:
            return write(journal)
        finally:
            journal.close()
    except JournalError as error:
        tell(f"healer: {error}")
        return _REFUSED
