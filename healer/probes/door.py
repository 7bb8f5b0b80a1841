"""The door to docker.sock: nobody connects while that would start a dockerd that was stopped.

docker.socket stays active after `systemctl stop docker.service`, so systemd starts dockerd anew at
the first connect, from the Mac or in the VM, and undoes what a human or Colima has just done.
"""

from typing import Final

import anyio

from healer.model.machine import GuestFacts, Unit
from healer.ports import Clock, GuestEyes, NotAsked, PortError, TargetSilent

MOMENT: Final = 0.5
"""Seconds for which the unit's state is believed while nobody would hear of a change: several looks
wait for one answer and go on together."""
HEARD: Final = 60.0
"""Seconds for which it is believed while a stream of Docker's events is open, whose end, and the
end of each container before it, voids it."""
PATIENCE: Final = 5.0
"""Seconds that a look at Docker waits for the VM's word when nothing says that dockerd is down; a
VM that is silent for longer must not keep docker.sock from being a witness of its own."""


class EngineDoor:
    """ports.GuestEyes that remember docker.service, and ports.EngineDoor by what they remember."""

    def __init__(self, guest: GuestEyes, clock: Clock) -> None:
        self._guest = guest
        self._clock = clock
        self._unit: Unit | None = None
        self._began = self._seen = float("-inf")
        """When the question began whose answer that was, and when the answer came."""
        self._void_before = float("-inf")
        self._failed = float("-inf")
        self._streams = 0
        self._asking = anyio.Lock()
        self._flying: anyio.Event | None = None

    async def banner(self) -> str:
        """The `SSH-2.0-…` line of the true port."""
        return await self._guest.banner()

    async def facts(self) -> GuestFacts:
        """Everything in one round trip; whoever asks, the door has it too."""
        began, flying = self._clock.now(), anyio.Event()
        self._flying = flying
        try:
            facts = await self._guest.facts()
        finally:
            flying.set()
        if began >= self._began:
            self._began, self._seen, self._unit = began, self._clock.now(), facts.docker
        return facts

    async def enter(self, place: str) -> None:
        """Return when a connect starts nothing. Raises NotAsked.

        When the VM cannot be asked, what was seen last decides: asleep stays asleep.
        """
        failure: PortError | None = None
        if not self._is_known():
            async with self._asking:
                if not self._is_known():
                    failure = await self._ask()
        unit = self._unit
        if unit is None or not unit.sleeps:
            return
        state = f"docker.service is {unit.active} in the VM"
        if failure is not None:
            state = f"docker.service was {unit.active} when the VM last answered ({failure})"
        raise NotAsked(place, f"{state}, and docker.socket would start it: not asked")

    def listening(self, *, begins: bool) -> None:
        """A stream of events has begun or ended."""
        self._streams += 1 if begins else -1
        self.forget()

    def forget(self) -> None:
        """What was known is void."""
        self._void_before = self._clock.now()

    def _is_known(self) -> bool:
        """Whether the last answer is young enough; of a unit that sleeps none is."""
        if self._unit is None or self._unit.sleeps or self._began < self._void_before:
            return False
        return self._clock.now() - self._seen <= (HEARD if self._streams else MOMENT)

    async def _ask(self) -> PortError | None:
        """Ask, or wait for whoever is asking; why there is no answer, if there is none."""
        asleep = self._unit is not None and self._unit.sleeps
        if not asleep and self._clock.now() - self._failed <= MOMENT:
            return None
        failure: PortError | None = TargetSilent("the VM", f"no answer within {PATIENCE:g} s")
        with anyio.move_on_after(None if asleep else PATIENCE):
            if self._flying is not None:
                await self._flying.wait()
            failure = None if self._is_known() else await self._asked()
        if failure is not None:
            self._failed = self._clock.now()
        return failure

    async def _asked(self) -> PortError | None:
        try:
            await self.facts()
        except PortError as error:
            return error
        return None
