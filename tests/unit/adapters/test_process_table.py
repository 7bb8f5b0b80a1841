"""The process table of this machine, and what psutil may answer instead."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import anyio
import psutil
import pytest

from healer.adapters.process_table import (
    ProcessTable,
    boot_time,
    limit_of,
    listening_ports,
    own_cost,
)
from healer.model.machine import ProcessInfo
from healer.ports import CannotLook
from tests.unit.adapters.helpers import until

UNTIL_STDIN_ENDS = "import sys; print(flush=True); sys.stdin.read()"


class SetClock:
    """A boot clock and a wall clock that are set by hand."""

    def __init__(self) -> None:
        self.at, self.epoch = time.clock_gettime(time.CLOCK_MONOTONIC), time.time()

    def now(self) -> float:
        """Seconds on the boot clock."""
        return self.at

    def awake(self) -> float:
        """The same: it never sleeps."""
        return self.at

    def wall(self) -> float:
        """Epoch seconds."""
        return self.epoch

    def boot_id(self) -> str:
        """The one boot."""
        return "boot"

    async def sleep(self, seconds: float) -> None:
        """Nobody waits here."""
        del seconds


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes that end with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(
        *argv: str, executable: str | None = None, env: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        one = subprocess.Popen(argv, executable=executable, stdin=pipe, stdout=pipe, env=env)
        started.append(one)
        assert one.stdout is not None
        # Just after it began a program the kernel shows neither its argv nor its environment.
        one.stdout.readline()
        return one

    yield begin
    for one in started:
        one.kill()
        one.communicate()


async def seen(pid: int, table: ProcessTable | None = None) -> ProcessInfo | None:
    """That one, as the table shows it."""
    return {one.pid: one for one in await (table or ProcessTable()).read()}.get(pid)


async def test_a_process_is_told_with_parent_user_age_and_argv(start: Start) -> None:
    """Of ourselves and of a child, whose words hold blanks and a line's end."""
    child = start(sys.executable, "-c", UNTIL_STDIN_ENDS, "a b", "limactl\nhostagent")
    one = await seen(child.pid)

    assert one is not None
    assert (os.getpid(), os.getuid()) == (one.ppid, one.uid)
    assert one.command.endswith(f"{UNTIL_STDIN_ENDS} a b limactl hostagent")
    assert 0 <= one.age < 600
    me = await seen(os.getpid())
    assert me is not None
    assert sys.orig_argv[-1] in me.command


async def test_a_long_argv_is_not_cut(start: Start) -> None:
    """Identity is told by the last words of a command line, so they must be there."""
    child = start(sys.executable, "-c", UNTIL_STDIN_ENDS, "x" * 50_000, "colima")
    one = await seen(child.pid)

    assert one is not None
    assert one.command.endswith("x colima")


async def test_a_zombie_shows_its_name_and_who_was_reaped_is_gone(start: Start) -> None:
    """Neither is an error."""
    child = start(sys.executable, "-c", "")
    await until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    one = await seen(child.pid)
    child.wait()

    assert one is not None
    assert (one.command[0], one.command[-1]) == ("[", "]")
    assert await seen(child.pid) is None


async def test_ages_stay_right_when_the_wall_clock_is_set(start: Start) -> None:
    """Of who was known before; and who is new is no older than the last look."""
    clock = SetClock()
    table = ProcessTable(clock)
    first = await seen(os.getpid(), table)
    clock.at += 10
    clock.epoch += 86_400
    young = start(sys.executable, "-c", UNTIL_STDIN_ENDS)
    again, new = await seen(os.getpid(), table), await seen(young.pid, table)

    assert first is not None
    assert again is not None
    assert new is not None
    assert first.age + 10 == pytest.approx(again.age)
    assert 0 <= new.age <= 10


async def test_an_age_is_never_negative(start: Start) -> None:
    """A clock that was set back makes starts lie in its future."""
    clock = SetClock()
    clock.epoch -= 86_400
    child = start(sys.executable, "-c", UNTIL_STDIN_ENDS)
    one = await seen(child.pid, ProcessTable(clock))

    assert one is not None
    assert 0 == one.age


@pytest.mark.parametrize(
    ("home", "profile", "given"),
    [
        ("{0}/.colima/_lima", "", {}),
        ("{0}/.colima/_lima", "work", {"COLIMA_PROFILE": "work"}),
        ("{0}/other/_lima", "", {"COLIMA_HOME": "{0}/other"}),
        ("{0}/lima", "", {"LIMA_HOME": "{0}/lima"}),
    ],
)
async def test_a_start_tells_whose_vm_it_means_and_nothing_else_of_its_environment(
    home: str, profile: str, given: dict[str, str], tmp_path: Path, start: Start
) -> None:
    """Folder and profile as Colima would find them."""
    root = await anyio.Path(tmp_path).resolve()
    for folder in (".colima", "other"):
        await (root / folder).mkdir()
    environment = {name: value.format(root) for name, value in given.items()}
    script = root / "colima"
    await script.write_text(UNTIL_STDIN_ENDS, "utf-8")
    env = {"HOME": str(root), "TOKEN": "secret", **environment}
    child = start(sys.executable, str(script), "start", env=env)
    one = await seen(child.pid)

    assert one is not None
    assert (Path(home.format(root)), profile) == (one.lima_home, one.profile)
    assert "secret" not in repr(one)


