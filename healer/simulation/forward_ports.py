"""Lima's mux and what it carries, as ports."""

from collections.abc import Sequence

import anyio

from healer.model.machine import Mux, MuxState
from healer.ports import ActFailed, EngineDoor
from healer.simulation.answering import answer
from healer.simulation.forwards import Way
from healer.simulation.physics import Tower


class SimulatedForward:
    """Lima's mux, seen from outside it."""

    def __init__(self, tower: Tower, door: EngineDoor | None = None) -> None:
        self._tower = tower
        self._door = door

    async def mux(self) -> Mux:
        """Whether a master lives."""
        await answer(self._tower, "ssh -O check", 0.02)
        forwards = self._tower.forwards
        state = forwards.mux()
        if state is MuxState.WEDGED:
            await anyio.sleep(5.0)
            self._tower.now()
        elif state is MuxState.LIVE:
            if self._door is not None:
                await self._door.enter("docker.sock")
            if self._tower.machine.to_socket() is Way.OPEN:
                self._tower.dockerd.touched()
        return Mux(state, forwards.mux_pid)


class SimulatedForwardHands:
    """Lima's forwards, made anew."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def reforward(self, ports: Sequence[tuple[str, int]]) -> str:
        """Works when the VM does, and its master is not wedged (facts/colima.md §3, §4)."""
        await anyio.sleep(0.5)
        tower = self._tower
        tower.now()
        if tower.machine.to_ssh() is not Way.OPEN:
            raise ActFailed("ssh lima", "no master could be made: Connection refused")
        if tower.forwards.wedged:
            await anyio.sleep(10.0)
            tower.now()
            raise ActFailed("ssh -O forward", "no answer within 10 s")
        tower.forwards.restore_socket()
        tower.forwards.lost.difference_update(port for _, port in ports)
        tower.changed()
        return f"docker.sock forwarded anew, and {len(ports)} ports"

    async def term_mux(self) -> str:
        """The master goes, and with it what it carried."""
        await anyio.sleep(0.2)
        tower = self._tower
        tower.now()
        if tower.forwards.mux_pid is None:
            return "there was no master any more"
        if tower.machine.to_socket() is Way.OPEN:
            tower.wrong("the mux was ended while it carried")
        tower.forwards.mux_ends()
        tower.changed()
        return "the master is gone"
