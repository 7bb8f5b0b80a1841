"""hotadd.asking.Guest by direct ssh: a constant script, words as arguments, bytes on stdin."""

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Protocol

from healer.adapters.process import Completed
from healer.model.hot_add import Units
from healer.ports import ActFailed, CannotLook

LOOK_SECONDS: Final = 12.0
WRITE_SECONDS: Final = 60.0
UNIT_SECONDS: Final = 180.0
"""systemd gives a unit 90 s to stop, and kills it then."""
_BEGINS: Final = "\nanswer=1\n"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_AS_ROOT: Final = 'if [ "$(id -u)" = 0 ]; then exec sh -c "$@"; else exec sudo -n sh -c "$@"; fi'


class Shell(Protocol):
    """A shell in the VM; adapters.ssh.DirectSsh is one."""

    @property
    def place(self) -> str:
        """How errors name it."""
        ...

    async def run(self, command: str, *, stdin: bytes = b"", deadline: float) -> Completed:
        """Run one already quoted command line there."""
        ...


class GuestPorts:
    """As root; raises PortError."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._script = files("healer.adapters").joinpath("guest_ports.sh").read_text("utf-8")

    async def units(self) -> Units:
        """docker.socket and docker.service."""
        said = await self._ask("units", deadline=LOOK_SECONDS)
        return Units(said.get("socket", ""), said.get("service", ""))

    async def stop_docker(self) -> None:
        """The socket, then the service."""
        await self._ask("stop", deadline=UNIT_SECONDS)

    async def start_docker(self) -> None:
        """Both."""
        await self._ask("start", deadline=UNIT_SECONDS)

    async def digest(self, path: str) -> str:
        """The SHA-256 of a file."""
        found = (await self._ask("digest", path, deadline=LOOK_SECONDS)).get("digest", "")
        if not _DIGEST.fullmatch(found):
            raise CannotLook(self._place(path), "no SHA-256 came")
        return found

    async def read(self, path: str) -> bytes:
        """A whole file, checked by its SHA-256."""
        said = await self._ask("read", path, deadline=LOOK_SECONDS)
        try:
            data = base64.b64decode(said.get("data", ""), validate=True)
        except ValueError:
            data = b""
        if not data or hashlib.sha256(data).hexdigest() != said.get("digest"):
            raise CannotLook(self._place(path), "did not come whole")
        return data

    async def replace(self, path: str, data: bytes, before: str) -> None:
        """In one piece, while docker is down and the file's SHA-256 is `before`."""
        after = hashlib.sha256(data).hexdigest()
        await self._ask("replace", path, before, after, stdin=data, deadline=WRITE_SECONDS)

    async def listens(self, port: int, protocol: str) -> bool:
        """Whether anybody has that port there."""
        found = (await self._ask("listens", str(port), protocol, deadline=LOOK_SECONDS)).get(
            "listens", ""
        )
        if found not in {"0", "1"}:
            raise CannotLook(self._shell.place, f"said nothing of port {port}")
        return found == "1"

    def _place(self, path: str) -> str:
        return f"{self._shell.place} {path}"

    async def _ask(
        self, verb: str, *words: str, stdin: bytes = b"", deadline: float
    ) -> Mapping[str, str]:
        command = shlex.join(("sh", "-c", _AS_ROOT, "sh", self._script, "sh", verb, *words))
        done = await self._shell.run(command, stdin=stdin, deadline=deadline)
        place = f"{self._shell.place} {verb}"
        # stdout may hold a file with keys in it, so only stderr is ever repeated.
        if done.code != 0:
            raise ActFailed(place, f"exit {done.code}: {done.stderr.strip()[-300:]}")
        said = dict(
            line.split("=", 1)
            for line in done.stdout.rpartition(_BEGINS)[2].splitlines()
            if "=" in line
        )
        if done.truncated or said.get("ended") != "1":
            raise CannotLook(place, "its answer was cut")
        return said
