"""The VM's kernel modules."""

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.model.verdicts import missing_modules
from healer.ports import GuestEyes, GuestHands


class LoadModules:
    """Load br_netfilter and vxlan, and keep them over a reboot."""

    remedy = Remedy.LOAD_MODULES

    def __init__(self, guest: GuestEyes, hands: GuestHands) -> None:
        self._guest = guest
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while one of them is missing."""
        del act
        missing = missing_modules(await self._guest.facts())
        return "" if missing else "both modules are loaded"

    async def act(self, act: Act) -> str:
        """Load and persist both."""
        del act
        return await self._hands.load_modules()
