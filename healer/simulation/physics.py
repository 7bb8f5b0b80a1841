"""The simulated tower: its parts put together, and what is true of the whole.

A healthy tower is built, then things are done to it (`happenings.py`); every change that takes
time is an event in the clockwork's queue. Ports let due events happen before they answer.
Durations are those seen on the real parts; each names its fact.
"""

from collections.abc import Callable, Mapping
from random import Random

from healer.core.tower import Layer
from healer.model.machine import Forwarder
from healer.simulation.box import Box
from healer.simulation.clockwork import Clockwork, Told
from healer.simulation.cluster import Cluster
from healer.simulation.dockerd import Dockerd
from healer.simulation.ears import Ears
from healer.simulation.forwards import Forwards
from healer.simulation.human import Human
from healer.simulation.jobs import CADDY, Launchd
from healer.simulation.kernel import Kernel
from healer.simulation.mac import Mac
from healer.simulation.machine import Machine
from healer.simulation.objects import ApiObjects, Snapshot
from healer.simulation.troubles import Troubles
from healer.simulation.truth import Truth
from healer.simulation.workloads import Workload

REBOOT_TAKES = 30.0
"""Seconds from the end of the VM to the Mac's next boot."""


class Tower:
    """Everything from the Mac's disk to LiveKit's probes.

    `awake` reads a clock of virtual seconds that begins with the run; chance is drawn from
    `random` alone, so two towers of one seed to which the same is done are the same.
    """

    def __init__(
        self,
        awake: Callable[[], float],
        random: Random | None = None,
        forwarder: Forwarder = Forwarder.GRPC,
    ) -> None:
        self.random = random or Random(0)  # noqa: S311  (a seeded world, not a secret)
        self.clock = clock = Clockwork(awake)
        self.mac = Mac(clock)
        self.launchd = Launchd(clock)
        self.kernel = Kernel()
        self.forwards = Forwards(forwarder)
        self.cluster = Cluster(clock, self.kernel)
        self.box = Box(clock, self.cluster)
        self.dockerd = Dockerd(clock, self.box)
        self.machine = Machine(clock, self.mac, self.kernel, self.forwards, self.dockerd)
        self.human = Human(clock, self.mac, self.machine, self.box)
        self.troubles = Troubles(clock, self.random)
        self.ears = Ears(clock, self.machine, self.troubles)
        self.objects = ApiObjects(clock, self.cluster)
        self.old_lists: Snapshot | None = None
        """What the API answers from while its reads are stale."""
        self.harm: list[Told] = []
        """What somebody did that should never have been done, as far as physics can tell."""
        self._truth = Truth(self.mac, self.machine, self.box, self.troubles, self.launchd)
        clock.changed = self.changed

    def now(self) -> float:
        """Virtual seconds since the run began; what is due by then has happened."""
        return self.clock.now()

    def changed(self) -> None:
        """Something was done, or has happened: the truth is taken, and news goes out."""
        self._truth.look(self.clock.at)
        self.ears.notice()

    def truth(self, now: float) -> Mapping[Layer, float]:
        """Since when each layer has truly been well; a layer that is ill is absent."""
        return self._truth.look(now)

    @property
    def well(self) -> bool:
        """Whether every layer is truly well now."""
        return len(self._truth.look(self.clock.at)) == len(Layer)

    @property
    def happened(self) -> list[Told]:
        """What really happened, for the timeline."""
        return self.clock.happened

    def tell(self, what: str) -> None:
        """Note what really happened."""
        self.clock.tell(what)

    def wrong(self, what: str) -> None:
        """Note a deed that did harm."""
        self.harm.append(Told(self.clock.at, what))
        self.clock.tell(f"HARM: {what}")

    def undone(self) -> tuple[str, ...]:
        """What a human had set and somebody has undone."""
        revived = [f"docker's stop, at {at:.0f} s" for at in self.dockerd.revived]
        return (*self.human.undone(), *revived)

    @property
    def caddy_runs(self) -> bool:
        """Whether there is a Caddy: launchd's job, or one that somebody runs without it."""
        job = self.launchd.jobs.get(CADDY)
        return self.mac.front.caddy if job is None else job.pid is not None

    @property
    def workloads(self) -> list[Workload]:
        """Everything that runs in the cluster but flannel."""
        return self.cluster.kubelet.workloads

    def sleep(self, seconds: float) -> None:
        """The Mac sleeps; the VM's clock is behind when it wakes (facts/colima.md §5)."""
        self.clock.sleep(seconds)
        if self.machine.on:
            self.machine.fall_behind(seconds)
        self.changed()

    def mac_reboots(self, ago: float = 0.0) -> None:
        """Everything that ran is gone; pid files and sockets of the life before stay (§2)."""
        if self.machine.on:
            self.machine.power_cut()
        self.mac.boot()
        self.mac.booted_at -= ago
        self.launchd.boot()
        self.machine.logged_at = min(self.machine.logged_at, self.mac.booted_at - REBOOT_TAKES)
        self.machine.leftovers_stale = bool(self.machine.leftovers)
        self.tell("the Mac has rebooted: the VM is off, its files are left behind")
