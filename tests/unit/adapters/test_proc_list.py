"""Linux's process list, read without ps and beside it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from healer.adapters.host import HostAdapter
from healer.adapters.proc_list import ProcHost, proc_list
from healer.adapters.process import ProcessRunner
from healer.ports import CannotLook

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def entry(folder: Path, pid: int, stat: str, argv: bytes, uid: int = 0) -> None:
    """One process of a played /proc."""
    own = folder / str(pid)
    own.mkdir()
    (own / "stat").write_text(stat, "utf-8")
    (own / "cmdline").write_bytes(argv)
    (own / "status").write_text(f"Name:\tx\nUid:\t7\t{uid}\t7\t7\n", "utf-8")


def stat_of(pid: int, name: str, ppid: int, ticks: int) -> str:
    """As proc(5) has it, up to the start."""
    return f"{pid} ({name}) S {ppid} " + " ".join("0" for _ in range(17)) + f" {ticks} 0 0\n"


@pytest.fixture
def child() -> Iterator[int]:
    """A process with words of all kinds; it ends when its stdin does."""
    words = ["sleep", "600", "a b", "limactl hostagent"]
    argv = [sys.executable, "-c", "import sys; sys.stdin.read()", *words]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as one:
        yield one.pid


async def test_it_says_what_ps_says(tmp_path: Path, child: int) -> None:
    """Of ourselves and of a child: pid, parent, user, age and argv."""
    by_ps = HostAdapter(ProcessRunner(), tmp_path, path="/usr/bin:/bin")
    theirs = {one.pid: one for one in await by_ps.processes()}
    ours = {one.pid: one for one in await ProcHost(ProcessRunner(), tmp_path).processes()}
    for pid in (os.getpid(), child):
        one, other = ours[pid], theirs[pid]
        assert (other.ppid, other.user, other.command) == (one.ppid, one.user, one.command)
        assert abs(other.age - one.age) < 5.0


async def test_names_do_not_confuse_it(tmp_path: Path) -> None:
    """A name may hold blanks and brackets; effective user and start are still found."""
    entry(tmp_path, 7, stat_of(7, "a) S 9 (b", 3, 100), b"x\0--flag\0a b\0", uid=3999999)
    entry(tmp_path, 8, stat_of(8, "kworker/0:1", 2, 100), b"")
    (tmp_path / "self").mkdir()

    one, thread = sorted(await proc_list(tmp_path), key=lambda one: one.pid)

    assert (7, 3, "3999999", "x --flag a b") == (one.pid, one.ppid, one.user, one.command)
    assert (8, 2, "root", "[kworker/0:1]") == (thread.pid, thread.ppid, thread.user, thread.command)
    booted = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert abs(one.age - (booted - 100 / os.sysconf("SC_CLK_TCK"))) < 60


async def test_a_process_that_ends_meanwhile_is_left_out(tmp_path: Path) -> None:
    """Its folder is there and its files are not, or are empty."""
    entry(tmp_path, 7, stat_of(7, "x", 3, 100), b"x\0")
    (tmp_path / "9").mkdir()
    entry(tmp_path, 10, "", b"")

    assert [7] == [one.pid for one in await proc_list(tmp_path)]


async def test_a_proc_that_shows_nothing_is_no_empty_list(tmp_path: Path) -> None:
    """No process seen and not seen are two things."""
    with pytest.raises(CannotLook, match="not even our own"):
        await proc_list(tmp_path)
    with pytest.raises(CannotLook, match="No such file"):
        await proc_list(tmp_path / "none")
