"""Journals for runs that must leave no trace, and for those that could not open theirs."""

from collections.abc import Mapping
from types import MappingProxyType

from healer.core.facts import Act, Decision, Outcome, Pause
from healer.core.ledger import Ledger
from healer.core.tower import Layer
from healer.ports import JournalError


class Snapshot:
    """What was in the journal when the run began; whatever happens is kept nowhere."""

    def __init__(self, ledger: Ledger, known: Mapping[str, str] = MappingProxyType({})) -> None:
        self._ledger = ledger
        self._known = known

    def ledger(self) -> Ledger:
        """As it was."""
        return self._ledger

    def learn(self, word: str, value: str) -> None:
        """Forget it."""

    def known(self, word: str) -> str | None:
        """As it was."""
        return self._known.get(word)

    def begin(self, act: Act) -> None:
        """Forget it."""

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Forget it."""

    def end(self, act: Act, outcome: Outcome, detail: str) -> None:
        """Forget it."""

    def record(self, decision: Decision) -> None:
        """Forget it."""

    def pause(self, pause: Pause) -> None:
        """Forget it."""

    def resume(self, scope: Layer | None) -> int:
        """Nothing is kept, so nothing ends."""
        del scope
        return 0

    def reset(self, layer: Layer | None) -> int:
        """Nothing is kept, so nothing is forgotten."""
        del layer
        return 0

    def check(self) -> None:
        """Nothing is kept, so nothing fails."""

    def written_by_others(self) -> bool:
        """Nobody else knows of it."""
        return False


class BrokenJournal(Snapshot):
    """A journal that could not be opened: a run goes on looking, and may not act."""

    def __init__(self, error: JournalError) -> None:
        super().__init__(Ledger())
        self._error = error

    def ledger(self) -> Ledger:
        """Raises what kept the journal from being opened."""
        raise self._error

    def check(self) -> None:
        """Raises what kept the journal from being opened."""
        raise self._error
