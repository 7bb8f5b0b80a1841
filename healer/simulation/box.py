"""The Talos container as Docker keeps it: how it starts, ends and comes back."""

from collections.abc import Callable

from healer.simulation.clockwork import Clockwork
from healer.simulation.cluster import Cluster
from healer.simulation.forwards import PUBLISHED

SHUTDOWN_TAKES = 31.0
"""Seconds of Talos' own shutdown, when it is given them: kubelet alone takes 30
(talos-kubernetes.md §1)."""
RESTARTED_AFTER = 0.1
"""The restart manager's first back-off (§9)."""


class Box:
    """The container. A hand that stops or kills it marks it, and `unless-stopped` obeys (§1)."""

    def __init__(self, clock: Clockwork, cluster: Cluster) -> None:
        self.clock = clock
        self.talos = cluster
        self.id = "7a105c0de000"
        self.there = True
        self.running = False
        """Whether its init runs; Docker's word for it may be older."""
        self.status = "created"
        self.exit_code = 0
        self.error = ""
        self.refusal = ""
        """Why Docker cannot start it, whoever asks."""
        self.oom_killed = False
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.restart_policy = "no"
        self.memory = 0
        self.manually_stopped = False
        self.stopped_event_at: float | None = None
        """When Docker told of a `stop`, if it still knows: its events end with it (§9)."""
        self.ports: tuple[int, ...] = PUBLISHED
        self.heard = 0
        """Counts Docker's events of it."""

    def start_by_hand(self) -> str:
        """`docker start`; Docker's words when it cannot, else ''."""
        self.manually_stopped = False
        if self.running:
            return ""
        if self.refusal:
            self.error = self.refusal
            return self.refusal
        self.started()
        return ""

    def started(self) -> None:
        """Its init runs; the cluster inside comes up by itself."""
        self.running, self.status, self.error = True, "running", ""
        self.started_at, self.stopped_event_at = self.clock.at, None
        self.oom_killed = False
        self.heard += 1
        self.clock.tell("the Talos container starts")
        self.talos.boot()

    def ended(self, exit_code: int) -> None:
        """It is gone, all that ran in it with it, and Docker knows."""
        self.vanished()
        self.lost(exit_code)
        self.clock.tell(f"the Talos container is gone (exit {exit_code})")

    def vanished(self) -> None:
        """It is gone with the VM, and nobody has written it down."""
        self.running = False
        self.talos.halt()

    def lost(self, exit_code: int = 255) -> None:
        """dockerd writes down how it ended; 255 for a task that it does not find (§1)."""
        self.status, self.exit_code, self.finished_at = "exited", exit_code, self.clock.at
        self.heard += 1

    def comes_back(self) -> bool:
        """Whether its policy brings it back when the engine starts."""
        if self.status != "exited" or self.refusal or not self.there:
            return False
        if self.restart_policy == "unless-stopped":
            return not self.manually_stopped
        return self.restart_policy == "always"

    def dies(self, exit_code: int) -> None:
        """Its init ends by itself; the restart manager obeys the policy."""
        self.ended(exit_code)
        self._after_end(RESTARTED_AFTER, self._restarted)

    def _restarted(self) -> None:
        if self.comes_back():
            self.started()

    def kill_by_hand(self) -> None:
        """`docker kill`: the mark of a hand, and no `stop` event."""
        self.manually_stopped = True
        self.ended(137)

    def begin_stop(self, patience: float) -> float:
        """`docker stop -t`; returns how long it takes. It goes on whoever hangs up (§8)."""
        self.manually_stopped = True
        return self._end_politely(patience, self._stopped)

    def _stopped(self) -> None:
        self.stopped_event_at = self.clock.at

    def begin_restart(self, patience: float) -> float:
        """`docker restart -t`: stop, then start; also when it was not running."""
        if not self.running:
            self.start_by_hand()
            return 0.0
        return self._end_politely(patience, lambda: self._after_end(0.2, self._started_again))

    def _started_again(self) -> None:
        if not self.running:
            self.start_by_hand()

    def _end_politely(self, patience: float, then: Callable[[], None]) -> float:
        if not self.running:
            return 0.0
        takes, exit_code = (patience, 137) if patience < SHUTDOWN_TAKES else (SHUTDOWN_TAKES, 130)
        if self.talos.shutting_down:
            # A second SIGTERM is not heard by a machined that hangs in its shutdown (§1).
            takes, exit_code = patience, 137
        self.talos.begin_shutdown()

        def over() -> None:
            self.ended(exit_code)
            then()

        self.talos.life.after(takes, over)
        return takes

    def _after_end(self, seconds: float, happen: Callable[[], None]) -> None:
        finished = self.finished_at

        def if_still_down() -> None:
            if self.finished_at == finished and not self.running:
                happen()

        self.clock.after(seconds, if_still_down)
