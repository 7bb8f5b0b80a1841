"""The Mac's own ports: whether one is taken, and whether somebody accepts there."""

import errno
import socket
from typing import Final

import anyio

_SECONDS: Final = 3.0
_KINDS: Final = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
_PLACES: Final = ("127.0.0.1", "0.0.0.0", "::1")  # noqa: S104  (tried for an instant, never listened on)


class MacPorts:
    """hotadd.asking.Mac."""

    async def holder(self, port: int, protocol: str) -> str:
        """What says that somebody has it, and how to see who; '' = nobody.

        Tried by binding, which sees every user's listener and looks at no process.
        """
        for place in _PLACES:
            why = _refused(port, protocol, place)
            if why:
                return f"somebody ({why}: lsof -nP -i{protocol.upper()}:{port} shows who)"
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
    family = socket.AF_INET6 if ":" in place else socket.AF_INET
    try:
        with socket.socket(family, _KINDS[protocol]) as tried:
            tried.bind((place, port))
    except OSError as error:
        # All else says nothing of others: below 1024 only root may, and IPv6 may be off.
        if error.errno == errno.EADDRINUSE:
            return error.strerror or "is in use"
    return ""
