"""The one container through the Mac's docker.sock, by aiodocker.

The url is always given: without it aiodocker follows docker contexts, which `colima start` sets
(facts/talos-kubernetes.md §8). Every call has a bound of its own, since the library has none.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio

from healer.adapters.docker_decode import container_of
from healer.model.container import Container
from healer.ports import ActFailed, CannotLook, Denied, NotThere, PortError, TargetIll, TargetSilent

if TYPE_CHECKING:
    from aiodocker import Docker
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
Json = Any
"""Whatever JSON can hold."""
_NO_SOCKET: Final = 900
"""aiodocker's own status for a socket that refuses or is not there."""


class DockerEngine:
    """ports.EngineEyes and ports.EngineHands on an explicit unix socket."""

    def __init__(self, socket: Path, name: str, cluster: str) -> None:
        self._socket = socket
        self._name = name
        self._cluster = cluster
        self._id = ""

    async def ping(self) -> None:
        """Return when `/_ping` said OK."""
        said = await self._get("_ping", {}, "docker.sock /_ping")
        if said.strip() != b"OK":
            raise TargetIll("docker.sock /_ping", f"answered {said[:40]!r}")

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
            if f"/{self._name}" in (one.get("Names") or ()):
                return str(one["Id"])
        return self._name

    async def _inspect(self, name: str) -> Container:
        place = f"docker inspect {self._name}"
        async with self._answer("GET", f"containers/{name}/json", {}, place) as response:
            body = await _body(response, place)
            now = _server_time(response)
        return container_of(_json(body, place), now, place)

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """From the engine's last 256 events; a VM crash and dockerd's own end leave none (§9)."""
        place = "docker events"
        filters = {"type": ["container"], "container": [container.id], "event": ["kill", "start"]}
        async with self._answer("GET", "_ping", {}, place) as response:
            now = _server_time(response)
        query = {
            "since": str(int(now - _EVENTS_SINCE)),
            "until": str(int(now) + 1),
            "filters": json.dumps(filters),
        }
        said = await self._get("events", query, place)
        events = [_json(line, place) for line in said.splitlines() if line.strip()]
        return _last_kill(events, now)

    async def start(self, container: str) -> str:
        """An engine that says 304 had it running already."""
        place = f"docker start {self._name}"
        await self._post(f"containers/{container}/start", {}, None, place, SECONDS * 6)
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
        await self._post(f"containers/{container}/update", {}, change, place, SECONDS)
        return f"updated {', '.join(sorted(change))}"

    async def _get(self, path: str, query: dict[str, str], place: str) -> bytes:
        async with self._answer("GET", path, query, place) as response:
            return await _body(response, place)

    async def _post(
        self,
        path: str,
        query: dict[str, str],
        change: Json,
        place: str,
        seconds: float,
    ) -> None:
        try:
            async with self._answer("POST", path, query, place, change, seconds) as response:
                await _body(response, place)
        except (TargetIll, Denied) as error:
            raise ActFailed(error.place, error.detail) from error

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        place: str,
        change: Json = None,
        seconds: float = SECONDS,
    ) -> AsyncIterator["ClientResponse"]:
        """One request on a connection of its own; foreign errors become ours here."""
        from aiodocker import Docker  # noqa: PLC0415  (costs 0.2 s; `healer status` needs none)
        from aiodocker.exceptions import DockerError  # noqa: PLC0415  (as above)
        from aiohttp import ClientError, ClientTimeout  # noqa: PLC0415  (as above)

        url, timeout = f"unix://{self._socket}", ClientTimeout(total=seconds + 1.0)
        try:
            with anyio.fail_after(seconds):
                async with (
                    Docker(url=url, timeout=timeout, api_version=ANY_VERSION) as docker,
                    _query(docker, method, path, query, change) as response,
                ):
                    yield response
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {seconds:g} s") from error
        except DockerError as error:
            raise _ours(error.status, error.message, place) from error
        except ClientError as error:
            raise TargetIll(place, str(error) or type(error).__name__) from error
        except PermissionError as error:
            raise CannotLook(place, str(error)) from error
        except OSError as error:
            raise TargetIll(place, str(error)) from error


def _query(
    docker: "Docker",
    method: str,
    path: str,
    query: dict[str, str],
    change: Json,
) -> Any:  # noqa: ANN401  (aiodocker's own context manager)
    """The one place that uses aiodocker's private door: 0.27 has no public update or ping."""
    data = None if change is None else json.dumps(change)
    headers = None if data is None else {"Content-Type": "application/json"}
    return docker._query(  # noqa: SLF001  (no public call posts an update or pings)
        path, method, params=query, data=data, headers=headers, versioned_api=False
    )


def _ours(status: int, message: object, place: str) -> PortError:
    """Docker's words are kept; they hold no Env."""
    words = str(message)
    if status == _NOT_FOUND:
        return NotThere(place, words)
    if status == _NO_SOCKET and "Permission denied" in words:
        return CannotLook(place, words)
    return TargetIll(place, words if status == _NO_SOCKET else f"{status}: {words}")


async def _body(response: "ClientResponse", place: str) -> bytes:
    """Bounded: no answer that healer asks for is larger."""
    said = b""
    async for chunk in response.content.iter_chunked(64 * 1024):
        said += chunk
        if len(said) > _ANSWER_BYTES:
            raise TargetIll(place, f"answered more than {_ANSWER_BYTES} bytes")
    return said


def _json(body: bytes, place: str) -> Json:
    try:
        return json.loads(body)
    except ValueError:
        # The body may hold Env: neither it nor the decoder's error may be chained.
        raise TargetIll(place, f"answered {len(body)} bytes that are no JSON") from None


def _server_time(response: "ClientResponse") -> float:
    """The engine's own clock, so that a skewed Mac does not matter."""
    import time  # noqa: PLC0415  (only when the engine sends no Date)

    try:
        return parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()


def _last_kill(events: list[Any], now: float) -> float | None:
    """A kill after which nobody started it again."""
    killed: float | None = None
    for one in events:
        at = one.get("timeNano", 0) / 1e9 if isinstance(one, dict) else 0.0
        killed = at if isinstance(one, dict) and one.get("Action") == "kill" else None
    return None if killed is None else max(0.0, now - killed)