async def test_limactl_has_a_root_of_its_own(tmp_path: Path, start: Start) -> None:
    """A human's own Lima is not Colima's."""
    script = tmp_path / "limactl"
    script.write_text(UNTIL_STDIN_ENDS, "utf-8")
    child = start(sys.executable, str(script), "stop", "x", env={"HOME": str(tmp_path)})
    one = await seen(child.pid)

    assert one is not None
    assert (tmp_path / ".lima").resolve() == one.lima_home


class Hiding(psutil.Process):
    """One of which something is refused, or that ends just then."""

    error: psutil.Error = psutil.AccessDenied()

    def cmdline(self) -> list[str]:
        """Never said."""
        raise self.error


@pytest.mark.parametrize("error", [psutil.AccessDenied(), psutil.ZombieProcess(1)])
async def test_who_hides_its_argv_is_told_by_name(
    error: psutil.Error, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS shows of another user's process the name alone."""
    monkeypatch.setattr(Hiding, "error", error)
    monkeypatch.setattr(psutil, "Process", Hiding)
    one = await seen(os.getpid())

    assert one is not None
    assert f"[{psutil.Process().name()}]" == one.command


async def test_who_ends_while_it_is_looked_at_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And when nobody is left, that is not an empty machine."""
    monkeypatch.setattr(Hiding, "error", psutil.NoSuchProcess(1))
    monkeypatch.setattr(psutil, "Process", Hiding)
    with pytest.raises(CannotLook, match="not even our own"):
        await ProcessTable().read()


@pytest.mark.parametrize("error", [PermissionError("no"), psutil.AccessDenied()])
async def test_a_table_that_cannot_be_read_is_no_empty_list(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No process seen and not seen are two things."""

    def refused() -> list[int]:
        raise error

    monkeypatch.setattr(psutil, "pids", refused)
    with pytest.raises(CannotLook, match="process table"):
        await ProcessTable().read()


async def test_the_ports_of_the_asked_processes_alone() -> None:
    """Listening ones, of IPv4 and IPv6; of who is gone there are none."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(socket.AF_INET6) as two:
        two.bind(("::1", 0))
        two.listen()
        ports = {one.getsockname()[1], two.getsockname()[1]}
        with socket.create_connection(one.getsockname()) as client:
            found = await listening_ports([os.getpid()])
            assert client.getsockname()[1] not in found
        assert ports <= found
        assert not ports & await listening_ports([os.getppid()])
    assert frozenset() == await listening_ports([])
    assert frozenset() == await listening_ports([2**22 + 1])


async def test_ports_that_are_hidden_are_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to see a listener says nothing of whose it is."""

    class Hidden(psutil.Process):
        def net_connections(self, kind: str = "inet") -> NoReturn:
            raise psutil.AccessDenied(self.pid, msg=kind)

    monkeypatch.setattr(psutil, "Process", Hidden)
    with pytest.raises(CannotLook, match=f"listeners of pid {os.getpid()}"):
        await listening_ports([os.getpid()])


def test_the_boot_was_before_now_and_after_2020(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be told is said, not guessed."""
    assert 1577836800 < boot_time() < time.time()

    def unknown() -> float:
        raise RuntimeError("line 'btime' not found")

    monkeypatch.setattr(psutil, "boot_time", unknown)
    with pytest.raises(CannotLook, match="boot time: line 'btime' not found"):
        boot_time()


def test_our_own_cost_is_that_of_now() -> None:
    """An open file more is one more, and memory that is given back is less."""
    before = own_cost()
    block = bytearray(64 << 20)
    with Path(os.devnull).open("rb"):
        more = own_cost()
    del block
    after = own_cost()

    assert before.descriptors + 1 == more.descriptors
    assert more.rss - before.rss > 32 << 20
    assert more.rss - after.rss > 32 << 20
    assert 0 < before.cpu <= after.cpu


async def test_empty_words_at_the_end_are_no_part_of_a_title(start: Start) -> None:
    """An ssh master that gives itself a title leaves the rest of its argv empty."""
    title = "ssh: /x/ssh.sock [mux]"
    argv = [title, "-c", UNTIL_STDIN_ENDS, "", "", ""]
    child = start(*argv, executable=sys.executable)
    one = await seen(child.pid)

    assert one is not None
    assert f"{title} -c {UNTIL_STDIN_ENDS}" == one.command


async def test_two_looks_at_once_do_not_harm_each_other() -> None:
    """Probes and remedies share one table."""
    table = ProcessTable()
    found = await asyncio.gather(*(table.read() for _ in range(4)))

    assert all(os.getpid() in {one.pid for one in seen} for seen in found)


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS shows no limit of another process")
def test_the_limit_of_another_process_is_read_where_the_system_shows_it() -> None:
    """Of a real child that has set its own; None of one that is not there."""
    script = "ulimit -Sn 512; echo; read -r _"
    child = subprocess.Popen(
        ["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert 512 == limit_of(child.pid)
    child.communicate()
    assert limit_of(child.pid) is None
