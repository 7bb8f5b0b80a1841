"""A VM with a dockerd that keeps its files as the real one does, and that can be cut off.

It reads both files when it starts and writes them when a state changes and when it ends, so an
edit while it runs is lost (facts/talos-kubernetes.md §9). Every call counts, and one of them can
fail, or be the moment at which healer is killed, before it has an effect or after.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio

from healer.adapters.docker_decode import container_of
from healer.adapters.hot_add_book import HotAddBook
from healer.hotadd.parts import Parts
from healer.model.container import Container
from healer.model.hot_add import Started, Step, Units
from healer.model.port_edit import CONFIG, HOSTCONFIG
from healer.ports import ActFailed, NotThere, TargetIll
from tests.fakes.clock import FakeClock

T = TypeVar("T")
ID = "c0ffee" * 10 + "beef"
ROOT = "/var/lib/docker"
OLD = {"6379/tcp": [{"HostIp": "0.0.0.0", "HostPort": "6379"}]}


class Killed(BaseException):
    """SIGKILL: nothing more is done by whoever meets it."""


class Moment:
    """One call, by its number, and what happens there."""

    def __init__(self, number: int, what: str, *, after: bool = False) -> None:
        self.number = number
        self.what = what
        """`kill` or `fail`."""
        self.after = after
        """Whether the call has its effect first."""


class World:
    """Implements Engine, Guest, Mac, Cluster and Pauses of hotadd.asking."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.moment: Moment | None = None
        self.dead = False
        self.refuses: set[str] = set()
        """Calls that fail whenever they are made."""
        self.socket = self.up = self.running = True
        self.paused = False
        self.others: list[str] = []
        self.human: list[str] = []
        self.busy = ""
        self.mac_holder = ""
        self.vm_listeners: set[int] = set()
        self.forwards = True
        self.comes_up = True
        self.files: dict[str, bytes] = {
            HOSTCONFIG: json.dumps({"Memory": 1, "PortBindings": OLD, "Binds": None}).encode(),
            CONFIG: json.dumps(
                {"ID": ID, "Config": {"Env": ["KEY=1"], "ExposedPorts": {}}}
            ).encode(),
        }
        self.memory: dict[str, Any] = {}
        self._load()

    def _load(self) -> None:
        self.memory = {name: json.loads(data) for name, data in self.files.items()}

    def _flush(self) -> None:
        self.memory[CONFIG]["State"] = {"Running": self.running}
        self.files = {name: json.dumps(one).encode() for name, one in self.memory.items()}

    async def _call(self, name: str, effect: Callable[[], T]) -> T:
        await anyio.lowlevel.checkpoint()
        return self.now(name, effect)

    def now(self, name: str, effect: Callable[[], T]) -> T:
        """One call: it counts, and something may happen there."""
        if self.dead:
            raise Killed
        self.calls.append(name)
        if name in self.refuses:
            raise ActFailed(name, "refused")
        met = self.moment if self.moment and self.moment.number == len(self.calls) else None
        if met is not None and not met.after:
            self._meet(met, name)
        done = effect()
        if met is not None:
            self._meet(met, name)
        return done

    def _meet(self, met: Moment, name: str) -> None:
        if met.what == "kill":
            self.dead = True
            raise Killed
        raise ActFailed(name, "failed this once")

    def revive(self) -> None:
        """A new process of healer, before which nothing happens any more."""
        self.dead, self.moment, self.calls = False, None, []

    @property
    def published(self) -> set[str]:
        """The Mac's ports by the file, which must always be whole JSON."""
        bindings = json.loads(self.files[HOSTCONFIG])["PortBindings"]
        return {one["HostPort"] for many in bindings.values() for one in many}

    def _must_be_up(self) -> None:
        if not self.up:
            raise TargetIll("docker.sock", "Connection refused")

    async def ping(self) -> None:
        """Refused while it is down."""
        await self._call("ping", self._must_be_up)

    async def container(self) -> Container:
        """As the real decoder reads it."""
        return await self._call("inspect", self._inspected)

    def _inspected(self) -> Container:
        self._must_be_up()
        if not isinstance(self.memory[HOSTCONFIG]["PortBindings"], dict):
            raise NotThere("docker inspect", "No such container")
        status = "running" if self.running else "exited"
        raw = {
            "Id": ID,
            "Name": "/talos-1",
            "State": {"Status": status, "ExitCode": 0},
            "HostConfig": self.memory[HOSTCONFIG],
            "Config": {},
        }
        return container_of(raw, 0.0, "docker inspect")

    async def others_running(self, container: str) -> list[str]:
        """As it is told."""
        del container
        return await self._call("ps", lambda: self.others)

    async def root(self) -> str:
        """The usual one."""
        return await self._call("info", lambda: ROOT)

    async def stop(self, container: str) -> str:
        """Writes both files."""
        return await self._call("stop container", lambda: self._set(container, running=False))

    async def start(self, container: str) -> str:
        """Writes both files."""
        return await self._call("start container", lambda: self._set(container, running=True))

    def _set(self, container: str, *, running: bool) -> str:
        assert ID == container
        self._must_be_up()
        self.running = running and self.comes_up
        self._flush()
        return "done"

    async def units(self) -> Units:
        """Of both."""
        words = {True: "active", False: "inactive"}
        return await self._call("units", lambda: Units(words[self.socket], words[self.up]))

    async def stop_docker(self) -> None:
        """dockerd writes both files when it ends, and takes its containers with it."""
        await self._call("stop docker", self._stop)

    def _stop(self) -> None:
        if self.up:
            self.running = False
            self._flush()
        self.socket = self.up = False

    async def start_docker(self) -> None:
        """It reads both files when it starts."""
        await self._call("start docker", self._start)

    def _start(self) -> None:
        if not self.up:
            self._load()
        self.socket = self.up = True

    async def read(self, path: str) -> bytes:
        """One of the two."""
        return await self._call("read", lambda: self.files[self._name(path)])

    async def digest(self, path: str) -> str:
        """Of what is on the disk."""
        return await self._call(
            "digest", lambda: hashlib.sha256(self.files[self._name(path)]).hexdigest()
        )

    def _name(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        assert f"{ROOT}/containers/{ID}" == folder
        return name

    async def replace(self, path: str, data: bytes, before: str) -> None:
        """All or nothing."""

        def effect() -> None:
            name = self._name(path)
            if self.up or self.socket or hashlib.sha256(self.files[name]).hexdigest() != before:
                raise ActFailed(path, "docker is not down, or it was changed")
            self.files[name] = data

        await self._call(f"replace {self._name(path)}", effect)

    async def listens(self, port: int, protocol: str) -> bool:
        """docker-proxy, while the container runs."""
        assert protocol in {"tcp", "udp"}
        return await self._call("listens", lambda: self._open(port))

    def _open(self, port: int) -> bool:
        bound = self.memory[HOSTCONFIG]["PortBindings"]
        ports = {one["HostPort"] for many in bound.values() for one in many}
        served = self.up and self.running and str(port) in ports
        return served or port in self.vm_listeners

    async def holder(self, port: int, protocol: str) -> str:
        """As it is told."""
        del port, protocol
        return await self._call("holder", lambda: self.mac_holder)

    async def accepts(self, port: int) -> bool:
        """Lima forwards what is open in the VM."""
        return await self._call("accepts", lambda: self.forwards and self._open(port))

    async def ready(self) -> bool:
        """The API lives in the container."""
        return await self._call("ready", lambda: self.up and self.running)

    def standing(self) -> list[str]:
        """A human's."""
        return self.now("standing", lambda: self.human)

    def pause(self) -> None:
        """Ours."""
        self.now("pause", lambda: setattr(self, "paused", True))

    def at_work(self) -> str:
        """As it is told."""
        return self.now("at work", lambda: self.busy)

    def resume(self) -> None:
        """Ours."""
        self.now("resume", lambda: setattr(self, "paused", False))


class CountedBook(HotAddBook):
    """The real one, at each of whose lines healer may be killed, too."""

    def __init__(self, root: Path, world: World) -> None:
        super().__init__(root)
        self._world = world

    def begin(self, started: Started) -> None:
        """As the real one."""
        self._world.now("book begin", lambda: super(CountedBook, self).begin(started))

    def step(self, step: Step, *, done: bool) -> None:
        """As the real one."""
        self._world.now("book step", lambda: super(CountedBook, self).step(step, done=done))

    def save(self, copies: dict[str, bytes], hashes: dict[str, tuple[str, str]]) -> None:
        """As the real one."""
        self._world.now("book save", lambda: super(CountedBook, self).save(copies, hashes))

    def rolling_back(self) -> None:
        """As the real one."""
        self._world.now("book back", super().rolling_back)

    def finish(self, how: str) -> None:
        """As the real one."""
        self._world.now("book finish", lambda: super(CountedBook, self).finish(how))


def parts_of(world: World, folder: Path) -> Parts:
    """A new process of healer in that world."""
    book = CountedBook(folder, world)
    return Parts(world, world, world, world, world, book, FakeClock())
