"""The Docker engine in the VM, its service unit, and the socket unit that starts it."""

from healer.simulation.box import Box
from healer.simulation.clockwork import Clockwork

STOP_PATIENCE = 10.0
"""Seconds that Docker gives a container without a StopTimeout."""


class Dockerd:
    """dockerd. Its unit's KillMode is `process`: containers outlive a crash of the engine."""

    def __init__(self, clock: Clockwork, box: Box) -> None:
        self.clock = clock
        self.box = box
        self.up = False
        """It answers."""
        self.hangs = False
        """It accepts, and says nothing."""
        self.unit = "inactive"
        self.result = "success"
        self.socket = False
        """docker.socket is active: a connect starts the engine."""
        self.stopped_by_hand = False
        self.inactive_since: float | None = None
        self.began_at: float | None = None
        """When this dockerd was started."""
        self.run = 0
        """Counts its starts: a stop that is under way ends with its engine."""
        self.data_mounted = False
        """The data disk lies over its folder; until then that folder is empty."""
        self.has_data = False
        """This dockerd was started on the mounted folder: it knows its containers."""
        self.revived: list[float] = []
        """When a mere connect undid somebody's stop."""

    def comes_up(self) -> None:
        """It starts: a container that ran on without it is ended, then policies are obeyed.

        It is ended as by `docker stop`, so `unless-stopped` does not bring it back.
        """
        if self.up:
            return
        self.run += 1
        self.hangs = False
        self.up, self.unit, self.result, self.inactive_since = True, "active", "success", None
        self.socket, self.stopped_by_hand = True, False
        self.began_at, self.has_data = self.clock.at, self.data_mounted
        if not self.has_data:
            return
        box = self.box
        box.stopped_event_at = None
        if box.running:
            box.ended(137)
            box.manually_stopped, box.stopped_event_at = True, self.clock.at
        elif box.status == "running":
            box.lost()
        if box.comes_back():
            box.started()

    def touched(self) -> None:
        """Somebody connects to docker.sock, which is systemd's while the engine is down."""
        if self.up or self.hangs or not self.socket or self.unit == "activating":
            return
        if self.stopped_by_hand:
            self.revived.append(self.clock.at)
            self.clock.tell("HARM: a connect to docker.sock undid somebody's stop of docker")
        self.comes_up()

    def boots(self) -> None:
        """The VM is switched on: the socket unit is up, the data disk not mounted yet."""
        self.socket, self.data_mounted = True, False

    def provisioned(self) -> None:
        """Colima stops it, to mount the data disk over its folder; its socket unit stays."""
        self.up, self.unit, self.result = False, "inactive", "success"
        self.inactive_since = self.clock.at
        if self.box.running:
            self.box.ended(137)

    def mounted(self) -> None:
        """The data disk lies over its folder."""
        self.data_mounted = True

    def gone(self) -> None:
        """The VM is gone; what the container was is told at the next start."""
        self.up, self.unit, self.result = False, "inactive", "success"
        self.socket = self.stopped_by_hand = self.hangs = False
        self.inactive_since = None
        if self.box.running:
            self.box.vanished()

    def dies(self, *, alone: bool) -> None:
        """It crashed, and systemd has given up on it and on its socket; alone, or with all."""
        self.up, self.unit, self.result, self.socket = False, "failed", "exit-code", False
        self.inactive_since = self.clock.at
        if self.box.running and not alone:
            self.box.vanished()
        self.clock.tell("dockerd is dead")

    def crashes(self) -> None:
        """It crashed, its container runs on, and systemd will start it anew."""
        self.up, self.unit, self.result = False, "activating", "signal"
        self.clock.tell("dockerd has crashed; systemd starts it anew")

    def freezes(self) -> None:
        """It is stopped by a signal; its containers, and its unit's state, are as they were."""
        self.up, self.hangs = False, True
        self.clock.tell("dockerd is frozen")

    def shut_down(self) -> None:
        """`systemctl stop docker.service`: containers get ten seconds; its socket unit stays."""
        self.up, self.unit, self.result = False, "inactive", "success"
        self.inactive_since = self.clock.at
        if self.box.running:
            self.box.talos.begin_shutdown()
            self.box.ended(137)
        self.clock.tell("docker is stopped in the VM")

    def restart(self) -> None:
        """`systemctl restart docker`, which starts a stopped one."""
        if self.up:
            self.shut_down()
        self.comes_up()
        self.clock.tell("docker was started in the VM")
