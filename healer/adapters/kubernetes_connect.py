"""Which port, which context: the connection that reads and writes go through.

The port is Docker's binding, else the last one that answered, else the kubeconfig's. The context
is the one whose CA verifies there and whose node has the container's name, never the
current one: it decided once which cluster was untainted (incidents S22; design §10).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from healer.adapters.certificate import not_after
from healer.adapters.kubeconfig import Context, read_contexts
from healer.adapters.kubernetes_calls import Request, ask
from healer.adapters.kubernetes_client import rest_client
from healer.ports import CannotLook, Denied, NotThere, PortError


@dataclass(frozen=True, slots=True)
class Connection:
    """A chosen context on a port."""

    context: Context
    port: int
    client: Any = field(repr=False)

    @property
    def host(self) -> str:
        """What paths are appended to."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate_ends(self) -> float | None:
        """Epoch seconds."""
        return not_after(self.context.certificate)


class Connector:
    """Chooses a connection, keeps it, and chooses anew when it was doubted."""

    def __init__(
        self, kubeconfig: Path, node: str, port_of: Callable[[], Awaitable[int | None]]
    ) -> None:
        self._kubeconfig = kubeconfig
        self._node = node
        self._port_of = port_of
        self._last_port: int | None = None
        self._chosen: Connection | None = None
        self._read_at: float | None = None

    async def connection(self, deadline: float) -> Connection:
        """The connection to use; raises what keeps every context from being the one."""
        port = await self._port_of() or self._last_port
        changed = self._stamp() != self._read_at
        chosen = self._chosen
        if chosen is not None and not changed and port in {None, chosen.port}:
            return chosen
        await self.close()
        self._read_at = self._stamp()
        contexts = read_contexts(self._kubeconfig)
        self._chosen = await self._choose(contexts, port, deadline)
        self._last_port = self._chosen.port
        return self._chosen

    async def doubt(self) -> None:
        """After a refusal or a certificate that does not verify: choose anew next time."""
        await self.close()

    async def close(self) -> None:
        """Let go of the connection."""
        if self._chosen is not None:
            chosen, self._chosen = self._chosen, None
            await chosen.client.close()

    def _stamp(self) -> float | None:
        try:
            return self._kubeconfig.stat().st_mtime
        except OSError:
            return None

    async def _choose(
        self, contexts: tuple[Context, ...], port: int | None, deadline: float
    ) -> Connection:
        refused: list[PortError] = []
        for context in contexts:
            at = port or context.port
            if at is None:
                continue
            tried = self._made(context, at)
            try:
                await self._is_ours(tried, deadline)
            except (CannotLook, Denied, NotThere) as error:
                refused.append(error)
            except BaseException:
                await tried.client.close()
                raise
            else:
                return tried
            await tried.client.close()
        raise self._none_fits(refused, port)

    def _made(self, context: Context, port: int) -> Connection:
        try:
            return Connection(context, port, rest_client(context, port))
        except (OSError, ValueError) as error:
            # ssl.SSLError is an OSError; its text names no key.
            place = f"kubeconfig {self._kubeconfig}"
            detail = f"the certificates of context {context.name} cannot be loaded: {error}"
            raise CannotLook(place, detail) from error

    async def _is_ours(self, tried: Connection, deadline: float) -> None:
        """Our node by name: NotThere means that it is another cluster."""
        request = Request("GET", f"/api/v1/nodes/{self._node}")
        await ask(tried.client, tried.host, request, deadline)

    def _none_fits(self, refused: list[PortError], port: int | None) -> PortError:
        """A cluster that refuses us is alive; anything else means that we cannot look."""
        denied = next((one for one in refused if isinstance(one, Denied)), None)
        if denied is not None:
            return denied
        if refused and all(isinstance(one, NotThere) for one in refused):
            return NotThere(f"API on port {port}", f"it knows no node {self._node}")
        said = "; ".join(str(one) for one in refused) or "no context names a port"
        return CannotLook(
            f"kubeconfig {self._kubeconfig}",
            f"no context fits the server on port {port}: {said}; "
            f"write it anew: talosctl kubeconfig {self._kubeconfig}",
        )
