"""The Mac itself, with stand-ins for launchctl and sysctl and the real ps."""

import os
import pwd
import sys
import time
from pathlib import Path

import pytest

from healer.adapters.host import HostAdapter, elapsed, parse_boot_time, parse_processes
from healer.adapters.process import ProcessRunner
from healer.model.machine import ProcessInfo
from healer.ports import CannotLook
from tests.unit.adapters.helpers import write_tool

UID = os.getuid()


def host(folder: Path, platform: str = "linux", path: str | None = None) -> HostAdapter:
    """A host whose tools are those of one folder."""
    return HostAdapter(ProcessRunner(), folder, path=path or str(folder), platform=platform)


def test_a_tool_is_found_on_the_given_path_only(tmp_path: Path) -> None:
    """PATH of the test does not matter, the order of the given one does."""
    second = write_tool(tmp_path / "two", "colima", "exit 0")
    here = host(tmp_path, path=f"{tmp_path}/one:{tmp_path}/two")

    assert second == here.tool("colima")
    first = write_tool(tmp_path / "one", "colima", "exit 0")
    assert first == here.tool("colima")
    assert here.tool("ps") is None


async def test_the_process_list_shows_ourselves(tmp_path: Path) -> None:
    """The machine's own ps is understood: pid, parent, user, age and argv."""
    here = host(tmp_path, path="/usr/bin:/bin")

    found = {one.pid: one for one in await here.processes()}

    me = found[os.getpid()]
    assert (os.getppid(), pwd.getpwuid(UID).pw_name) == (me.ppid, me.user)
    assert sys.orig_argv[-1] in me.command
    assert 0 <= me.age < time.time() - here.boot_time()


async def test_a_long_argv_is_not_cut(tmp_path: Path) -> None:
    """Identity is told by the last words of a command line, so they must be there."""
    long = "x" * 5000
    write_tool(tmp_path, "ps", f"echo '  7 1 0 02:03 limactl hostagent {long} colima'")

    [one] = await host(tmp_path, path=f"{tmp_path}:/bin").processes()

    assert f"limactl hostagent {long} colima" == one.command


async def test_a_ps_that_fails_is_no_empty_list(tmp_path: Path) -> None:
    """No process seen and not seen are two things."""
    with pytest.raises(CannotLook, match="not found on PATH"):
        await host(tmp_path).processes()
    write_tool(tmp_path, "ps", "exit 1")
    with pytest.raises(CannotLook, match="exit 1"):
        await host(tmp_path).processes()


def test_lines_that_are_no_processes_are_left_out() -> None:
    """Garbage costs its own line and nothing more."""
    text = (
        "    1     0   0 10-01:02:03 /sbin/launchd\n"
        "  501     1 501    00:07 /opt/homebrew/bin/colima start  -p\fdefault \n"
        "  PID  PPID UID ELAPSED COMMAND\n"
        "  502     1 501    later vim\n"
        "  503     1 501    00:01\n"
        "\n"
        "\x00\ufffd\ufffd"
    )

    found = parse_processes(text, {0: "root", 501: "joel"}.__getitem__)

    assert [
        ProcessInfo(1, 0, "root", 10 * 86400 + 3723.0, "/sbin/launchd"),
        ProcessInfo(501, 1, "joel", 7.0, "/opt/homebrew/bin/colima start  -p\fdefault"),
    ] == found


def test_a_user_without_a_name_is_a_number() -> None:
    """A uid that nobody has is shown as it is."""
    [one] = parse_processes("7 1 3999999 00:01 sleep 600")

    assert "3999999" == one.user


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "00:00"),
        (754.0, "12:34"),
        (3723.0, "01:02:03"),
        (86400.0, "1-00:00:00"),
        (8726400.0, "101-00:00:00"),
        (None, "-"),
        (None, "12"),
        (None, "1-02:03"),
        (None, "1:2:3:4"),
    ],
)
def test_etime_is_read_as_ps_writes_it(seconds: float | None, text: str) -> None:
    """`[[dd-]hh:]mm:ss`, and nothing else."""
    assert seconds == elapsed(text)


def test_boot_time_of_this_machine(tmp_path: Path) -> None:
    """The boot was before now and after 2020."""
    assert 1577836800 < host(tmp_path).boot_time() < time.time()


def test_boot_time_of_a_mac(tmp_path: Path) -> None:
    """`sysctl -n kern.boottime` prints a C struct and a date."""
    answer = "{ sec = 1700000000, usec = 250000 } Tue Nov 14 22:13:20 2023"
    write_tool(tmp_path, "sysctl", f'[ "$*" = "-n kern.boottime" ] && echo "{answer}"')

    assert 1700000000.25 == host(tmp_path, "darwin").boot_time()


def test_boot_time_is_asked_again_only_after_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a Mac each question is a process; and the boot's time moves with the wall clock."""
    write_tool(
        tmp_path,
        "sysctl",
        f"echo asked >> {tmp_path}/asked; echo '{{ sec = 1700000000, usec = 0 }}'",
    )
    here = host(tmp_path, "darwin", f"{tmp_path}:/bin")
    for _ in range(3):
        assert 1700000000.0 == here.boot_time()
    assert ["asked"] == (tmp_path / "asked").read_text("utf-8").splitlines()
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 3600.0)
    here.boot_time()
    here.boot_time()

    assert 2 == len((tmp_path / "asked").read_text("utf-8").splitlines())


def test_boot_time_that_cannot_be_told(tmp_path: Path) -> None:
    """An unreadable boot time is said, not guessed."""
    with pytest.raises(CannotLook, match="not understood: 'soon'"):
        parse_boot_time("soon")
    empty = tmp_path / "stat"
    empty.write_text("cpu 1 2 3\nbtime\n", encoding="ascii")
    for proc_stat in (empty, tmp_path / "none"):
        here = HostAdapter(ProcessRunner(), tmp_path, platform="linux", proc_stat=proc_stat)
        with pytest.raises(CannotLook, match="no btime"):
            here.boot_time()


def test_disk_of_a_state_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    """The disk is that of the nearest folder that exists."""
    free = os.statvfs(tmp_path)

    found = host(tmp_path / "state" / "healer").disk_free()

    assert 0 < found <= free.f_frsize * free.f_blocks


async def test_rivals_are_found_in_every_domain(tmp_path: Path) -> None:
    """launchctl is asked in system, user and gui; only its 0 means loaded."""
    loaded = f"system/com.joel.talon gui/{UID}/homebrew.mxcl.colima"
    write_tool(
        tmp_path,
        "launchctl",
        f'[ "$1" = print ] || exit 64\n'
        f'for one in {loaded}; do [ "$2" = "$one" ] && exit 0; done\n'
        f'case "$2" in user/*) exit 125 ;; *) exit 113 ;; esac',
    )

    assert tuple(loaded.split()) == await host(tmp_path).loaded_rivals()


async def test_without_launchd_there_are_no_rivals(tmp_path: Path) -> None:
    """A Linux machine has nothing to report."""
    assert () == await host(tmp_path).loaded_rivals()
