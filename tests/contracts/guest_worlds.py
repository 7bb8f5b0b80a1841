"""The tests' own sshd, and the simulated VM, as the contract's worlds."""

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from healer.adapters.guest_script import Question
from healer.ports import GuestEyes
from healer.simulation.guest_ports import SimulatedGuest
from healer.simulation.happenings import HAPPENINGS, healthy_tower
from healer.simulation.physics import Tower
from tests.unit.adapters.ssh_door import Door, free_port

Way = Callable[[Door, int | None, Question], GuestEyes]


@dataclass(slots=True)
class DoorWorld:
    """A real ssh to a real sshd, behind which stand-ins are asked."""

    door: Door
    way: Way
    eyes: GuestEyes = field(init=False)

    def __post_init__(self) -> None:
        """Open a healthy door."""
        self.eyes = self.way(self.door, self.door.port, Question("talos", 6443))

    async def lose_engine(self) -> None:
        """Nobody answers on its socket, whoever asks."""
        self.door.play("curl", "exit 28")
        self.door.play("docker", "exit 1")

    async def stop_container(self) -> None:
        """As inspect shows it."""
        self.door.play("docker", "echo exited - 10.5.0.2")
        self.door.play("curl", 'case "$*" in *_ping*) echo OK ;; *) exit 7 ;; esac')

    async def lose_modules(self) -> None:
        """Its file under /proc is gone."""
        (self.door.guest / "bridge").unlink()

    async def close_door(self) -> None:
        """The hostagent names a port on which nobody listens."""
        self.eyes = self.way(self.door, free_port(), Question("talos", 6443))


@dataclass(slots=True)
class SimulatedVmWorld:
    """A tower that has been well for an hour; make it inside a running loop."""

    tower: Tower = field(default_factory=lambda: healthy_tower(anyio.current_time))
    eyes: SimulatedGuest = field(init=False)

    def __post_init__(self) -> None:
        """Look into it."""
        self.eyes = SimulatedGuest(self.tower)

    async def lose_engine(self) -> None:
        """And its containers with it."""
        HAPPENINGS["engine_dies"].befall(self.tower)

    async def stop_container(self) -> None:
        """At once."""
        HAPPENINGS["docker_kill"].befall(self.tower)

    async def lose_modules(self) -> None:
        """Both."""
        HAPPENINGS["module_gone"].befall(self.tower)

    async def close_door(self) -> None:
        """The guest is dead."""
        HAPPENINGS["vm_zombie"].befall(self.tower)
