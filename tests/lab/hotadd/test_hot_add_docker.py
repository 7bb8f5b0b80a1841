"""The hot-add on a real dockerd: it works, and killed or failing at each step it is all back."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from anyio import to_thread

from healer.adapters.clock import SystemClock
from healer.adapters.docker_hot_add import HotAddEngine
from healer.adapters.guest_ports import GuestPorts
from healer.adapters.hot_add_book import HotAddBook
from healer.hotadd.looking import Rules, look_before
from healer.hotadd.parts import AddFailedError, Parts
from healer.hotadd.running import add, recover
from healer.model.hot_add import Step
from healer.model.port_edit import FILES, HOSTCONFIG, WantedPort
from healer.ports import ActFailed
from tests.fakes.door import FakeDoor
from tests.lab.hotadd.vm import NAME, Vm, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab

OLD, NEW = 6379, 9627
WANTED = WantedPort(NEW, 3000)


class Killed(BaseException):
    """Nothing more is done by whoever meets it."""


class Guest(GuestPorts):
    """The real one, in which a call may fail once."""

    def __init__(self, vm: Vm) -> None:
        super().__init__(vm)
        self.kills_at_second_file = False

    async def replace(self, path: str, data: bytes, before: str) -> None:
        """One file is written, and the other is not."""
        if self.kills_at_second_file and path.endswith(HOSTCONFIG):
            raise Killed
        await super().replace(path, data, before)


class Book(HotAddBook):
    """The real one; at the end of a step healer is killed, or the step is said to have failed."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.at: Step | None = None
        self.error: type[BaseException] = Killed
        self.dead = False

    def step(self, step: Step, *, done: bool) -> None:
        """What the step did is done."""
        if done and step is self.at:
            self.at = None
            self.dead = self.error is Killed
            raise Killed if self.dead else ActFailed(step, "said to have failed")
        super().step(step, done=done)

    def rolling_back(self) -> None:
        """Not by one who is dead."""
        if self.dead:
            raise Killed
        super().rolling_back()


class Tower:
    """The rest: a Mac that forwards what is open, and a cluster that nobody runs."""

    def __init__(self, vm: Vm, guest: GuestPorts) -> None:
        self._vm, self._guest = vm, guest
        self.paused = False

    async def holder(self, port: int, protocol: str) -> str:
        """Nobody."""
        del port, protocol
        return ""

    async def accepts(self, port: int) -> bool:
        """Whether the container's own words come through."""
        return await to_thread.run_sync(self._vm.fetched, port) == "precious"

    async def ready(self) -> bool:
        """There is none."""
        return False

    def standing(self) -> list[str]:
        """None."""
        return []

    def at_work(self) -> str:
        """Nothing."""
        return ""

    def pause(self) -> None:
        """Ours."""
        self.paused = True

    def resume(self) -> None:
        """Ours."""
        self.paused = False


@pytest.fixture(name="vm", scope="module")
def fixture_vm() -> Iterator[Vm]:
    """One for all tests, since each test leaves it whole."""
    lacks = missing()
    if lacks:
        pytest.skip(lacks)
    with tempfile.TemporaryDirectory(prefix="hotadd", dir="/tmp") as folder:
        vm = Vm(Path(folder).resolve())
        try:
            vm.furnish()
            yield vm
        finally:
            vm.close()


class Healer:
    """A process of healer, and the ones that come after it."""

    def __init__(self, vm: Vm, folder: Path) -> None:
        self.guest, self.book = Guest(vm), Book(folder)
        self.tower = Tower(vm, self.guest)
        engine = HotAddEngine(vm.socket, NAME, "joel", FakeDoor())
        rest = (self.tower, self.tower, self.tower, self.book, SystemClock())
        self.parts = Parts(engine, self.guest, *rest)

    async def add(self) -> None:
        """As the command does it."""
        await add(self.parts, await look_before(self.parts, WANTED, Rules({3111})))


def state(vm: Vm) -> tuple[str, str, str, bool]:
    """What comes through both ports, the container's state, and whether it is the same one."""
    status, full = vm.docker("inspect", "-f", "{{.State.Status}} {{.Id}}", NAME).split()
    ids = vm.docker("ps", "--all", "--quiet", "--no-trunc").split()
    return vm.fetched(OLD), vm.fetched(NEW), status, ids == [full]


BACK = ("precious", "", "running", True)
DONE = ("precious", "precious", "running", True)


def files(vm: Vm) -> dict[str, tuple[int, int, int]]:
    """Owner, group and mode of both."""
    (folder,) = (vm.folder / "docker" / "containers").iterdir()
    found = {name: (folder / name).stat() for name in FILES}
    assert sorted(one.name for one in folder.glob("*.healer")) == []
    return {name: (one.st_uid, one.st_gid, one.st_mode) for name, one in found.items()}


@pytest.mark.parametrize("step", [one for one in Step if one is not Step.RESUME])
@pytest.mark.parametrize("error", [Killed, ActFailed])
async def test_ended_at_any_step_all_is_back_and_the_data_is_there(
    vm: Vm, tmp_path: Path, step: Step, error: type[BaseException]
) -> None:
    """Failing, it goes back by itself; killed, `recover` undoes it, or finishes what was proved."""
    before = files(vm)
    healer = Healer(vm, tmp_path)
    healer.book.at, healer.book.error = step, error
    with pytest.raises(Killed if error is Killed else AddFailedError):
        await healer.add()
    expected = BACK
    if error is Killed:
        again = Healer(vm, tmp_path)
        said = await recover(again.parts)
        finishes = step in {Step.START_CONTAINER, Step.VERIFY}
        assert ("finished" if finishes else "rolled back") == said
        expected = DONE if finishes else BACK
    assert expected == state(vm)
    assert before == files(vm)
    if expected == DONE:
        await forget(vm)


async def forget(vm: Vm) -> None:
    """Take the port away again, as a human would."""
    healer = Healer(vm, vm.folder)
    engine, guest = healer.parts.engine, healer.guest
    container = await engine.container()
    await engine.stop(container.id)
    await guest.stop_docker()
    path = f"{vm.folder}/docker/containers/{container.id}/{HOSTCONFIG}"
    document = json.loads(await guest.read(path))
    del document["PortBindings"][WANTED.key]
    await guest.replace(path, json.dumps(document).encode(), await guest.digest(path))
    await guest.start_docker()
    await engine.start(container.id)
    assert BACK == state(vm)


async def test_killed_between_both_files_it_is_undone(vm: Vm, tmp_path: Path) -> None:
    """The first file is new, the second is old."""
    healer = Healer(vm, tmp_path)
    healer.guest.kills_at_second_file = True
    healer.book.dead = True
    with pytest.raises(Killed):
        await healer.add()
    assert "rolled back" == await recover(Healer(vm, tmp_path).parts)
    assert BACK == state(vm)


async def test_a_port_is_added_for_good(vm: Vm, tmp_path: Path) -> None:
    """Both ports serve the volume's data, also after another restart of docker."""
    before = files(vm)
    healer = Healer(vm, tmp_path)
    await healer.add()
    assert DONE == state(vm)
    assert before == files(vm)
    assert not healer.tower.paused
    vm.systemctl("stop", "docker.service")
    vm.systemctl("start", "docker.service")
    vm.docker("start", NAME)
    assert DONE == state(vm)
    await forget(vm)
