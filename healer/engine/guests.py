"""A pass that somebody asked a running daemon for: who watches it, and when it is over."""

from dataclasses import dataclass, field

import anyio

from healer.engine.telling import Listener, Told


@dataclass(slots=True)
class Guest:
    """Watches the daemon from one moment until everything that moment led to has settled."""

    listener: Listener
    began: float
    deadline: float
    """On the clock of `now`; after it the guest waits for acts under way only."""
    over: anyio.Event = field(default_factory=anyio.Event)
    why: str = "deadline"
    """`settled`, `deadline` or `interrupted`."""

    def told(self, told: Told) -> None:
        """Pass it on, and see whether that was all."""
        if self.over.is_set():
            return
        self.listener.told(told)
        views = told.world.views.values()
        looked = bool(views) and all(view.at > self.began for view in views)
        if looked and not told.awaited:
            self._end("settled")
        elif told.at >= self.deadline and not told.world.acting:
            self._end("deadline")

    def leave(self) -> None:
        """Whoever asked has gone; the daemon goes on by itself."""
        self._end("interrupted")

    def _end(self, why: str) -> None:
        self.why = why
        self.over.set()
