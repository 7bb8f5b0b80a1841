"""`healer notify --test`, as its user runs it."""

import pytest

from tests.unit.cli.command import Machine, fake_tool
from tests.unit.cli.terminal import on_a_terminal

MARKER = "s3cr3t-marker"
NO_DESKTOP = "[notices]\ndesktop = false\n"


def test_without_a_channel_it_says_how_to_have_one(machine: Machine) -> None:
    """Every one of them, and the file to write it into."""
    machine.write(NO_DESKTOP)
    said = machine.healer("notify", "--test")

    assert (1, "") == (said.code, said.out)
    assert f"no channel is configured here; add to {machine.config}:" in said.err
    for key in ("command = ", "webhook_url_file = ", "desktop = ", "dead_man_url_file = "):
        assert key in said.err


def test_one_that_is_not_configured_is_named(machine: Machine) -> None:
    """With its own key only."""
    machine.write(NO_DESKTOP + 'command = ["cat"]\n')
    said = machine.healer("notify", "--test", "--channel", "webhook")

    assert (1, "") == (said.code, said.out)
    assert "webhook is not configured here" in said.err
    assert "webhook_url_file" in said.err
    assert "command" not in said.err


def test_each_channel_says_whether_it_took_the_test(machine: Machine) -> None:
    """On stdout, one line each; one that failed makes the exit code 1."""
    fake_tool(machine.home / "bin", "page", f"cat > {machine.home}/got")
    machine.write(
        NO_DESKTOP + 'command = ["~/bin/page"]\nwebhook_url_env = "HEALER_HOOK"\n',
    )
    said = machine.healer("notify", "--test", HEALER_HOOK=f"http://127.0.0.1:9/{MARKER}")

    assert 1 == said.code
    assert {"command: sent", "webhook: failed: Connection refused"} == set(said.out.splitlines())
    assert '"kind": "test"' in (machine.home / "got").read_text()
    assert MARKER not in said.out + said.err


def test_one_channel_alone_and_a_warning_beside_its_success(machine: Machine) -> None:
    """Exit code 0: it was sent; what is wrong besides goes to stderr."""
    fake_tool(machine.home / "bin", "page", "cat > /dev/null")
    machine.write(NO_DESKTOP + 'command = ["~/bin/page"]\nwebhook_url_env = "NONE"\n')
    said = machine.healer("notify", "--test", "--channel", "command")

    assert (0, "command: sent\n", "") == (said.code, said.out, said.err)


@pytest.mark.parametrize("arguments", [(), ("--test", "--channel", "fax")])
def test_wrong_usage_is_two(machine: Machine, arguments: tuple[str, ...]) -> None:
    """There is nothing else to send by hand, and the channels are a closed list."""
    said = machine.healer("notify", *arguments)

    assert (2, "") == (said.code, said.out)


def test_a_test_leaves_no_trace(machine: Machine) -> None:
    """Neither journal nor lock: it is no notice of the daemon's."""
    machine.write(NO_DESKTOP + 'command = ["true"]\n')
    machine.healer("notify", "--test")

    assert not (machine.home / ".local").exists()


def a_desktop(machine: Machine, manager: str = "Aqua") -> None:
    """The two tools of a Mac, on the PATH of the settings; no other channel."""
    tools = machine.home / "bin"
    fake_tool(tools, "launchctl", f"echo {manager}")
    fake_tool(tools, "osascript", f"echo shown >> {machine.home}/shown")
    machine.write(f'[files]\npath = ["{tools}", "/usr/bin", "/bin"]\n')


def test_a_notification_that_was_handed_over_proves_nothing(machine: Machine) -> None:
    """Nobody is at a terminal to say whether it was seen, and no other channel is there."""
    a_desktop(machine)
    said = machine.healer("notify", "--test")

    handed = "desktop: handed over to macOS; only you can see whether it was shown\n"
    assert (1, handed) == (said.code, said.out)
    assert "no channel is known to reach you" in said.err


def test_without_the_screen_nothing_is_shown(machine: Machine) -> None:
    """Over ssh, or from a daemon of the system."""
    a_desktop(machine, "Background")
    said = machine.healer("notify", "--test")

    assert 1 == said.code
    assert "desktop: out of reach: this session has no screen" in said.out
    assert not (machine.home / "shown").exists()


def test_a_desktop_beside_a_channel_that_confirms_is_good(machine: Machine) -> None:
    """It never counts alone, and does no harm."""
    a_desktop(machine)
    with machine.config.open("a", encoding="utf-8") as file:
        file.write('[notices]\ncommand = ["true"]\n')
    said = machine.healer("notify", "--test")

    assert (0, "") == (said.code, said.err)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ("y", 0, "desktop: seen"),
        ("n", 1, "desktop: not seen: allow notifications of Script Editor"),
        ("", 1, "desktop: not seen"),
    ],
)
def test_on_a_terminal_the_one_who_knows_is_asked(
    machine: Machine, answer: str, code: int, words: str
) -> None:
    """Only a yes counts."""
    a_desktop(machine)
    ran = on_a_terminal(machine, "notify", "--test", typed=f"{answer}\n")

    assert code == ran.code, ran.out
    assert "did a notification of healer appear on the screen? [y/N]" in ran.out
    assert words in ran.out
