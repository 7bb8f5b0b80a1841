"""One ssh round trip for every probe that wants to know something of the VM.

Four layers are judged by the same facts; asked one by one they would cost four round trips
of up to 1.6 s (facts/colima.md §8), and on a hung VM four deadlines.
"""

from healer.model.machine import GuestFacts
from healer.ports import Clock, GuestEyes
from healer.probes.shared import Shared


class GuestLook:
    """Implements GuestEyes over other GuestEyes; concurrent and closely following calls share.

    `max_age` in seconds: less than the rest between two looks of a probe, so that every look
    is a look of its own. Failures are shared like answers.
    """

    def __init__(self, guest: GuestEyes, clock: Clock, max_age: float = 1.5) -> None:
        self._banner = Shared(guest.banner, clock, max_age)
        self._facts = Shared(guest.facts, clock, max_age)

    async def banner(self) -> str:
        """The `SSH-2.0-…` line of the true port. Raises TargetIll."""
        return await self._banner()

    async def facts(self) -> GuestFacts:
        """Everything in one round trip. Raises TargetIll, CannotLook."""
        return await self._facts()

    def forget(self) -> None:
        """What was heard is void: an act has changed the world since."""
        self._banner.forget()
        self._facts.forget()
