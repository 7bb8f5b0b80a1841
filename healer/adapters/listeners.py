"""On which of the Mac's ports our VM's processes listen."""

from dataclasses import dataclass
from typing import Final

import anyio

from healer.adapters.process_table import listening_ports
from healer.model.identity import Ours
from healer.ports import HostEyes

TOGETHER: Final = 0.5
"""Seconds within which questions share one look: a round asks of seven ports at once."""


@dataclass(frozen=True, slots=True)
class _Seen:
    began: float
    ports: frozenset[int]


class Listeners:
    """Asks hostagent, usernet and mux alone: a look at every process can take minutes."""

    def __init__(self, host: HostEyes, ours: Ours) -> None:
        self._host = host
        self._ours = ours
        self._asking = anyio.Lock()
        self._seen: _Seen | None = None

    async def is_ours(self, port: int) -> bool:
        """Whether one of them listens there. Raises CannotLook."""
        asked = anyio.current_time()
        async with self._asking:
            if self._seen is None or asked - self._seen.began > TOGETHER:
                self._seen = await self._look()
            return port in self._seen.ports

    async def _look(self) -> _Seen:
        began = anyio.current_time()
        processes = await self._host.processes()
        pids = [one.pid for one in processes if self._ours.listens_for_vm(one)]
        return _Seen(began, await listening_ports(pids))
