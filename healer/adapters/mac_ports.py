"""The Mac's own ports: who has one, and whether somebody accepts there."""

import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import anyio

_SECONDS: Final = 3.0
_KINDS: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_PLACES: Final = ("127.0.0.1", "0.0.0.0")  # noqa: S104  (tried for an instant, never listened on)


class MacPorts:
    """hotadd.asking.Mac."""

    def __init__(self, commands: Callable[[int], Awaitable[Sequence[str]]]) -> None:
        """`commands`: of the processes that listen on a tcp port, as Listeners tells."""
        self._commands = commands

    async def holder(self, port: int, protocol: str) -> str:
        """Who has it; '' = nobody. Another user's listener is seen by binding only."""
        found = await self._commands(port) if protocol == "tcp" else ()
        if found:
            return found[0] or "a process that cannot be named"
        for place in _PLACES:
            why = _refused(port, protocol, place)
            if why:
                return f"somebody ({why})"
        return ""

    async def accepts(self, port: int) -> bool:
        """Whether somebody accepts a connection."""
        try:
            with anyio.fail_after(_SECONDS):
                stream = await anyio.connect_tcp("127.0.0.1", port)
            await stream.aclose()
        except (OSError, TimeoutError):
            return False
        return True


def _refused(port: int, protocol: str, place: str) -> str:
    with socket.socket(socket.AF_INET, _KINDS[protocol]) as tried:
        try:
            tried.bind((place, port))
        except PermissionError:
            return ""  # below 1024 only root may, which says nothing of others
        except OSError as error:
            return error.strerror or "cannot be bound"
    return ""
