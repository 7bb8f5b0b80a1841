"""The tests' own engine on a unix socket as one of the contract's worlds."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from healer.adapters.docker import DockerEngine
from tests.unit.adapters.docker_engine import NOW, Engine, inspected, say

_ID = "/containers/abc123"
_STOPPED = "2023-11-14T22:13:10Z"
_AGAIN = "2023-11-14T22:13:15Z"

Json = dict[str, Any]


@dataclass(slots=True)
class ServedEngine:
    """The real adapter, and what the engine behind it is made to be."""

    engine: Engine
    adapter: DockerEngine
    server: asyncio.AbstractServer
    state: Json = field(init=False)
    settings: Json = field(init=False)
    refusal: str = ""

    def __post_init__(self) -> None:
        """Answer acts as Docker does."""
        raw = inspected()
        self.state, self.settings = raw["State"], raw["HostConfig"]
        self.engine.answers[f"{_ID}/json"] = (200, {**raw, "Id": "abc123"})
        self.engine.ill[f"{_ID}/start"] = self._start
        self.engine.ill[f"{_ID}/update"] = self._update

    @property
    def eyes(self) -> DockerEngine:
        """The adapter."""
        return self.adapter

    @property
    def hands(self) -> DockerEngine:
        """The adapter."""
        return self.adapter

    async def _start(self, writer: asyncio.StreamWriter) -> None:
        if self.refusal:
            self.state["Error"] = self.refusal
            await say(writer, 500, json.dumps({"message": self.refusal}).encode())
            return
        running = self.state["Status"] == "running"
        if not running:
            self.state |= {"Status": "running", "ExitCode": 0, "StartedAt": _AGAIN}
            self._tell("start", NOW - 5)
        await say(writer, 304 if running else 204, b"")

    async def _update(self, writer: asyncio.StreamWriter) -> None:
        change = dict(self.engine.asked[-1].body)
        self.settings |= change
        await say(writer, 200, b'{"Warnings":null}')

    def _tell(self, action: str, at: float) -> None:
        status, said = self.engine.answers["/events"]
        event = json.dumps({"Action": action, "timeNano": int(at * 1e9)}).encode()
        self.engine.answers["/events"] = (status, said + event + b"\n")

    async def stop_by_hand(self) -> None:
        """With its event."""
        await self.kill()
        self._tell("stop", NOW - 10)

    async def kill(self) -> None:
        """The state alone: a kill's event is none that is asked for."""
        self.state |= {"Status": "exited", "ExitCode": 137, "FinishedAt": _STOPPED}

    async def remove(self) -> None:
        """Neither listed nor found."""
        self.engine.answers["/containers/json"] = (200, [])
        del self.engine.answers[f"{_ID}/json"]

    async def refuse_starts(self, words: str) -> None:
        """As a VM with too few CPUs does."""
        await self.kill()
        self.refusal = words

    async def end_engine(self) -> None:
        """Nobody listens any more."""
        self.server.close()
        self.engine.socket.unlink(missing_ok=True)
