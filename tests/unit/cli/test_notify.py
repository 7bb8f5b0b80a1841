"""`healer notify --test`, as its user runs it."""

import pytest

from tests.unit.cli.command import Machine, fake_tool

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
