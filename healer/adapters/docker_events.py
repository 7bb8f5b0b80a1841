"""Docker's events of the one container: news only, a look decides what they mean.

The engine keeps the last 256 events in memory and drops what a slow listener does not take
(facts/talos-kubernetes.md §9), so nothing here counts on having heard all of them.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.docker import ANY_VERSION, SECONDS, foreign
from healer.core.tower import Layer
from healer.ports import EngineDoor, TargetIll, TargetSilent, Wake

_PLACE: Final = "docker events"
_ACTIONS: Final = (
    "create",
    "destroy",
    "die",
    "health_status",
    "kill",
    "oom",
    "pause",
    "restart",
    "start",
    "stop",
    "unpause",
    "update",
)
_LONGEST: Final = 1 << 20
"""Bytes of one event: some labels and a few words."""
_LASTS: Final = 600.0
"""Seconds: a stream says nothing for days when all is well, so a dead one is not told from it;
after this long it is made anew, and what it missed is looked at."""
_TOUCHED: Final = frozenset({Layer.TALOS, Layer.APISERVER})


class DockerEvents:
    """ports.News over a stream of its own on docker.sock."""

    name = "docker events"
    layers = frozenset({Layer.DOCKER, Layer.TALOS})

    def __init__(self, socket: Path, container: str, door: EngineDoor) -> None:
        self._socket = socket
        self._container = container
        self._door = door

    async def listen(self, wake: Wake) -> None:
        """Until the engine or its forward ends, or ten minutes. Raises TargetIll, TargetSilent."""
        from aiodocker import Docker  # noqa: PLC0415  (costs 0.2 s; `healer status` needs none)
        from aiohttp import ClientError, ClientTimeout  # noqa: PLC0415  (as above)

        await self._door.enter(_PLACE)
        # All containers: dockerd ends each before it ends itself, and the door must know.
        filters = {"type": ["container"], "event": list(_ACTIONS)}
        try:
            # Its own session, not its own events: those end for ever with the first break (§8).
            async with Docker(url=f"unix://{self._socket}", api_version=ANY_VERSION) as docker:
                with anyio.fail_after(SECONDS):
                    response = await docker.session.get(
                        "http://docker/events",
                        params={"filters": json.dumps(filters)},
                        timeout=ClientTimeout(total=None),
                    )
                async with response:
                    if response.status != 200:  # noqa: PLR2004  (HTTP's own word for well)
                        raise TargetIll(_PLACE, f"answered {response.status}")
                    self._door.listening(begins=True)
                    try:
                        wake(self.layers)
                        with anyio.move_on_after(_LASTS):
                            await self._pass_on(response.content.iter_any(), wake)
                    finally:
                        self._door.listening(begins=False)
        except TimeoutError as error:
            raise TargetSilent(_PLACE, f"no answer within {SECONDS:g} s") from error
        except (OSError, ClientError, ValueError) as error:
            raise foreign(error, _PLACE) from error

    async def _pass_on(self, chunks: AsyncIterator[bytes], wake: Wake) -> None:
        """Each line is an event; one that cannot be read may be ours."""
        rest = b""
        async for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            self._door.forget()
            if any(_may_be_of(self._container, line) for line in lines):
                wake(_TOUCHED)
            if len(rest) > _LONGEST:
                raise TargetIll(_PLACE, f"an event of more than {_LONGEST} bytes")


def _may_be_of(container: str, line: bytes) -> bool:
    """Whether it tells of that container; what cannot be read may."""
    try:
        named = json.loads(line)["Actor"]["Attributes"]["name"]
    except (ValueError, KeyError, TypeError):
        return True
    return bool(named == container)
