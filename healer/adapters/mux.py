"""Lima's ssh master seen from outside, and the recipe that makes its forwards anew.

`healer` never becomes the master to look (facts/colima.md §3); only the recipe may make one,
since without a master nothing can be forwarded at all.
"""

import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.colima_files import ours
from healer.adapters.process import Completed, ProcessRunner
from healer.model.machine import ColimaPaths, Mux, MuxState, ProcessInfo
from healer.ports import ActFailed, CannotLook, EngineDoor, HostEyes, TargetSilent

CALL_SECONDS: Final = 10.0
"""facts/colima.md §4: each call of the recipe is capped so."""
CHECK_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 3.0
GONE_SECONDS: Final = 10.0
"""How long a TERMed master may take to go; it is never killed harder than that."""
_SAME_START: Final = 2.0
"""Seconds by which two readings of one process's age may differ."""
_RUNNING: Final = re.compile(r"Master running \(pid=(\d+)\)")
GUEST_SOCKETS: Final = (
    ("docker.sock", "/var/run/docker.sock"),
    ("containerd.sock", "/var/run/containerd/containerd.sock"),
)
"""The Mac's name in the profile folder and the VM's path; Docker's first (facts/colima.md §4)."""


def _ports(count: int) -> str:
    return "1 port" if count == 1 else f"{count} ports"


@dataclass(frozen=True, slots=True)
class LimaForward:
    """ports.ForwardEyes and ports.ForwardHands."""

    runner: ProcessRunner
    paths: ColimaPaths
    environment: Mapping[str, str]
    host: HostEyes
    door: EngineDoor
    guest_sockets: tuple[tuple[str, str], ...] = GUEST_SOCKETS

    async def mux(self) -> Mux:
        """A master that its own check calls live, that is silent, or that is not there."""
        try:
            check = await self._control("check", deadline=CHECK_SECONDS)
        except TargetSilent:
            process = await self._process()
            return Mux(MuxState.WEDGED, process.pid if process else None)
        match = _RUNNING.search(check.stderr + check.stdout)
        if match is None:
            return Mux(MuxState.DEAD)
        await self.door.enter("docker.sock")
        if await _is_silent(self.paths.docker_socket):
            return Mux(MuxState.WEDGED, int(match[1]))
        return Mux(MuxState.LIVE, int(match[1]))

    async def _process(self) -> ProcessInfo | None:
        """By its exact title, `ssh: INST/ssh.sock [mux]`; the youngest, since orphans stay (§8)."""
        is_mux = ours(self.paths).is_mux
        found = [one for one in await self.host.processes() if is_mux(one)]
        return min(found, key=lambda one: one.age, default=None)

    async def _control(self, verb: str, *words: str, deadline: float = CALL_SECONDS) -> Completed:
        return await self._ssh("-O", verb, *words, f"lima-{self.paths.instance_name}", deadline)

    async def _ssh(self, *words: str | float) -> Completed:
        *arguments, deadline = words
        argv = ("ssh", "-F", str(self.paths.ssh_config), *(str(one) for one in arguments))
        return await self.runner.run(argv, deadline=float(deadline), env=self.environment)

    async def reforward(self, ports: Sequence[tuple[str, int]]) -> str:
        """The recipe of facts/colima.md §4, steps 1 to 5; the caller's probe is its step 6."""
        await self.door.enter("docker.sock")
        await self._have_a_master()
        for socket, guest in self._sockets():
            await self._forward_socket(socket, guest)
        failed = [port for port in ports if not await self._forward_port(*port)]
        carried = len(ports) - len(failed)
        made = f"forwarded docker.sock{f' and {_ports(carried)}' if ports else ''} anew"
        if failed:
            named = ", ".join(str(port) for _, port in failed)
            raise ActFailed("ssh -O forward", f"{made}; refused: {named}")
        return made

    def _sockets(self) -> list[tuple[Path, str]]:
        """The sockets that Lima forwards for this profile; the legacy one only if it was there."""
        folder = self.paths.profile_folder
        sockets = [(folder / name, guest) for name, guest in self.guest_sockets]
        legacy = self.paths.root / "docker.sock"
        if legacy.is_socket():
            sockets.append((legacy, self.guest_sockets[0][1]))
        return sockets

    async def _have_a_master(self) -> None:
        check = await self._control("check")
        if check.code == 0:
            return
        made = await self._ssh(f"lima-{self.paths.instance_name}", "true", CALL_SECONDS)
        if made.code != 0:
            raise ActFailed("ssh lima", f"no master could be made: {made.stderr.strip()[-200:]}")

    async def _forward_socket(self, socket: Path, guest: str) -> None:
        way = f"{socket}:{guest}"
        # Its exit code means nothing; of a live forward whose file is gone it is the only cure.
        await self._control("cancel", "-L", way)
        await _unlink_if_refused(socket)
        done = await self._control("forward", "-L", way)
        if done.code != 0 and socket.name == "docker.sock":
            raise ActFailed("ssh -O forward", done.stderr.strip()[-200:])

    async def _forward_port(self, address: str, port: int) -> bool:
        way = f"{address}:{port}:127.0.0.1:{port}"
        done = await self._control("forward", "-L", way)
        return done.code == 0

    async def term_mux(self) -> str:
        """TERM the one master, after making sure that the pid is still the one that was seen."""
        first = await self._process()
        if first is None:
            return "there was no master any more"
        again = await self._process()
        if again is None or not _same(first, again):
            raise ActFailed("TERM of the mux", f"pid {first.pid} is not the same process any more")
        try:
            os.kill(again.pid, signal.SIGTERM)
            # A stopped process takes a TERM only when it goes on.
            os.kill(again.pid, signal.SIGCONT)
        except ProcessLookupError:
            return f"pid {again.pid} had gone by itself"
        except PermissionError as error:
            raise ActFailed("TERM of the mux", f"pid {again.pid} is not ours") from error
        return await self._await_gone(again.pid)

    async def _await_gone(self, pid: int) -> str:
        with anyio.move_on_after(GONE_SECONDS):
            while True:
                found = await self._process()
                if found is None or found.pid != pid:
                    return f"pid {pid} ended"
                await anyio.sleep(0.2)
        raise ActFailed("TERM of the mux", f"pid {pid} was still there after {GONE_SECONDS:g} s")


def _same(first: ProcessInfo, again: ProcessInfo) -> bool:
    return first.pid == again.pid and abs(again.age - first.age) <= _SAME_START


async def _is_silent(socket: Path) -> bool:
    """Whether a connect is accepted and a request then gets no byte within the bound."""
    try:
        with anyio.fail_after(CONNECT_SECONDS):
            async with await anyio.connect_unix(socket) as stream:
                await stream.send(b"GET /_ping HTTP/1.0\r\n\r\n")
                await stream.receive(1)
    except TimeoutError:
        return True
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
        return False
    return False


async def _unlink_if_refused(socket: Path) -> None:
    """Only a socket, and only a dead one: a live listener's file is not ours to take."""
    there = anyio.Path(socket)
    try:
        if await there.is_socket():
            if await _is_refused(socket):
                await there.unlink(missing_ok=True)
        elif await there.exists():
            raise ActFailed(str(socket), "is there and is no socket; move it away by hand")
    except OSError as error:
        raise CannotLook(str(socket), str(error)) from error


async def _is_refused(socket: Path) -> bool:
    """Silence is no refusal: whoever does not even accept still holds it."""
    try:
        with anyio.move_on_after(CONNECT_SECONDS):
            async with await anyio.connect_unix(socket):
                return False
    except ConnectionRefusedError:
        return True
    except FileNotFoundError:
        return False
    return False
