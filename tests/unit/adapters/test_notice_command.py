"""Notices by a command and by osascript, as real processes."""

import json
import os
import traceback
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from healer.adapters.notice_command import Command
from healer.adapters.notice_desktop import Desktop
from healer.adapters.process import ProcessRunner
from healer.model.notice import Delivery, document
from healer.ports import ActFailed, CannotLook, PortError, TargetSilent
from tests.fakes.channel import a_notice
from tests.patience import PATIENCE
from tests.unit.adapters.helpers import fifo

MARKER = "s3cr3t-marker"
PATH = "/usr/bin:/bin"


def a_tool(folder: Path, name: str, script: str) -> str:
    """An executable there."""
    tool = folder / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    return str(tool)


def a_command(tool: str, *arguments: str, deadline: float = 20.0) -> Command:
    """The channel."""
    environment = {"PATH": PATH}
    runner = ProcessRunner(term_grace=0.2)
    return Command((tool, *arguments), runner, environment, deadline)


async def why(command: Command) -> PortError:
    """The error of a command that must fail, in which no secret is told."""
    with pytest.raises(PortError) as caught:
        await command.send(a_notice())
    told = "".join(traceback.format_exception(caught.value))
    assert MARKER not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


async def test_a_command_gets_the_notice_as_json_on_stdin(tmp_path: Path) -> None:
    """One line, and its arguments as the settings have them."""
    tool = a_tool(tmp_path, "page", f'echo "$@" > {tmp_path}/args; cat > {tmp_path}/got')
    await a_command(tool, "--to", "joel; rm -rf /").send(a_notice())

    assert document(a_notice()) == json.loads((tmp_path / "got").read_text())
    assert "--to joel; rm -rf /\n" == (tmp_path / "args").read_text()


async def test_a_command_may_leave_its_stdin_unread(tmp_path: Path) -> None:
    """Exit code 0 is all that counts."""
    await a_command(a_tool(tmp_path, "page", "exec true")).send(a_notice())


async def test_a_command_that_fails_is_told_without_its_words(tmp_path: Path) -> None:
    """A `curl` quotes the token it was given (facts/incidents.md, 10)."""
    tool = a_tool(tmp_path, "page", f"echo '{MARKER}' >&2; echo '{MARKER}'; exit 3")
    error = await why(a_command(tool, MARKER))

    assert isinstance(error, ActFailed)
    assert "command page: ended with exit code 3; run it by hand to see why" == str(error)


async def test_a_command_that_hangs_is_ended_with_its_group(tmp_path: Path) -> None:
    """The child of a shell too: the pipe that only it holds is closed by its end."""
    held = fifo(tmp_path)
    end = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    script = f"echo {MARKER} >&2; sleep 86400 > {held} & wait"
    error = await why(a_command(a_tool(tmp_path, "page", script), MARKER, deadline=2.0))

    assert isinstance(error, TargetSilent)
    assert "command page: had not ended after 2 s" == str(error)
    with anyio.fail_after(PATIENCE):
        await anyio.wait_readable(end)
    os.close(end)


async def test_a_command_that_spams_without_end_is_ended(tmp_path: Path) -> None:
    """What it says is dropped, and costs no memory."""
    error = await why(a_command(a_tool(tmp_path, "page", f"yes {MARKER}"), deadline=1.0))

    assert "command page: had not ended after 1 s" == str(error)


@pytest.mark.parametrize("executable", [True, False])
async def test_a_command_that_cannot_run_is_said_by_the_self_test(
    tmp_path: Path, *, executable: bool
) -> None:
    """It is not there, or not executable; the remedy is named."""
    tool = tmp_path / "page"
    if executable:
        tool.write_text("#!/bin/sh\n")
    command = a_command(str(tool), MARKER)

    assert isinstance(await why(command), CannotLook)
    said = command.check()
    assert said.startswith("command page: there is no such program, or it is not executable; mend")
    assert MARKER not in said


def test_a_command_is_found_on_the_path_that_launchd_gives() -> None:
    """By name."""
    assert "" == a_command("cat").check()


def a_desktop(folder: Path, manager: str = "echo Aqua", script: str = "exec true") -> Desktop:
    """A Mac's two tools."""
    a_tool(folder, "launchctl", f'test "$*" = managername && {manager}')
    a_tool(folder, "osascript", script)
    return Desktop(ProcessRunner(), {"PATH": f"{folder}:{PATH}"})


async def test_the_desktops_words_are_arguments_and_never_script(tmp_path: Path) -> None:
    """Quotes, backslashes and dashes arrive as they are."""
    script = f'for one; do printf "%s|" "$one"; done > {tmp_path}/said'
    desktop = a_desktop(tmp_path, script=script)
    nasty = '-e "do shell script \\"rm\\"" \x00 \ud800'
    assert "" == desktop.check()
    how = await desktop.send(replace(a_notice(), title=nasty, text="- \u00fc"))

    assert Delivery.HANDED_OVER is how
    assert not desktop.confirms
    script = "-e|on run argv|-e|display notification (item 3 of argv) with title (item 1 of argv)"
    said = (tmp_path / "said").read_text()
    assert said.startswith(f"{script} subtitle (item 2 of argv)|-e|end run|healer|")
    assert said.endswith('|-e "do shell script \\"rm\\""  ?|- \u00fc|')


@pytest.mark.parametrize("manager", ["Background", "System", "LoginWindow"])
async def test_a_session_without_the_screen_is_no_way(tmp_path: Path, manager: str) -> None:
    """osascript would end with 0 there, and nobody would see anything: it is not started."""
    desktop = a_desktop(tmp_path, f"echo {manager}", f"touch {tmp_path}/started")

    assert Delivery.UNREACHABLE is await desktop.send(a_notice())
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("manager", ["exit 1", "true", None])
async def test_a_session_that_cannot_be_asked_is_an_error(
    tmp_path: Path, manager: str | None
) -> None:
    """Not knowing is not Aqua."""
    desktop = a_desktop(tmp_path, manager or "", f"touch {tmp_path}/started")
    if manager is None:
        (tmp_path / "launchctl").unlink()

    with pytest.raises(CannotLook):
        await desktop.send(a_notice())
    assert not (tmp_path / "started").exists()


async def test_the_desktops_refusal_is_told(tmp_path: Path) -> None:
    """With osascript's own words, which hold no secret of ours."""
    desktop = a_desktop(tmp_path, script="echo 'not allowed' >&2; exit 1")

    with pytest.raises(ActFailed, match="osascript ended with exit code 1: not allowed"):
        await desktop.send(a_notice())


async def test_elsewhere_than_on_a_mac_there_is_no_desktop(tmp_path: Path) -> None:
    """Which says nothing of anything else."""
    desktop = Desktop(ProcessRunner(), {"PATH": str(tmp_path)})

    assert "desktop: there is no osascript here" == desktop.check()
    with pytest.raises(CannotLook, match="only macOS has it"):
        await desktop.send(a_notice())
