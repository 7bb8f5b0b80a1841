"""The journal's own clock, which no clock of the Mac can turn back (design §10, incidents S17).

Within one boot it runs with the boot clock, sleep included; a wall clock that is set changes
nothing. From one boot to the next it goes on by the wall clock, which is all there is, and
never backwards: a wait is neither begun anew nor longer than itself. It stands still only for
a reboot before which the wall clock was ahead.
"""

import sqlite3
from dataclasses import dataclass

from healer.ports import Clock


@dataclass(frozen=True, slots=True)
class Timeline:
    """Journal seconds = seconds on this boot's clock + `offset`."""

    offset: float

    def at(self, now: float) -> float:
        """A time of this boot's clock, on the journal's."""
        return now + self.offset

    def back(self, at: float, now: float) -> float:
        """A time of the journal, on this boot's clock; never after `now`."""
        return min(at - self.offset, now)


def timeline_of(connection: sqlite3.Connection, clock: Clock) -> Timeline:
    """Where this boot lies on the journal's clock."""
    last = connection.execute('SELECT boot, "offset", at, wall FROM timeline').fetchone()
    if last is None:
        return Timeline(0.0)
    boot, offset, at, wall = last
    if boot == clock.boot_id():
        return Timeline(offset)
    between = max(0.0, clock.wall() - wall)
    return Timeline(at + between - clock.now())


def enter_boot(connection: sqlite3.Connection, clock: Clock) -> Timeline:
    """Settle, once a boot and inside a transaction, where it lies; note the time."""
    timeline = timeline_of(connection, clock)
    connection.execute(
        'INSERT OR REPLACE INTO timeline (id, boot, "offset", at, wall) VALUES (1, ?, ?, ?, ?)',
        (clock.boot_id(), timeline.offset, timeline.at(clock.now()), clock.wall()),
    )
    return timeline


def note_time(connection: sqlite3.Connection, at: float, wall: float) -> None:
    """Remember the last moment of this boot, from which the next boot goes on."""
    connection.execute("UPDATE timeline SET at = max(at, ?), wall = ?", (at, wall))
