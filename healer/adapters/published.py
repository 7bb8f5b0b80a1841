"""Published ports from the Mac's side, each spoken to in its protocol.

A bare connect proves nothing: usernet and docker-proxy accept for the dead (R27). `tcp` is
for protocols that speak only when spoken to in secret (WebRTC on 7881): there only a refusal
says something, namely that nobody forwards the port any more.
"""

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import SocketStream

from healer.adapters.connecting import words_of
from healer.adapters.process import ProcessRunner
from healer.model.identity import is_some_hostagent, is_usernet
from healer.ports import CannotLook, HostEyes, TargetIll, TargetSilent, WrongAnswer

SECONDS: Final = 3.0
_ANSWER_BYTES: Final = 64 * 1024
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*")
_GOOD: Final = range(200, 400)
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d{1,9})\r\n", re.IGNORECASE)
_MASTER: Final = re.compile(r"ssh: .*/ssh\.sock \[mux\]")
"""Lima's title alone: a human's own `ssh -L` is a stranger on that port."""


@dataclass(frozen=True, slots=True)
class PublishedPorts:
    """ports.PortEyes."""

    runner: ProcessRunner
    host: HostEyes
    environment: Mapping[str, str]

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """What came back, in a few words."""
        place = f"{protocol} 127.0.0.1:{port}{path}"
        try:
            with anyio.fail_after(SECONDS):
                async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                    return await _spoken(stream, protocol, path, expect, place)
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {SECONDS:g} s") from error
        except anyio.BrokenResourceError as error:
            raise TargetIll(place, "Connection reset by peer") from error
        except OSError as error:
            raise TargetIll(place, words_of(error)) from error

    async def listener_is_ours(self, port: int) -> bool:
        """Whether the hostagent, Lima's mux or its usernet listens there."""
        commands = await self._listeners(port)
        return bool(commands) and all(_is_lima(one) for one in commands)

    async def _listeners(self, port: int) -> list[str]:
        pids = await (self._by_lsof(port) if sys.platform == "darwin" else _by_proc(port))
        known = {one.pid: one.command for one in await self.host.processes()}
        return [known.get(pid, "") for pid in pids]

    async def _by_lsof(self, port: int) -> set[int]:
        argv = ("lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fp")
        done = await self.runner.run(argv, deadline=SECONDS, env=self.environment)
        # -F always adds an `f` line with the descriptor's number.
        lines = done.stdout.splitlines()
        return {int(line[1:]) for line in lines if line[:1] == "p" and line[1:].isdecimal()}


def _is_lima(command: str) -> bool:
    usernet_or_agent = is_usernet(command) or is_some_hostagent(command)
    return usernet_or_agent or _MASTER.fullmatch(command.strip()) is not None


async def _spoken(stream: SocketStream, protocol: str, path: str, expect: str, place: str) -> str:
    if protocol == "redis":
        return await _redis(stream, place)
    if protocol == "http":
        return await _http(stream, path, expect, place)
    return _accepts()


async def _redis(stream: SocketStream, place: str) -> str:
    """A Redis that wants a password is as alive as one that says PONG."""
    await stream.send(b"PING\r\n")
    said = await _read(stream, lambda data: b"\r\n" in data or data[:1] not in b"+-")
    line = said.split(b"\r\n", 1)[0].decode("ascii", "replace")
    if line == "+PONG" or line.startswith("-NOAUTH"):
        return line
    if line[:1] in {"+", "-"}:
        raise WrongAnswer(place, f"answered {line!r}")
    raise TargetIll(place, f"answered {line!r}" if line else "closed without a word")


async def _http(stream: SocketStream, path: str, expect: str, place: str) -> str:
    request = f"GET {path or '/'} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    await stream.send(request.encode())
    said = await _read(stream, _is_whole)
    match = _STATUS.match(said)
    if match is None:
        raise TargetIll(place, f"no HTTP: {said[:80]!r}" if said else "closed without a word")
    body = said.partition(b"\r\n\r\n")[2].decode("utf-8", "replace").strip()
    status = int(match[1])
    if status not in _GOOD:
        raise WrongAnswer(place, f"HTTP {status}: {body[:200]}")
    if expect and expect not in body:
        raise WrongAnswer(place, f"HTTP {status} without {expect!r}: {body[:200]}")
    return body[:200] or f"HTTP {status}"


def _is_whole(answer: bytes) -> bool:
    """A server that keeps the connection against our wish has answered all the same."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return bool(end) and length is not None and len(body) >= int(length[1])


def _accepts() -> str:
    """That somebody listens is all that a bare connect tells; it is neither life nor death."""
    return "accepts"


async def _read(stream: SocketStream, enough: Callable[[bytes], bool]) -> bytes:
    said = b""
    while len(said) < _ANSWER_BYTES and not enough(said):
        try:
            said += await stream.receive(_ANSWER_BYTES - len(said))
        except anyio.EndOfStream:
            break
    return said


async def _by_proc(port: int) -> set[int]:
    """Linux: the listening sockets' inodes, and who holds them."""
    inodes = {f"socket:[{one}]" for one in _inodes(port)}
    if not inodes:
        return set()
    return await anyio.to_thread.run_sync(_holders, inodes)


def _inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError as error:
            raise CannotLook(table, str(error)) from error
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def _holders(inodes: set[str]) -> set[int]:
    processes = [one for one in Path("/proc").iterdir() if one.name.isdecimal()]
    return {int(one.name) for one in processes if not inodes.isdisjoint(_open_files(one))}


def _open_files(process: Path) -> set[str]:
    """Those that can be read: a busy process closes some of them meanwhile."""
    names = set()
    with suppress(OSError):
        for one in (process / "fd").iterdir():
            with suppress(OSError):
                names.add(str(one.readlink()))
    return names
