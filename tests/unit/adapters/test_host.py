"""The Mac itself, with a stand-in for launchctl."""

import os
from collections.abc import Sequence
from pathlib import Path

from healer.adapters.host import HostAdapter
from healer.adapters.process import ProcessRunner
from healer.model.launchd import rivals_of
from tests.unit.adapters.helpers import write_tool

UID = os.getuid()


def host(folder: Path, path: str | None = None, rivals: Sequence[str] = ()) -> HostAdapter:
    """A host whose tools are those of one folder."""
    return HostAdapter(ProcessRunner(), folder, path=path or str(folder), rivals=rivals)


def test_a_tool_is_found_on_the_given_path_only(tmp_path: Path) -> None:
    """PATH of the test does not matter, the order of the given one does."""
    second = write_tool(tmp_path / "two", "colima", "exit 0")
    here = host(tmp_path, path=f"{tmp_path}/one:{tmp_path}/two")

    assert second == here.tool("colima")
    first = write_tool(tmp_path / "one", "colima", "exit 0")
    assert first == here.tool("colima")
    assert here.tool("docker") is None


def test_disk_of_a_state_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    """The disk is that of the nearest folder that exists."""
    free = os.statvfs(tmp_path)

    found = host(tmp_path / "state" / "healer").disk_free()

    assert 0 < found <= free.f_frsize * free.f_blocks


async def test_rivals_are_found_in_every_domain(tmp_path: Path) -> None:
    """launchctl is asked in system, user and gui; only its 0 means loaded."""
    lima = "system/io.lima-vm.daemon.colima-work"
    loaded = f"system/com.joel.talon gui/{UID}/homebrew.mxcl.colima {lima}"
    rivals = rivals_of("colima-work")
    write_tool(
        tmp_path,
        "launchctl",
        f'[ "$1" = print ] || exit 64\n'
        f'for one in {loaded}; do [ "$2" = "$one" ] && exit 0; done\n'
        f'case "$2" in user/*) exit 125 ;; *) exit 113 ;; esac',
    )

    assert tuple(loaded.split()) == await host(tmp_path, rivals=rivals).loaded_rivals()


async def test_without_launchd_there_are_no_rivals(tmp_path: Path) -> None:
    """A Linux machine has nothing to report."""
    assert () == await host(tmp_path).loaded_rivals()
