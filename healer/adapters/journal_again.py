"""A journal that could not be opened, and is tried again: a full disk does not last for ever."""

from collections.abc import Callable

from healer.adapters.journal import SqliteJournal
from healer.core.facts import Act, Decision, Outcome, Pause
from healer.core.ledger import Ledger
from healer.core.tower import Layer
from healer.ports import JournalError
from healer.replay.records import KeptBeginning, KeptSteps


class LastingJournal:
    """ports.Journal for a daemon: opens its file anew whenever it cannot be used.

    Every method raises JournalError while it cannot; the file that is there then (it may have
    been mended, or set aside and made anew) is the one that is used from then on.
    """

    def __init__(self, open_: Callable[[], SqliteJournal]) -> None:
        self._open = open_
        self._opened: SqliteJournal | None = None

    @property
    def journal(self) -> SqliteJournal:
        """The open journal; raises JournalError."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def close(self) -> None:
        """Let go of the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def ledger(self) -> Ledger:
        """Everything that limits need."""
        return self.journal.ledger()

    def begin(self, act: Act) -> None:
        """Write and sync the intent."""
        self.journal.begin(act)

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember the act's child process."""
        self.journal.spawned(act, pid, started)

    def end(self, act: Act, outcome: Outcome, detail: str) -> None:
        """Write the result."""
        self.journal.end(act, outcome, detail)

    def record(self, decision: Decision) -> None:
        """Keep a decision."""
        self.journal.record(decision)

    def pause(self, pause: Pause) -> None:
        """Keep a human's pause."""
        self.journal.pause(pause)

    def resume(self, scope: Layer | None) -> int:
        """End pauses."""
        return self.journal.resume(scope)

    def reset(self, layer: Layer | None) -> int:
        """Re-arm a layer."""
        return self.journal.reset(layer)

    def learn(self, word: str, value: str) -> None:
        """Remember a single fact."""
        self.journal.learn(word, value)

    def known(self, word: str) -> str | None:
        """What was last learnt of it."""
        return self.journal.known(word)

    def keep(self, beginning: KeptBeginning | int, steps: KeptSteps) -> int:
        """Keep steps to be decided again."""
        return self.journal.keep(beginning, steps)

    def check(self) -> None:
        """Open the file anew if it was lost, and write a little."""
        try:
            self.journal.check()
        except JournalError:
            self.close()
            self.journal.check()

    def written_by_others(self) -> bool:
        """Whether another process has written to it since this was last asked."""
        return self.journal.written_by_others()
