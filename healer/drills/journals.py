"""The journal of a drill: the real one, in memory, opened anew by each healer."""

from collections.abc import Callable
from pathlib import Path

from healer.adapters.journal import SqliteJournal
from healer.adapters.journal_schema import open_in_memory
from healer.ports import Clock, Journal


def journal_in_memory(clock: Clock) -> Callable[[], Journal]:
    """An empty journal; what comes back opens it, after a reboot of the Mac as well."""
    connection, path = open_in_memory(), Path(":memory:")
    return lambda: SqliteJournal(path, clock, connection, writable=True)
