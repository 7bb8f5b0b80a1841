"""Published ports from the Mac's side, each spoken to in its protocol.

A bare connect proves nothing: usernet and docker-proxy accept for the dead (R27). `tcp` is
for protocols that speak only when spoken to in secret (WebRTC on 7881): there only a refusal
says something, namely that nobody forwards the port any more.
"""

from dataclasses import dataclass
from typing import Final

import anyio

from healer.adapters.connecting import words_of
from healer.adapters.exchange import Exchange, tcp
from healer.adapters.listeners import Listeners
from healer.adapters.spoken import heard_out, is_heard_out, understood, words_for
from healer.model.published import PublishedService
from healer.ports import TargetIll, TargetSilent

SECONDS: Final = 3.0
_MORE_SECONDS: Final = 0.5
_ANSWER_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class PublishedPorts:
    """ports.PortEyes."""

    listeners: Listeners

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """What came back, in a few words."""
        return await self.ask(PublishedService("", port, protocol, path, expect))

    async def ask(self, service: PublishedService, seconds: float = SECONDS) -> str:
        """What came back from the Mac's port of a service, in a few words."""
        port = service.host_port
        place = f"{service.protocol} 127.0.0.1:{port}{service.path}"
        try:
            with anyio.fail_after(seconds):
                async with tcp(port) as exchange:
                    return understood(service, await said_by(exchange, service), place)
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {seconds:g} s") from error
        except OSError as error:
            raise TargetIll(place, words_of(error)) from error

    async def listener_is_ours(self, port: int) -> bool:
        """Whether the hostagent, Lima's mux or its usernet listens there."""
        return await self.listeners.is_ours(port)


async def said_by(exchange: Exchange, service: PublishedService) -> bytes:
    """Say the words of the protocol, and hear the answer out; b"" where none is waited for."""
    words = words_for(service)
    if not words:
        return b""
    await exchange.say(words)
    said = await exchange.hear(heard_out(service), _ANSWER_BYTES)
    with anyio.move_on_after(_MORE_SECONDS):
        # A Redis that says PONG has answered, whatever becomes of the deeper question.
        said += await exchange.hear(lambda more: is_heard_out(service, said + more), _ANSWER_BYTES)
    return said
