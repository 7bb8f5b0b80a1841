"""A human who works on the tower meanwhile, with commands that the process list shows."""

from collections.abc import Callable

from healer.simulation.box import Box
from healer.simulation.clockwork import Clockwork
from healer.simulation.dockerd import STOP_PATIENCE
from healer.simulation.mac import Mac, Operation
from healer.simulation.machine import CLEAN_STOP_TAKES, START_DONE_AFTER, Machine

Holds = Callable[[], bool]
"""Whether what a human set still is so."""
NODE = "joelclaw-controlplane-1"
"""The container's name, and so the node's (talos-kubernetes.md §1)."""


class Human:
    """Types commands; what they set is theirs, and nobody may undo it (I15)."""

    def __init__(self, clock: Clockwork, mac: Mac, machine: Machine, box: Box) -> None:
        self.clock = clock
        self.mac = mac
        self.machine = machine
        self.box = box
        self.wishes: dict[str, Holds] = {}
        """What a human set, in words."""
        self._stopped_vm: tuple[float, int] | None = None
        """When a human's stop of the VM was over, and which life of the VM it ended."""

    def undone(self) -> tuple[str, ...]:
        """Wishes that somebody has undone."""
        return tuple(name for name, holds in self.wishes.items() if not holds())

    @property
    def stopped_vm_at(self) -> float | None:
        """When a human's stop of the VM was over, if it has been off ever since."""
        if self._stopped_vm is None or self._stopped_vm[1] != self.machine.life:
            return None
        return self._stopped_vm[0]

    def stop_vm(self) -> None:
        """`colima stop`."""
        stopping = any(one.command == "colima stop" for one in self.mac.operations)
        if not (self.machine.on and self.machine.begin_stop()):
            return
        self._for(CLEAN_STOP_TAKES, self.mac.begin("colima stop"))
        ended = self.machine.life + 1  # by this very stop, and by nothing else that befalls it

        def stopped() -> None:
            if not stopping and not self.machine.on and self.machine.life == ended:
                self._stopped_vm = self.clock.at, ended

        self.clock.after(CLEAN_STOP_TAKES, stopped)

    def start_vm(self) -> None:
        """`colima start`; of a running VM it does nothing (facts/colima.md §1.5)."""
        if not self.machine.on and not self.machine.refusal():
            self._for(START_DONE_AFTER, self.mac.begin("colima start"))
            self.machine.power_on()
            self.clock.tell("somebody starts the VM")

    def restart_vm(self) -> None:
        """`colima restart`: stop, a pause of 3 s, start (§1.6)."""
        if not (self.machine.on and self.machine.begin_stop()):
            return
        operation = self.mac.begin("colima restart")

        def start() -> None:
            if not self.machine.on and operation in self.mac.operations:
                self.machine.power_on()
                self._for(START_DONE_AFTER, operation)

        self.clock.after(CLEAN_STOP_TAKES + 3.0, start)

    def stop_container(self, patience: float = STOP_PATIENCE) -> None:
        """`docker stop`; Docker goes on with it whoever hangs up."""
        if self.machine.dockerd.up:
            takes = self.box.begin_stop(patience)
            self._for(takes, self.mac.begin(f"docker stop {NODE}"))
            self.clock.tell("somebody stops the container")

    def restart_container(self, patience: float = STOP_PATIENCE) -> None:
        """`docker restart`."""
        if self.machine.dockerd.up:
            takes = self.box.begin_restart(patience)
            self._for(takes + 0.5, self.mac.begin(f"docker restart {NODE}"))
            self.clock.tell("somebody restarts the container")

    def _for(self, seconds: float, operation: Operation) -> None:
        self.clock.after(seconds, lambda: self.mac.end(operation))
