"""The one container through the Mac's docker.sock, by aiodocker.

The url is always given: without it aiodocker follows docker contexts, which `colima start` sets
(facts/talos-kubernetes.md §8). Every call has a bound of its own, since the library has none.
"""

import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from errno import EACCES, EPERM
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import anyio

from healer.adapters.docker_decode import container_of, epoch
from healer.adapters.exchange import HttpAnswer, http_answer, unix
from healer.model.container import Container
from healer.ports import (
    ActFailed,
    CannotLook,
    EngineDoor,
    NotThere,
    PortError,
    TargetIll,
    TargetSilent,
)

if TYPE_CHECKING:
    from aiohttp import ClientResponse

ANY_VERSION: Final = "v1.47"
"""Given so that aiodocker does not ask; the paths are unversioned, which every engine takes as
its own newest (29.x refuses old ones, 20.10 new ones: facts/talos-kubernetes.md §8)."""
SECONDS: Final = 5.0
STOP_SECONDS: Final = 120
"""Talos needs them for a clean end (facts/talos-kubernetes.md §1)."""
MARGIN: Final = 30.0
_ANSWER_BYTES: Final = 4 * 2**20
_EVENTS_SINCE: Final = 24 * 3600
_NOT_FOUND: Final = 404
_ERROR: Final = 400
_WORDS: Final = 500
"""Characters of an engine's refusal that are worth keeping."""
Json = Any
"""Whatever JSON can hold."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A whole answer of the engine, and its own clock (epoch seconds) when it began."""

    status: int
    body: bytes
    at: float


class DockerEngine:
    """ports.EngineEyes and ports.EngineHands on an explicit unix socket."""

    def __init__(
        self, socket: Path, name: str, cluster: str, door: EngineDoor, *, deadline: float = SECONDS
    ) -> None:
        self._socket = socket
        self._door = door
        self._name = name
        self._cluster = cluster
        self._deadline = deadline
        self._id = ""

    async def ping(self) -> None:
        """Return when `/_ping` said OK."""
        place = "docker.sock /_ping"
        await self._door.enter(place)
        answer = await self._pinged(place)
        if answer is None:
            raise TargetIll(place, "broke off or answered no HTTP")
        if answer.status >= _ERROR:
            raise TargetIll(place, f"{answer.status}: {_refusal(answer.body)}")
        if answer.body.strip() != b"OK":
            raise TargetIll(place, f"answered {answer.body[:40]!r}")

    async def _pinged(self, place: str) -> HttpAnswer | None:
        """By bare calls, a third of a client's price: it is asked more often than all else."""
        try:
            with anyio.fail_after(self._deadline):
                async with unix(self._socket) as exchange:
                    return http_answer(await exchange.get("/_ping", _ANSWER_BYTES))
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {self._deadline:g} s") from error
        except OSError as error:
            raise foreign(error, place) from error

    async def container(self) -> Container:
        """By the id that was found before, else by Talos' labels, else by name."""
        if self._id:
            try:
                return await self._inspect(self._id)
            except NotThere:
                self._id = ""
        found = await self._inspect(await self._find())
        self._id = found.id
        return found

    async def _find(self) -> str:
        labels = ["talos.owned=true", f"talos.cluster.name={self._cluster}"]
        query = {"all": "1", "filters": json.dumps({"label": labels})}
        listed = _json(await self._get("containers/json", query, "docker ps"), "docker ps")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and f"/{self._name}" in (one.get("Names") or ()):
                return str(one.get("Id") or self._name)
        return self._name

    async def _inspect(self, name: str) -> Container:
        place = f"docker inspect {self._name}"
        answer = await self._ask("GET", f"containers/{quote(name, safe='')}/json", {}, place)
        return container_of(_json(answer.body, place), answer.at, place)

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """From the engine's last 256 events; a VM crash and dockerd's own end leave none (§9)."""
        place = "docker events"
        filters = {"type": ["container"], "container": [container.id], "event": ["stop", "start"]}
        now, until = await self._clock(place)
        query = {
            "since": str(int(now - _EVENTS_SINCE)),
            "until": until,
            "filters": json.dumps(filters),
        }
        said = await self._get("events", query, place)
        events = [_json(line, place) for line in said.splitlines() if line.strip()]
        return _last_stop(events, now)

    async def _clock(self, place: str) -> tuple[float, str]:
        """The engine's time, and the end of events that are over by it.

        The engine holds its answer until an `until` of the future, which a whole second of a
        Date header has to be: on average half a second of each look at a stopped container.
        """
        answer = await self._ask("GET", "info", {}, place)
        said = _json(answer.body, place)
        now = epoch(said.get("SystemTime")) if isinstance(said, dict) else None
        return (answer.at, str(int(answer.at) + 1)) if now is None else (now, f"{now:.6f}")

    async def start(self, container: str) -> str:
        """An engine that says 304 had it running already."""
        place = f"docker start {self._name}"
        await self._post(f"containers/{container}/start", {}, None, place, self._deadline * 6)
        return f"{self._name} is {(await self._inspect(container)).status}"

    async def restart(self, container: str) -> str:
        """Stop with 120 s of patience, and start; also when it was not running."""
        place = f"docker restart {self._name}"
        query = {"t": str(STOP_SECONDS)}
        path = f"containers/{container}/restart"
        await self._post(path, query, None, place, STOP_SECONDS + MARGIN)
        return f"{self._name} is {(await self._inspect(container)).status}"

    async def update(self, container: str, *, restart_policy: str = "", memory: int = 0) -> str:
        """Live; memory is sent with MemorySwap, without which raising it fails (§1)."""
        change: dict[str, Any] = {}
        if restart_policy:
            change["RestartPolicy"] = {"Name": restart_policy}
        if memory:
            change |= {"Memory": memory, "MemorySwap": memory}
        place = f"docker update {self._name}"
        await self._post(f"containers/{container}/update", {}, change, place, self._deadline)
        return f"updated {', '.join(sorted(change))}"

    async def _get(self, path: str, query: dict[str, str], place: str) -> bytes:
        return (await self._ask("GET", path, query, place)).body

    async def _post(
        self,
        path: str,
        query: dict[str, str],
        change: Json,
        place: str,
        seconds: float,
    ) -> None:
        try:
            await self._ask("POST", path, query, place, change, seconds)
        except TargetIll as error:
            raise ActFailed(error.place, error.detail) from error

    async def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        place: str,
        change: Json = None,
        seconds: float | None = None,
    ) -> _Answer:
        """One request on a connection of its own; foreign errors become ours here.

        aiodocker's session and not its own `_query`: that reads an error's body without a
        bound, and raises whatever json does when it is not what Docker says.
        """
        from aiodocker import Docker  # noqa: PLC0415  (costs 0.2 s; `healer status` needs none)
        from aiohttp import ClientError  # noqa: PLC0415  (as above)

        # Nothing slow between the door and the connect.
        await self._door.enter(place)
        bound = self._deadline if seconds is None else seconds
        answer: _Answer | None = None
        failure: PortError | None = None
        try:
            with anyio.fail_after(bound):
                async with (
                    Docker(url=f"unix://{self._socket}", api_version=ANY_VERSION) as docker,
                    docker.session.request(
                        method, f"http://docker/{path}", params=query, json=change
                    ) as response,
                ):
                    answer = await _answer(response, place)
        except TimeoutError:
            failure = TargetSilent(place, f"no answer within {bound:g} s")
        except (OSError, ClientError, ValueError) as error:
            failure = foreign(error, place)
        # Raised out here: what aiohttp raises may quote the body, and so Env, in its text.
        if answer is None:
            raise failure or TargetIll(place, "no answer")
        return _good(answer, place)


