"""What the hot-add asks of the outside; every method has a deadline and raises PortError."""

from collections.abc import Sequence
from typing import Protocol

from healer.model.container import Container
from healer.model.hot_add import Progress, Started, Step, Units


class Engine(Protocol):
    """Docker, by the Mac's socket."""

    async def ping(self) -> None:
        """Return when it answers."""
        ...

    async def container(self) -> Container:
        """The one container. Raises NotThere."""
        ...

    async def others_running(self, container: str) -> Sequence[str]:
        """Names of the other containers that run."""
        ...

    async def root(self) -> str:
        """Where it keeps its data in the VM."""
        ...

    async def stop(self, container: str) -> str:
        """Stop it by id, with 120 s of patience; a stopped one is success."""
        ...

    async def start(self, container: str) -> str:
        """Start it by id; a running one is success."""
        ...


class Guest(Protocol):
    """The VM, as root by direct ssh."""

    async def units(self) -> Units:
        """docker.socket and docker.service."""
        ...

    async def stop_docker(self) -> None:
        """The socket, then the service."""
        ...

    async def start_docker(self) -> None:
        """Both."""
        ...

    async def read(self, path: str) -> bytes:
        """A whole file, checked by its SHA-256."""
        ...

    async def digest(self, path: str) -> str:
        """The SHA-256 of a file."""
        ...

    async def replace(self, path: str, data: bytes, before: str) -> None:
        """In one piece, while docker is down and the file's SHA-256 is `before`.

        Owner and mode stay. Raises ActFailed when any of it does not hold.
        """
        ...

    async def listens(self, port: int, protocol: str) -> bool:
        """Whether anybody has that port there."""
        ...


class Mac(Protocol):
    """The Mac's own ports."""

    async def holder(self, port: int, protocol: str) -> str:
        """Who has it; '' = nobody."""
        ...

    async def accepts(self, port: int) -> bool:
        """Whether somebody accepts a connection."""
        ...


class Cluster(Protocol):
    """The API server."""

    async def ready(self) -> bool:
        """Whether it says that it is."""
        ...


class Pauses(Protocol):
    """healer's own acts. All raise PortError."""

    def standing(self) -> Sequence[str]:
        """Pauses that are in force, each in words."""
        ...

    def pause(self) -> None:
        """Pause everything for an hour."""
        ...

    def at_work(self) -> str:
        """An act that is under way; '' = none."""
        ...

    def resume(self) -> None:
        """End ours."""
        ...


class Book(Protocol):
    """The journal of one hot-add, and the copies of the files; synced when each returns."""

    def begin(self, started: Started) -> None:
        """Open a new one."""
        ...

    def step(self, step: Step, *, done: bool) -> None:
        """A step begins, or is done."""
        ...

    def save(self, copies: dict[str, bytes], hashes: dict[str, tuple[str, str]]) -> None:
        """Keep the files as they were, and the hashes of old and new."""
        ...

    def copy(self, name: str) -> bytes:
        """A file as it was."""
        ...

    def rolling_back(self) -> None:
        """From now on there is only the way back."""
        ...

    def finish(self, how: str) -> None:
        """It is over."""
        ...

    def progress(self) -> Progress | None:
        """Of the one that is open; None when there is none."""
        ...

    @property
    def place(self) -> str:
        """Where the copies are."""
        ...
