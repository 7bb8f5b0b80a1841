"""The Docker engine in the VM and its service unit."""

from healer.simulation.box import Box
from healer.simulation.clockwork import Clockwork

STOP_PATIENCE = 10.0
"""Seconds that Docker gives a container without a StopTimeout (talos-kubernetes.md §1)."""


class Dockerd:
    """dockerd. Its unit's KillMode is `process`: containers outlive a crash of the engine."""

    def __init__(self, clock: Clockwork, box: Box) -> None:
        self.clock = clock
        self.box = box
        self.up = False
        self.unit = "inactive"
        self.result = "success"
        self.inactive_since: float | None = None
        self.run = 0
        """Counts its starts: a stop that is under way ends with its engine."""

    def comes_up(self) -> None:
        """It starts: what ran without it is killed, then policies are obeyed (§1)."""
        if self.up:
            return
        self.run += 1
        self.up, self.unit, self.result, self.inactive_since = True, "active", "success", None
        self.box.stopped_event_at = None
        if self.box.running:
            self.box.ended(137)
        elif self.box.status == "running":
            self.box.lost()
        if self.box.comes_back():
            self.box.started()

    def provisioned(self) -> None:
        """Colima restarts it in the middle of a start (facts/colima.md §8)."""
        self.up = False
        if self.box.running:
            self.box.ended(137)

    def gone(self) -> None:
        """The VM is gone; what the container was is told at the next start (§1)."""
        self.up, self.unit, self.result = False, "inactive", "success"
        self.inactive_since = None
        if self.box.running:
            self.box.vanished()

    def dies(self, *, alone: bool) -> None:
        """It crashed, and systemd has given up on it; alone, or with its containers."""
        self.up, self.unit, self.result = False, "failed", "exit-code"
        self.inactive_since = self.clock.at
        if self.box.running and not alone:
            self.box.vanished()
        self.clock.tell("dockerd is dead")

    def shut_down(self) -> None:
        """`systemctl stop docker`: containers get their ten seconds at the most."""
        self.up, self.unit, self.result = False, "inactive", "success"
        self.inactive_since = self.clock.at
        if self.box.running:
            self.box.talos.begin_shutdown()
            self.box.ended(137)
        self.clock.tell("docker is stopped in the VM")

    def restart(self) -> None:
        """`systemctl restart docker`."""
        if self.up:
            self.shut_down()
        self.comes_up()
        self.clock.tell("docker was restarted in the VM")
