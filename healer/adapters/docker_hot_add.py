"""What a hot-add asks of Docker beyond the looks and acts of every day."""

import json
from typing import Any, Final

from healer.adapters.docker import MARGIN, STOP_SECONDS, DockerEngine
from healer.ports import TargetIll

_NAMES: Final = 100
"""Characters of a name that are worth repeating."""


class HotAddEngine(DockerEngine):
    """hotadd.asking.Engine on the Mac's socket."""

    async def stop(self, container: str) -> str:
        """With 120 s of patience; an engine that says 304 had it stopped already."""
        place, query = f"docker stop {self._name}", {"t": str(STOP_SECONDS)}
        path = f"containers/{container}/stop"
        await self._post(path, query, None, place, STOP_SECONDS + MARGIN)
        return f"{self._name} is {(await self._inspect(container)).status}"

    async def others_running(self, container: str) -> list[str]:
        """Names of the other containers that run."""
        place = "docker ps"
        listed = _decoded(await self._get("containers/json", {}, place), list, place)
        found = []
        for one in listed:
            if isinstance(one, dict) and one.get("Id") != container:
                names = one.get("Names") or [str(one.get("Id"))]
                found.append(str(names[0]).lstrip("/")[:_NAMES])
        return found

    async def root(self) -> str:
        """Where it keeps its data in the VM."""
        place = "docker info"
        said = _decoded(await self._get("info", {}, place), dict, place)
        root = said.get("DockerRootDir")
        if not isinstance(root, str) or not root.startswith("/"):
            raise TargetIll(place, "does not say where it keeps its data")
        return root


def _decoded(body: bytes, kind: type[Any], place: str) -> Any:  # noqa: ANN401  (Docker's JSON)
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, kind):
        raise TargetIll(place, f"answered {len(body)} bytes that make no sense")
    return said
