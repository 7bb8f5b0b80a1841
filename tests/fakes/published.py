"""Published ports as the Mac meets them: Lima's master listens, or nobody does."""

from healer.ports import TargetIll
from tests.fakes.faulty import Faulty
from tests.fakes.forward import FakeForward


class FakePublished(Faulty):
    """Implements PortEyes over what the master carries; a silent one is a fault of `speak`."""

    def __init__(self, forward: FakeForward) -> None:
        super().__init__()
        self._forward = forward

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """Refuses what is not carried."""
        del protocol, path
        await self.meet("speak")
        if port not in self._forward.ports:
            raise TargetIll(f"port {port}", "Connection refused")
        return expect

    async def listener_is_ours(self, port: int) -> bool:
        """Only Lima listens here."""
        await self.meet("listener_is_ours")
        return port in self._forward.ports
