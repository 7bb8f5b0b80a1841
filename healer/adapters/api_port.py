"""Where the API server is published: who is asked, in the order of design §10."""

from typing import Final

from healer.ports import EngineEyes, GuestEyes, JournalError, Memory, PortError

API_PORT: Final = "api_port"
"""The word under which the memory keeps it."""
_LARGEST: Final = 65_535


class ApiPort:
    """Docker's binding, else the last one that was ever known, else the VM's own docker by ssh.

    None when nobody knows: the kubeconfig's port is the caller's last resort.
    """

    def __init__(
        self, engine: EngineEyes, guest: GuestEyes, memory: Memory, container_port: int
    ) -> None:
        self._engine = engine
        self._guest = guest
        self._memory = memory
        self._container_port = container_port
        self._last: int | None = None

    async def __call__(self) -> int | None:
        """The port on the Mac."""
        try:
            port = (await self._engine.container()).host_port(self._container_port)
        except PortError:
            return self._remembered() or await self._asked()
        self._learn(port)
        return port

    def _learn(self, port: int | None) -> None:
        """A journal that cannot be written costs the memory, not the look."""
        if port is None or port == self._last:
            return
        self._last = port
        try:
            self._memory.learn(API_PORT, str(port))
        except JournalError:
            return

    def _remembered(self) -> int | None:
        if self._last is not None:
            return self._last
        try:
            known = self._memory.known(API_PORT)
        except JournalError:
            return None
        number = int(known) if known and known.isascii() and known.isdigit() else 0
        return number if 0 < number <= _LARGEST else None

    async def _asked(self) -> int | None:
        try:
            return (await self._guest.facts()).api_port
        except PortError:
            return None
