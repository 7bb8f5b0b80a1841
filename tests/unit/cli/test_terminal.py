"""What a person at a terminal sees: a real pty, with the command's three streams on it."""

import re

import pytest

from tests.unit.cli.command import Machine, fake_tool
from tests.unit.cli.terminal import on_a_terminal

COLOUR = re.compile("\x1b\\[(?:[0-9]+;)*3[0-7]m")
HIDE_CURSOR, SHOW_CURSOR, ERASE_LINE = "\x1b[?25l", "\x1b[?25h", "\x1b[2K"


def test_a_drill_shows_its_timeline_on_a_terminal(machine: Machine) -> None:
    """The first thing that a newcomer runs: what broke, what was done, the tower, and 0."""
    ran = on_a_terminal(machine, "drill", "reboot")
    lines = ran.out.splitlines()

    assert 0 == ran.code, ran.out
    assert any("colima: start the VM (colima start): done" in line for line in lines), ran.out
    assert any("the tower is well again" in line for line in lines)
    assert any(line.split()[:2] == ["services", "ok"] for line in lines)
    assert "Traceback" not in ran.out


def test_a_pass_draws_the_tower_live_and_leaves_only_its_report(machine: Machine) -> None:
    """Layer by layer in colour while it looks; afterwards the drawing is gone."""
    ran = on_a_terminal(machine, "check")
    drawn, _, rest = ran.out.rpartition(SHOW_CURSOR)
    erased, _, left = rest.rpartition(ERASE_LINE)

    assert 3 == ran.code, ran.out
    assert HIDE_CURSOR in drawn
    assert "\x1b[2m?" in drawn
    for layer in ("host", "colima", "docker", "talos", "services"):
        assert layer in drawn
        assert any(line.split()[:1] == [layer] for line in left.splitlines()), ran.out
    assert ERASE_LINE in erased
    assert "\x1b[" not in left


@pytest.mark.parametrize(("more", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_is_for_those_who_want_it(
    machine: Machine,
    more: dict[str, str],
    coloured: bool,  # noqa: FBT001  (a case)
) -> None:
    """NO_COLOR is honoured (no-color.org); the drawing itself stays."""
    tools = machine.home / "tools"
    for name in ("colima", "limactl", "docker"):
        fake_tool(tools, name, "exit 0")
    machine.write(f'[files]\npath = ["{tools}", "/usr/bin", "/bin"]\n')
    ran = on_a_terminal(machine, "check", **more)

    assert HIDE_CURSOR in ran.out
    assert coloured is bool(COLOUR.search(ran.out)), ran.out
