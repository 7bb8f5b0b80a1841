"""What the journal alone knows, for commands that found no daemon to ask."""

import os
from pathlib import Path
from typing import Any

from healer import __version__
from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.cli.talking import load_settings, tell
from healer.core.ledger import Ledger
from healer.ports import JournalError
from healer.settings.places import places_of
from healer.settings.policy import policy_of
from healer.telemetry.status import status_without


def known_without(why: str) -> dict[str, Any]:
    """The status document of a tower that nobody watches."""
    settings, clock = load_settings(), SystemClock()
    policy = policy_of(settings, run="status", one_pass=False)
    ledger = _ledger(places_of(settings, os.environ, Path.home()).journal, clock)
    return status_without(ledger, clock.now(), policy, version=__version__, why=why)


def _ledger(path: Path, clock: SystemClock) -> Ledger:
    try:
        journal = SqliteJournal.for_reading(path, clock)
        if journal is None:
            return Ledger()
        try:
            return journal.ledger()
        finally:
            journal.close()
    except JournalError as error:
        tell(f"healer: {error}")
        return Ledger()
