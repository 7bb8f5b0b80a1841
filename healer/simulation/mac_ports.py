"""The Mac's clock, and the Mac itself, as ports."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import anyio

from healer.model.identity import USERNET_PID, Ours
from healer.model.machine import ColimaPaths, ProcessInfo
from healer.simulation.answering import answer
from healer.simulation.physics import Tower

OURS: Final = 311
"""healer's own process there: that of whoever plays would be a stranger's, and in a container it
is 1, the parent of all."""
_UID: Final = 501
_LIMA: Final = Path("/Users/joel/.colima/_lima")
OUR_PROCESSES: Final = Ours(_UID, ColimaPaths(_LIMA.parent), frozenset({_LIMA}))


def _of_others() -> tuple[ProcessInfo, ...]:
    """Towers of another user, another profile and another Lima root, all of them at work."""
    ann, own_lima = Path("/Users/ann/.colima/_lima"), Path("/Users/joel/.lima")
    usernet = f"limactl usernet -p {ann / USERNET_PID}"
    return (
        *(ProcessInfo(9_400 + one, 1, _UID + 1, 9_000.0, usernet) for one in range(3)),
        ProcessInfo(9_410, 1, _UID + 1, 60.0, "colima start"),
        ProcessInfo(9_420, 1, _UID, 60.0, "colima start work", _LIMA),
        ProcessInfo(9_430, 1, _UID, 60.0, "limactl start colima", own_lima),
    )


_OTHERS: Final = _of_others()


class SimulatedClock:
    """The tower's virtual time."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._clock = tower.clock

    def now(self) -> float:
        """Virtual seconds."""
        return self._clock.now()

    def awake(self) -> float:
        """Virtual seconds without the Mac's sleep."""
        return self._clock.awake()

    def wall(self) -> float:
        """Virtual epoch seconds."""
        return self._clock.wall()

    def boot_id(self) -> str:
        """Names this boot of the Mac."""
        return f"boot-{self._tower.mac.boots}"

    async def sleep(self, seconds: float) -> None:
        """Wait on virtual time."""
        await anyio.sleep(seconds)


@cache
def _homebrew(name: str) -> Path:
    return Path("/opt/homebrew/bin") / name


class SimulatedHost:
    """A Mac with everything installed, until something is taken away."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    def tool(self, name: str) -> Path | None:
        """Where Homebrew has it."""
        return None if name in self._tower.mac.missing else _homebrew(name)

    async def processes(self) -> Sequence[ProcessInfo]:
        """What belongs to the VM, whoever else is at work on it, and other people's towers."""
        await answer(self._tower, "process list", 0.02)
        return (*self._of_lima(), *self._in_front(), *self._at_work(), *_OTHERS)

    def _of_lima(self) -> Sequence[ProcessInfo]:
        tower = self._tower
        machine, mux = tower.machine, tower.forwards.mux_pid
        found = [
            ProcessInfo(11_000 + one, 1, _UID, 60.0, f"limactl usernet -p {_LIMA / USERNET_PID}")
            for one in range(tower.mac.usernets)
        ]
        if machine.hostagent:
            command = f"limactl hostagent --pidfile {_LIMA}/colima/ha.pid --socket ha.sock colima"
            found.append(ProcessInfo(machine.pid, 1, _UID, self._age(machine.booted_at), command))
        if mux is not None:
            command = f"ssh: {_LIMA}/colima/ssh.sock [mux]"
            found.append(ProcessInfo(mux, 1, _UID, self._age(machine.booted_at), command))
        return found

    def _in_front(self) -> Sequence[ProcessInfo]:
        mac = self._tower.mac
        command = "/opt/homebrew/bin/caddy run --config /Users/joel/.local/caddy/Caddyfile"
        age = self._tower.clock.at - mac.booted_at
        return [ProcessInfo(9_347, 1, _UID, age, command)] if self._tower.caddy_runs else []

    def _at_work(self) -> Sequence[ProcessInfo]:
        return [
            ProcessInfo(one.pid, 1, _UID, self._age(one.began), one.command)
            for one in self._tower.mac.operations
        ]

    def _age(self, began: float) -> float:
        """A Mac notes a process's start by the wall clock, and so a clock that is set ages it."""
        clock = self._tower.clock
        return max(0.0, clock.wall() - clock.wall(began))

    def boot_time(self) -> float:
        """Epoch seconds; it moves with the wall clock when that is set."""
        clock = self._tower.clock
        return clock.wall() - (clock.at - self._tower.mac.booted_at)

    def disk_free(self) -> int:
        """Bytes."""
        return self._tower.mac.disk_free

    async def loaded_rivals(self) -> Sequence[str]:
        """launchd's names of other owners."""
        return self._tower.mac.rivals