def foreign(error: Exception, place: str) -> PortError:
    """Of an error beside the socket its words; of one in the answer only its kind."""
    if isinstance(error, OSError) and error.errno in {EACCES, EPERM}:
        return CannotLook(place, str(error))
    if isinstance(error, OSError):
        return TargetIll(place, str(error))
    return TargetIll(place, f"broke off or answered no HTTP ({type(error).__name__})")


def _good(answer: _Answer, place: str) -> _Answer:
    """Docker's words about a refusal are kept; they hold no Env."""
    if answer.status < _ERROR:
        return answer
    words = _refusal(answer.body)
    if answer.status == _NOT_FOUND:
        raise NotThere(place, words)
    raise TargetIll(place, f"{answer.status}: {words}")


def _refusal(body: bytes) -> str:
    """`{"message": …}` of every engine; of anything else only its size."""
    said = _decoded(body)
    if isinstance(said, dict) and isinstance(said.get("message"), str):
        return str(said["message"])[:_WORDS]
    return f"{len(body)} bytes that Docker would not say"


async def _answer(response: "ClientResponse", place: str) -> _Answer:
    """Bounded: no answer that healer asks for is larger."""
    said = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        said += chunk
        if len(said) > _ANSWER_BYTES:
            raise TargetIll(place, f"answered more than {_ANSWER_BYTES} bytes")
    return _Answer(response.status, bytes(said), _server_time(response))


def _decoded(body: bytes) -> Json:
    """None for what is no JSON: the decoder's error quotes the body, so it must not get out."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _json(body: bytes, place: str) -> Json:
    said = _decoded(body)
    if said is None:
        raise TargetIll(place, f"answered {len(body)} bytes that are no JSON")
    return said


def _server_time(response: "ClientResponse") -> float:
    """The engine's own clock, so that a skewed Mac does not matter."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return time.time()


def _last_stop(events: list[Any], now: float) -> float | None:
    """A stop after which nobody started it again; a kill alone is no human's (design §10)."""
    stopped: float | None = None
    for one in events:
        if isinstance(one, dict) and isinstance(one.get("timeNano"), int):
            stopped = one["timeNano"] / 1e9 if one.get("Action") == "stop" else None
    return None if stopped is None else max(0.0, now - stopped)
