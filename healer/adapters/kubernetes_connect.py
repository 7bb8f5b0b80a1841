"""Which port, which context: the connection that reads and writes go through.

The port is Docker's binding, else the last one that answered, else the kubeconfig's. The context
is the one whose CA verifies there and whose node has the container's name, never the
current one: it decided once which cluster was untainted (incidents S22; design §10).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import anyio

from healer.adapters.certificate import not_after
from healer.adapters.kubeconfig import Context, Kubeconfig, read_kubeconfig
from healer.adapters.kubernetes_calls import Request, ask
from healer.adapters.kubernetes_client import rest_client
from healer.ports import CannotLook, Denied, NotThere, PortError, TargetIll

_CLOSING: Final = 1.0
"""Seconds that letting go of a connection may take."""


@dataclass(slots=True, eq=False)
class Connection:
    """A chosen context on a port, and how many requests are using it."""

    context: Context
    port: int
    client: Any = field(repr=False)
    users: int = 0
    retired: bool = False

    @property
    def host(self) -> str:
        """What paths are appended to."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate_ends(self) -> float | None:
        """Epoch seconds."""
        return not_after(self.context.certificate)

    async def close(self) -> None:
        """Let go of it, also when the caller is being cancelled."""
        with anyio.move_on_after(_CLOSING, shield=True):
            await self.client.close()


class Connector:
    """Chooses a connection, lends it, and chooses anew when it was doubted."""

    def __init__(
        self,
        kubeconfig: Path,
        node: str,
        port_of: Callable[[], Awaitable[int | None]],
        deadline: float,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._node = node
        self._port_of = port_of
        self._deadline = deadline
        self._last_port: int | None = None
        self._port_doubted = False
        self._chosen: Connection | None = None
        self._read_at: tuple[int, int] | None = None
        self._choosing = anyio.Lock()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        """A connection for one request; what the request meets decides whether to keep it.

        Raises what keeps every context from being the one.
        """
        async with self._choosing:
            connection = await self._current()
        connection.users += 1
        try:
            yield connection
        except (Denied, CannotLook):
            # Refused, or a certificate that does not verify: perhaps it is another cluster now.
            await self._retire(connection)
            raise
        except TargetIll:
            self._port_doubted = True
            raise
        finally:
            connection.users -= 1
            await _close_if_over(connection)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._chosen is not None:
            await self._retire(self._chosen)

    async def _retire(self, connection: Connection) -> None:
        """Lend it no more, and close it when its last user is done."""
        connection.retired = True
        if self._chosen is connection:
            self._chosen = None
        await _close_if_over(connection)

    async def _current(self) -> Connection:
        stamp = self._stamp()
        if self._chosen is not None and not self._port_doubted and stamp == self._read_at:
            return self._chosen
        port = await self._port()
        if self._chosen is not None and stamp == self._read_at and port == self._chosen.port:
            self._port_doubted = False
            return self._chosen
        await self.close()
        kubeconfig = read_kubeconfig(self._kubeconfig)
        self._chosen = await self._choose(kubeconfig, port)
        self._read_at, self._last_port = stamp, self._chosen.port
        self._port_doubted = False
        return self._chosen

    async def _port(self) -> int | None:
        """Docker's silence is not the API's: past the deadline the last port has to do."""
        port = None
        with anyio.move_on_after(self._deadline / 2):
            port = await self._port_of()
        return port or self._last_port

    def _stamp(self) -> tuple[int, int] | None:
        """Changes when the file is written anew or replaced."""
        try:
            found = self._kubeconfig.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    async def _choose(self, kubeconfig: Kubeconfig, port: int | None) -> Connection:
        refused: list[PortError] = list(kubeconfig.unusable)
        for context in kubeconfig.contexts:
            at = port or context.port
            if at is None:
                continue
            tried = self._made(context, at)
            try:
                await self._is_ours(tried)
            except PortError as error:
                refused.append(error)
            except BaseException:
                await tried.close()
                raise
            else:
                return tried
            await tried.close()
            if port is not None and isinstance(refused[-1], TargetIll):
                # The others would ask the very same listener.
                break
        raise self._none_fits(refused, port)

    def _made(self, context: Context, port: int) -> Connection:
        try:
            return Connection(context, port, rest_client(context, port))
        except (OSError, ValueError) as error:
            # ssl.SSLError is an OSError; its text names no key.
            place = f"kubeconfig {self._kubeconfig}"
            detail = f"the certificates of context {context.name} cannot be loaded: {error}"
            raise CannotLook(place, detail) from error

    async def _is_ours(self, tried: Connection) -> None:
        """Our node by name: NotThere means that it is another cluster."""
        request = Request("GET", f"/api/v1/nodes/{self._node}")
        await ask(tried.client, tried.host, request, self._deadline)

    def _none_fits(self, refused: list[PortError], port: int | None) -> PortError:
        """What no other cluster can have said comes first: ill, then refusing, then unknown."""
        for kind in (TargetIll, Denied):
            found = next((one for one in refused if isinstance(one, kind)), None)
            if found is not None:
                return found
        said = "; ".join(_why(one, self._node) for one in refused) or "no context names a port"
        where = "" if port is None else f" on port {port}"
        return CannotLook(
            f"kubeconfig {self._kubeconfig}",
            f"no context fits the server{where}: {said}; "
            f"write it anew: talosctl kubeconfig {self._kubeconfig}",
        )


async def _close_if_over(connection: Connection) -> None:
    if connection.retired and connection.users == 0:
        await connection.close()


def _why(error: PortError, node: str) -> str:
    return f"it knows no node {node}" if isinstance(error, NotThere) else str(error)
