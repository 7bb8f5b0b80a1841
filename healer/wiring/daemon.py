"""The daemon of this Mac: its senses from the settings, its journal, its watchdog, its faces."""

import os
import random
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from healer import __version__
from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.adapters.journal_again import LastingJournal
from healer.adapters.lock import WriterLock
from healer.adapters.watchdog import Watchdog
from healer.core.facts import Pause
from healer.engine.daemon import Daemon, Senses, Surroundings
from healer.engine.recording import EvidenceRecorder
from healer.engine.telling import Listener, Looked, Told
from healer.ports import JournalError
from healer.probes.fresh_news import FreshNews
from healer.settings import Settings
from healer.settings.places import Places, places_of
from healer.settings.policy import policy_of
from healer.wiring.paces import paces_of
from healer.wiring.parts import Looks, OurChildren, Outside, parts_of
from healer.wiring.real import Manner, real_outside


class AlreadyRunning(Exception):
    """Another healer holds the writer's lock; carries its pid, 0 when it is unreadable."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"another healer (pid {pid or 'unknown'}) is running")
        self.pid = pid


@dataclass(slots=True)
class Ears:
    """Everybody who listens to the engine."""

    listeners: list[Listener] = field(default_factory=list)
    looked: list[Callable[[Looked], None]] = field(default_factory=list)
    lagged: list[Callable[[float], None]] = field(default_factory=list)
    notified: list[Callable[[str, str], None]] = field(default_factory=list)

    broken: dict[str, str] = field(default_factory=dict)
    """Why somebody listens no more, by its class; the daemon's problems."""

    def told(self, told: Told) -> None:
        """Tell all; who breaks is told no more, and harms neither engine nor siblings."""
        for one in list(self.listeners):
            try:
                one.told(told)
            except Exception as error:  # noqa: BLE001  (a face must not end the heart)
                self.listeners.remove(one)
                self.broken[type(one).__name__] = f"{type(error).__name__}: {error}"

    def heard_break(self, name: str, error: Exception | None) -> None:
        """News that breaks is listened to again, and shown until it has been heard."""
        if error is None:
            self.broken.pop(name, None)
        else:
            self.broken[name] = f"{type(error).__name__}: {error}"

    def heard_look(self, looked: Looked) -> None:
        """Tell all of a look."""
        for one in self.looked:
            one(looked)

    def heard_notice(self, channel: str, outcome: str) -> None:
        """Tell all what became of a notice."""
        for one in self.notified:
            one(channel, outcome)

    def heard_lag(self, seconds: float) -> None:
        """Tell all of the event loop's lag."""
        for one in self.lagged:
            one(seconds)


@dataclass(slots=True)
class Household:
    """A daemon and what it lives with."""

    run: str
    settings: Settings
    places: Places
    clock: SystemClock
    journal: LastingJournal
    lock: WriterLock
    watchdog: Watchdog
    children: OurChildren
    ears: Ears
    outside: Outside
    daemon: Daemon
    began: float
    """On the clock of `now`."""
    problems: dict[str, str] = field(default_factory=dict)
    """What the daemon lives on without, by part, but for its journal: see `without`."""

    @property
    def without(self) -> dict[str, str]:
        """The same with the journal, as it is now; shown by `healer status`."""
        lost = self.daemon.journal_error
        return {**self.problems, "journal": lost} if lost else dict(self.problems)

    async def close(self, how: str) -> None:
        """Let go of everything, and write that this was an end in good order."""
        self.watchdog.stop()
        await self.outside.close()
        with suppress(JournalError):
            self.journal.journal.run_ended(self.run, how)
        self.journal.close()
        self.lock.release()


def open_house(settings: Settings, environment: Mapping[str, str]) -> Household:
    """Take the writer's lock and make a daemon. Raises AlreadyRunning.

    A lock or a journal that cannot be used is no reason to see nothing: the daemon looks on,
    says so, and acts once they can be used.
    """
    home = Path(environment.get("HOME", str(Path.home())))
    places, clock = places_of(settings, environment, home), SystemClock()
    lock = _locked(places)
    journal = LastingJournal(lambda: _open(places, clock, lock))
    run = f"{clock.wall():.0f}-{secrets.token_hex(2)}"
    _note_start(journal, settings, clock, run)
    children, ears, watchdog = OurChildren(journal, os.getpid()), Ears(), Watchdog()
    outside = _outside(settings, places, children, environment)
    senses = senses_of(settings, outside, journal, ears, children, run)
    recorder = EvidenceRecorder(journal, ears.heard_break, __version__)
    parts = replace(senses.parts, began=recorder.began, stepped=recorder.stepped)
    senses = replace(senses, parts=parts)
    around = Surroundings(watchdog, random.Random().random, ears.heard_look, ears.heard_break)  # noqa: S311  (rests, not secrets)
    return Household(
        run,
        settings,
        places,
        clock,
        journal,
        lock,
        watchdog,
        children,
        ears,
        outside,
        Daemon(senses, around),
        clock.now(),
    )


def _locked(places: Places) -> WriterLock:
    lock = WriterLock(places.lock)
    try:
        holder = lock.acquire()
    except JournalError:
        return lock
    if holder is not None:
        raise AlreadyRunning(holder)
    return lock


def _open(places: Places, clock: SystemClock, lock: WriterLock) -> SqliteJournal:
    """Raises JournalError; the lock comes first, so that two writers never meet."""
    if not lock.held:
        holder = lock.acquire()
        if holder is not None:
            raise JournalError(f"another healer (pid {holder or 'unknown'}) is at work")
    return SqliteJournal.open(places.journal, clock)


def _note_start(journal: LastingJournal, settings: Settings, clock: SystemClock, run: str) -> None:
    """Come up looking only when healer itself has crashed again and again.

    A journal that cannot be written is noticed and told by the engine.
    """
    daemon = settings.daemon
    with suppress(JournalError):
        crashed = journal.journal.run_began(run, daemon.crash_window)
        if crashed >= daemon.crashes:
            why = f"healer crashed {crashed} times within {daemon.crash_window / 60:.0f} min"
            until = clock.now() + daemon.looking_only
            journal.pause(Pause(None, until, "healer", f"{why}: looking only"))


def _outside(
    settings: Settings,
    places: Places,
    children: OurChildren,
    environment: Mapping[str, str],
) -> Outside:
    return real_outside(settings, places, children, Manner(environment, resident=True))


def senses_of(
    settings: Settings,
    outside: Outside,
    journal: LastingJournal,
    listener: Listener,
    children: OurChildren,
    run: str,
) -> Senses:
    """Eyes, hands, limits and paces of one set of settings."""
    looks = Looks.over(outside, resident=True)
    parts = parts_of(outside, settings, journal, listener, children, looks)
    policy = policy_of(settings, run=run, one_pass=False)
    news = tuple(FreshNews(one, looks.forget_moment) for one in outside.news)
    return Senses(parts, policy, paces_of(settings, outside, journal), news)


async def reload(house: Household, settings: Settings, environment: Mapping[str, str]) -> None:
    """Let the daemon go on with other settings, and let go of the old connections.

    What it raises, it raises before anything is changed.
    """
    outside = _outside(settings, house.places, house.children, environment)
    listener, old = house.ears, house.outside
    senses = senses_of(settings, outside, house.journal, listener, house.children, house.run)
    house.daemon.reload(senses)
    house.outside, house.settings = outside, settings
    await old.close()
