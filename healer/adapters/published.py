"""Published ports from the Mac's side, each spoken to in its protocol.

A bare connect proves nothing: usernet and docker-proxy accept for the dead (R27). `tcp` is
for protocols that speak only when spoken to in secret (WebRTC on 7881): there only a refusal
says something, namely that nobody forwards the port any more.
"""

import re
from dataclasses import dataclass
from typing import Final

import anyio

from healer.adapters.connecting import words_of
from healer.adapters.exchange import Exchange, http_answer, tcp
from healer.adapters.listeners import Listeners
from healer.model.identity import is_some_hostagent, is_usernet
from healer.ports import TargetIll, TargetSilent, WrongAnswer

SECONDS: Final = 3.0
_ANSWER_BYTES: Final = 64 * 1024
_GOOD: Final = range(200, 400)
_MASTER: Final = re.compile(r"ssh: .*/ssh\.sock \[mux\]")
"""Lima's title alone: a human's own `ssh -L` is a stranger on that port."""


@dataclass(frozen=True, slots=True)
class PublishedPorts:
    """ports.PortEyes."""

    listeners: Listeners

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """What came back, in a few words."""
        place = f"{protocol} 127.0.0.1:{port}{path}"
        try:
            with anyio.fail_after(SECONDS):
                async with tcp(port) as exchange:
                    return await _spoken(exchange, protocol, path, expect, place)
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {SECONDS:g} s") from error
        except OSError as error:
            raise TargetIll(place, words_of(error)) from error

    async def listener_is_ours(self, port: int) -> bool:
        """Whether the hostagent, Lima's mux or its usernet listens there."""
        commands = await self.listeners.commands(port)
        return bool(commands) and all(_is_lima(one) for one in commands)


def _is_lima(command: str) -> bool:
    usernet_or_agent = is_usernet(command) or is_some_hostagent(command)
    return usernet_or_agent or _MASTER.fullmatch(command.strip()) is not None


async def _spoken(exchange: Exchange, protocol: str, path: str, expect: str, place: str) -> str:
    if protocol == "redis":
        return await _redis(exchange, place)
    if protocol == "http":
        return await _http(exchange, path, expect, place)
    return _accepts()


async def _redis(exchange: Exchange, place: str) -> str:
    """A Redis that wants a password is as alive as one that says PONG."""
    await exchange.say(b"PING\r\n")
    said = await exchange.hear(lambda data: b"\r\n" in data or data[:1] not in b"+-", _ANSWER_BYTES)
    line = said.split(b"\r\n", 1)[0].decode("ascii", "replace")
    if line == "+PONG" or line.startswith("-NOAUTH"):
        return line
    if line[:1] in {"+", "-"}:
        raise WrongAnswer(place, f"answered {line!r}")
    raise TargetIll(place, f"answered {line!r}" if line else "closed without a word")


async def _http(exchange: Exchange, path: str, expect: str, place: str) -> str:
    said = await exchange.get(path or "/", _ANSWER_BYTES)
    answer = http_answer(said)
    if answer is None:
        raise TargetIll(place, f"no HTTP: {said[:80]!r}" if said else "closed without a word")
    body = answer.body.decode("utf-8", "replace").strip()
    if answer.status not in _GOOD:
        raise WrongAnswer(place, f"HTTP {answer.status}: {body[:200]}")
    if expect and expect not in body:
        raise WrongAnswer(place, f"HTTP {answer.status} without {expect!r}: {body[:200]}")
    return body[:200] or f"HTTP {answer.status}"


def _accepts() -> str:
    """That somebody listens is all that a bare connect tells; it is neither life nor death."""
    return "accepts"
